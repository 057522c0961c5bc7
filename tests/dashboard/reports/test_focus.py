"""FinOps FOCUS: the file adds up to the database, says what the specification asks for, and passes its validator."""

import csv
import io
import json
import subprocess
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dashboard.owner import Owner
from dashboard.reports import as_focus
from queries import Filters

ROOT = Path(__file__).parents[3]
VALIDATOR = ROOT / ".tools" / "focus-validator" / "bin" / "focus-validator"
# FOCUS_Spec v1.2: columns that are mandatory, and those among them that may be null.
MANDATORY = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
]
NULLABLE = {"BillingAccountName", "ChargeClass", "ChargeDescription", "PricingQuantity", "PricingUnit"}


@pytest.fixture(scope="module")
def charges(owner: Owner) -> pa.Table:
    return owner.read(as_focus.VIEW, Filters())


def test_the_charges_add_up_to_the_database(owner: Owner, charges: pa.Table) -> None:
    [cost] = owner.query("select sum(cost_usd) as c from facts.attempts")["c"].to_pylist()
    by_class = owner.query("select token_class, cost_usd from metrics.spend_by_token_class where cost_usd > 0")
    read = list(csv.DictReader(io.StringIO(as_focus.as_csv(charges))))
    for column in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"):
        assert sum(Decimal(row[column]) for row in read) == cost
    for token_class, spent in zip(*(by_class[name].to_pylist() for name in by_class.column_names), strict=True):
        assert sum(Decimal(row["BilledCost"]) for row in read if row["SkuMeter"] == token_class) == spent
    stored = pq.read_table(io.BytesIO(as_focus.as_parquet(charges)))
    assert sum(stored["BilledCost"].to_pylist()) == cost
    assert stored.schema.field("ChargePeriodStart").type == pa.timestamp("us", "UTC")


def test_a_charge_is_its_quantity_times_its_price(charges: pa.Table) -> None:
    for row in charges.to_pylist():
        assert row["ListUnitPrice"] * row["PricingQuantity"] == row["ListCost"]


def test_every_row_says_what_version_1_2_asks_for(charges: pa.Table) -> None:
    names = charges.column_names
    assert set(MANDATORY) <= set(names)
    own = [name for name in names if name.startswith("x_")]
    assert names[-len(own) :] == own, "our own columns stand last"
    assert len(names) - len(own) == 57
    for row in csv.DictReader(io.StringIO(as_focus.as_csv(charges))):
        assert all(row[name] for name in MANDATORY if name not in NULLABLE)
        assert row["ChargePeriodStart"].endswith("T00:00:00Z") and row["ChargePeriodStart"] < row["ChargePeriodEnd"]
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["BillingPeriodEnd"]
        tags = json.loads(row["Tags"])
        assert set(tags) == {"feature", "team", "token_class"}
        assert "." in row["BilledCost"] and "." in row["ConsumedQuantity"]


def test_version_1_0_passes_the_validator(charges: pa.Table, tmp_path: Path) -> None:
    """Its rules ask for five columns by wrong names; a copy for it has them too, under those names."""
    assert VALIDATOR.exists(), "run `sh run test`: it sets the validator up in .tools/"
    read = list(csv.DictReader(io.StringIO(as_focus.as_csv(as_focus.of_version(charges, "1.0")))))
    wrong = {
        "Provider": "ProviderName",
        "Publisher": "PublisherName",
        "InvoiceIssuer": "InvoiceIssuerName",
        "ResourceID": "ResourceId",
        "ChargeType": "ChargeCategory",
    }

    def said(rows: list[dict[str, str]]) -> str:
        with (tmp_path / "focus.csv").open("w", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        command = [str(VALIDATOR), "--data-file", str(tmp_path / "focus.csv"), "--validate-version", "1.0"]
        packages = next(VALIDATOR.parents[1].glob("lib/python*/site-packages"))
        ended = subprocess.run(command, cwd=packages, capture_output=True, text=True, timeout=300)
        return ended.stdout + ended.stderr

    copied = [row | {name: row[column] for name, column in wrong.items()} for row in read]
    assert "Validation succeeded." in (told := said(copied)), told[-3000:]
    assert "Validation failed!" in said([row | {"BillingCurrency": "EUROS"} for row in copied]), "it can fail"

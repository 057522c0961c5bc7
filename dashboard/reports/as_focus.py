"""The FinOps FOCUS file: charges by day, feature, team and token class, for tools that read clouds' bills.

Version 1.2 is the view `metrics.finops_focus_1_2`; version 1.0 is the same without the columns that came later.
Days and months are of UTC, as the specification has it, whatever the zone of a page.
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from dashboard.reports.as_csv import cell

Version = Literal["1.2", "1.0"]
VIEW = "finops_focus_1_2"
LATER_THAN_1_0 = (
    "BillingAccountType",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountUnit",
    "InvoiceId",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "ServiceSubcategory",
    "SkuMeter",
    "SkuPriceDetails",
    "SubAccountType",
)


def of_version(charges: pa.Table, version: Version) -> pa.Table:
    """The charges with the columns of a version; our own (`x_…`) stay."""
    return charges if version == "1.2" else charges.drop_columns(list(LATER_THAN_1_0))


def as_csv(charges: pa.Table) -> str:
    """Dates in ISO 8601 with Z, numbers always with a decimal point, unknown as nothing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(charges.column_names)
    writer.writerows(_lines(charges))
    return out.getvalue()


def as_parquet(charges: pa.Table) -> bytes:
    """The same with types: money DECIMAL, times UTC."""
    columns = {
        name: charges[name].cast(pa.timestamp("us", "UTC"))
        if pa.types.is_timestamp(charges.schema.field(name).type)
        else charges[name]
        for name in charges.column_names
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd")
    return out.getvalue()


def _lines(charges: pa.Table) -> Iterator[list[Any]]:
    for row in charges.to_pylist():
        yield [_value(value) for value in row.values()]


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return f"{value.to_integral_value():f}.0"
    return cell(value)

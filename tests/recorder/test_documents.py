"""What the recorder's README says is what the code does."""

import json
import re
import runpy
from importlib.resources import files
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "recorder"
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_tables_of_the_simulation_are_what_it_prints():
    simulation = runpy.run_path(str(FOLDER / "retry_simulation.py"))
    assert simulation["burst"]() in README
    assert simulation["outage"]() in README


def test_the_table_of_fields_is_the_schema():
    """Each field once, with the kinds of lines that have it."""
    kinds = json.loads((files("outlay_recorder") / "schema.json").read_text())["$defs"]
    told: dict[str, list[str]] = {}
    for kind in ("attempt", "call", "batch_result", "drops"):
        for name in kinds[kind]["properties"]:
            told.setdefault(name, []).append(kind)
    rows = re.findall(r"^\| `(\w+)` \| ([a-z_, ]+) \|", README, re.MULTILINE)
    assert dict(rows) == {name: "all" if len(kinds) == 4 else ", ".join(kinds) for name, kinds in told.items()}


def test_the_package_depends_on_the_sdk_alone():
    project = (FOLDER / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r"^dependencies = (.*)$", project, re.MULTILINE)[1] == '["anthropic>=2.12,<3"]'

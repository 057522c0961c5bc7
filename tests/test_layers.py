"""Who may import whom: `ingest` and `queries` know nothing of each other nor of what shows them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

INGEST_DOORS = ("choices", "column_mapping", "otlp", "owner", "server", "uploads")
QUERIES_DOORS = (
    "advice.finding",
    "alerts.parsing",
    "ask.figures",
    "ask.prompts",
    "ask.sql",
    "budgets",
    "data",
    "judging",
    "owner",
    "reading",
)


def imports(package: str) -> Iterator[tuple[str, str, str]]:
    """(module inside the package, package imported, name imported) of every import, those inside functions included."""
    for path in (ROOT / package).rglob("*.py"):
        module = ".".join(path.relative_to(ROOT / package).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((module, alias.name.split(".")[0], alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from ((module, node.module.split(".")[0], f"{node.module}.{alias.name}") for alias in node.names)


@pytest.mark.parametrize("package", ["ingest", "queries"])
def test_the_lower_layers_import_only_themselves(package):
    others = {"dashboard", "ingest", "queries", "sample_logs", "tests", "streamlit"} - {package}
    assert [found for found in imports(package) if found[1] in others] == []


def test_the_dashboard_reaches_down_through_its_doors():
    """The command line may use both; a page may name filters, the words of its questions, and nothing else."""
    through = {"ingest": INGEST_DOORS, "queries": QUERIES_DOORS}
    strays = [
        (module, name)
        for module, package, name in imports("dashboard")
        if package in through
        and not module.startswith("commands.")
        and module not in through[package]
        and name != "queries.Filters"
    ]
    assert strays == []

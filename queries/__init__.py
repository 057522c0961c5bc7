"""Everything Outlay claims about the data, in SQL: lists, base, rollups, facts, focus, metrics."""

from queries.catalog import View, catalogue
from queries.filters import Filters
from queries.rollups import Changes, keep, kept, proof, retain
from queries.warehouse import agree, create_views, generation, options, read, span

__all__ = [
    "Changes",
    "Filters",
    "View",
    "agree",
    "catalogue",
    "create_views",
    "generation",
    "keep",
    "kept",
    "options",
    "proof",
    "read",
    "retain",
    "span",
]

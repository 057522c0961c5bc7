"""Everything Outlay claims about the data, in SQL: lists, base, facts, focus, metrics."""

from queries.catalog import View, catalogue
from queries.filters import Filters
from queries.warehouse import create_views, generation, options, read, span

__all__ = ["Filters", "View", "catalogue", "create_views", "generation", "options", "read", "span"]

"""Everything Outlay claims about the data, in SQL: lists, base, facts, focus, metrics."""

from queries.catalog import View, catalogue
from queries.filters import Filters
from queries.warehouse import agree, create_views, generation, options, read, span

__all__ = ["Filters", "View", "agree", "catalogue", "create_views", "generation", "options", "read", "span"]

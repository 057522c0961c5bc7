"""Logs in: any format becomes rows of one shape, on disk before they are acknowledged, folded into one DuckDB file."""

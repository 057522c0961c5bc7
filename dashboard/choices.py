"""The door to what people settle by hand on the pages and in the commands: small things that change, in SQLite."""

from ingest.choices import choices

__all__ = ["choices"]

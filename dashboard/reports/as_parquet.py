"""A table as Parquet, for programs: the columns by their names in the metrics, money as DECIMAL, no line of totals."""

import io

import pyarrow.parquet as pq

from dashboard.names import display_name
from dashboard.reports.report import Report, Table


def written(report: Report, table: Table) -> bytes:
    """The rows as they were read; what they are about, and the exact total, is in the file's own metadata."""
    told = {
        "title": f"{report.title}: {table.title}",
        "period": report.period,
        "zone": report.zone,
        "scope": "; ".join(report.scope),
        "as_of": report.as_of.isoformat(timespec="seconds"),
    }
    told |= {f"total.{name}": str(value) for name, value in table.total.items() if name in table.rows}
    meta = {key: display_name(value, limit=10_000) for key, value in told.items()}
    out = io.BytesIO()
    pq.write_table(table.rows.table.replace_schema_metadata(meta), out, compression="zstd")
    return out.getvalue()

"""A table as people read it: plain headings, units, a line of totals, and rows that can be opened.

Cells hold numbers, so that a click on a heading sorts by size, and show the words of tiles and charts (`units.text`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import streamlit as st
from pandas.io.formats.style import Styler
from streamlit.elements import arrow
from streamlit.elements.lib.pandas_styler_utils import marshall_styler
from streamlit.proto.ArrowData_pb2 import ArrowData

from dashboard import filter_bar, units
from dashboard.names import LIMIT, UNKNOWN, display_name, labels
from dashboard.rows import DIMENSIONS, Rows
from dashboard.rows import sums as sums

SHOWN_AT_ONCE = 16
# Words for every cell are made on the server; beyond this many cells the browser formats the numbers instead.
MOST_WORDED_CELLS = 20_000
# Sentences of our own may be longer than names.
_LIMITS = {"reason": 300, "preview": 300, "problem": 300, "in_words": 300}
_PLAIN_NUMBERS = {"http_status", "source_line"}


def draw(
    rows: Rows,
    *,
    key: str,
    alt: str,
    total: Mapping[str, Any] | None = None,
    opens: str | None = None,
    onwards: str | None = None,
    zone: str = "UTC",
) -> None:
    """Show rows. `total` gives the line of totals (rates and percentiles cannot be summed); None leaves it out.

    The totals stand last, as people expect, first in a table that scrolls, above a table of days. `opens` is the
    dimension that selecting a row narrows to, `onwards` the page it leads to.
    """
    if total is not None and units.kind(rows.table.column_names[0]) in ("day", "hour"):
        # A column of days has no cell for the word Total.
        said = [f"{units.label(name)} {units.words(total)[name]}" for name in rows.columns if name in total]
        st.caption(f"Total: {' · '.join(said)}")
        total = None
    on_top = total is not None and len(rows) >= SHOWN_AT_ONCE
    shown = _for_people(rows, total, zone, on_top)
    selecting: dict[str, Any] = {}
    if opens:
        key = f"{key}-{st.session_state.get('drills', 0)}"
        opener = partial(_open, key, opens, rows, onwards, int(on_top))
        selecting = {"on_select": opener, "selection_mode": "single-row"}
    worded = shown.num_rows * shown.num_columns <= MOST_WORDED_CELLS
    st.dataframe(
        _worded(_as_bytes(shown), None if total is None else 0 if on_top else len(rows)) if worded else shown,
        key=key,
        alt=alt,
        hide_index=True,
        placeholder=UNKNOWN,
        height="content" if len(shown) <= SHOWN_AT_ONCE else 540,
        column_config={name: _config(name, rows.notes.get(name), zone, worded) for name in shown.column_names},
        **selecting,
    )


def _open(key: str, dimension: str, rows: Rows, onwards: str | None, lines_above: int) -> None:
    picked = [number - lines_above for number in st.session_state[key].selection.rows]
    if picked and 0 <= picked[0] < len(rows):
        filter_bar.drill(dimension, rows[dimension][picked[0]], onwards)


def _for_people(rows: Rows, total: Mapping[str, Any] | None, zone: str, on_top: bool) -> pa.Table:
    columns: dict[str, pa.Array] = {}
    for name, values in rows.columns.items():
        cells = _cells(name, values, zone)
        if total is not None:
            blank = "" if units.kind(name) == "name" else None
            line = _cells(name, [total[name]], zone) if name in total else [blank if columns else "Total"]
            cells = line + cells if on_top else cells + line
        known = any(cell is not None for cell in cells)
        columns[name] = pa.array(cells, from_pandas=True) if known else pa.nulls(len(cells), pa.string())
    return pa.table(columns)


def _cells(name: str, values: list[Any], zone: str) -> list[Any]:
    match units.kind(name):
        case "name":
            if name == "token_class":
                return [units.token_class(value) for value in values]
            words = [", ".join(value) if isinstance(value, list) else value for value in values]
            shown = labels(dict.fromkeys(words)) if name in DIMENSIONS else {}
            return [
                None if word is None else shown.get(word) or display_name(word, limit=_LIMITS.get(name, LIMIT))
                for word in words
            ]
        case "usd" | "currency":
            # The grid draws doubles; sums and comparisons were made in Decimal before.
            return [None if value is None else float(value) for value in values]
        case "rate":
            return [None if value is None else float(value) for value in values]
        case "at":
            return [None if value is None else _wall_clock(value, zone) for value in values]
    return values


def _wall_clock(moment: datetime, zone: str) -> datetime:
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0)


def _as_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    written: bytes = sink.getvalue().to_pybytes()
    return written


@lru_cache(300)
def _worded(table: bytes, bold: int | None) -> Styler:
    """A table, given as Arrow's stream, with words for its cells; the line that is `bold` is told from the others."""
    frame = pa.ipc.open_stream(table).read_all().to_pandas(types_mapper=pd.ArrowDtype)
    words = {
        name: partial(_words, name) for name in frame.columns if units.kind(name) not in ("name", "day", "hour", "at")
    }
    style = frame.style.format(words, na_rep=UNKNOWN)
    if bold is not None:
        style = style.apply(lambda _: ["font-weight: 700"] * len(frame.columns), axis=1, subset=([bold], frame.columns))
    style.set_uuid("worded")
    return style


def _put(proto: ArrowData, style: Styler, uuid: str) -> None:
    """Put a styled table into a message as it was put there the first time: wording it is most of a page's work."""
    if not hasattr(style, "put_before"):
        style.put_before = ArrowData()
        marshall_styler(style.put_before, style, uuid)
    proto.CopyFrom(style.put_before)


# Streamlit would word every cell anew for every reader and every click, and offers no place to keep the words.
vars(arrow)["marshall_styler"] = _put


def _words(name: str, value: Any) -> str:
    if name in _PLAIN_NUMBERS:
        return f"{int(value)}"
    return units.text(
        name, Decimal(repr(value)) if isinstance(value, float) and units.kind(name) in ("usd", "currency") else value
    )


def _config(name: str, note: str | None, zone: str, worded: bool) -> Any:
    heading = units.label(name)
    match units.kind(name):
        case "name":
            return st.column_config.TextColumn(heading, help=note)
        case "day":
            return st.column_config.DateColumn(heading, help=note, format="D MMM YYYY")
        case "hour":
            return st.column_config.DatetimeColumn(heading, help=note, format="D MMM YYYY, HH:mm")
        case "at":
            return st.column_config.DatetimeColumn(f"{heading} ({zone})", help=note, format="D MMM YYYY, HH:mm")
        case "rate" if name == "cost_share_rate":
            return st.column_config.ProgressColumn(
                heading, help=note, format="percent", min_value=0, max_value=1, color="primary"
            )
    return st.column_config.NumberColumn(heading, help=note, format=None if worded else _number_format(name))


def _number_format(name: str) -> str:
    formats = {
        "usd": "$%,.2f",
        "currency": "%,.2f",
        "rate": "percent",
        "tokens": "compact",
        "bytes": "bytes",
        "ratio": "%.2f",
    }
    return formats.get(units.kind(name), "localized")

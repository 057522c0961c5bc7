"""The engine that reads: DuckDB connections that keep their questions prepared, each lent to one thread at a time.

Planning a question takes far longer than answering it for a small log, so no connection plans one twice. For that a
question may hold nothing that changes: what it reads and what it was told come in tables that are handed over anew.
"""

import atexit
import contextlib
import threading
import warnings
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import duckdb
import pyarrow as pa

# The rows of a prepared question come by way of a copy. It costs a hundredth of planning the question anew.
warnings.filterwarnings("ignore", "Arrow output on a DB-API result makes an extra copy")

# The first turns each list of words that a column is compared with into a join, the second would have a record parsed
# once for every field that a format's WHERE clause looks at. Both cost more than the reading.
DISABLED_OPTIMIZERS = "in_clause,filter_pushdown"


class _Given:
    """A table that questions know by name, and whose rows are others each time."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


class Engine:
    """One connection of one core. Not to be shared between threads at the same time."""

    def __init__(self, zone: str) -> None:
        """`zone`: where times that name no zone were written."""
        self._con = duckdb.connect()
        self._con.execute("set threads = 1")
        self._con.execute(f"set timezone = '{zone}'")
        self._con.execute(f"set disabled_optimizers = '{DISABLED_OPTIMIZERS}'")
        self._con.execute(files("ingest").joinpath("macros.sql").read_text(encoding="utf-8"))
        self._given: dict[str, _Given] = {}
        self._prepared: dict[str, str] = {}

    def ask(self, question: str, given: Mapping[str, pa.Table], variables: Mapping[str, tuple[str, Any]]) -> pa.Table:
        """The answer to a SELECT over the tables in `given`, each always of the same columns.

        `variables`, by name the DuckDB type and the value, are for what few questions read: those are planned anew.
        Raises `duckdb.Error`.
        """
        for name, table in given.items():
            if name not in self._given:
                self._given[name] = _Given(table)
                self._con.register(name, self._given[name])
            self._given[name].table = table
        for name, (kind, value) in variables.items():
            self._con.execute(f"set variable {name} = $value::{kind}", {"value": value})
        if question not in self._prepared:
            self._con.execute(f"prepare question_{len(self._prepared)} as {question}")
            self._prepared[question] = f"question_{len(self._prepared)}"
        try:
            answer: pa.Table = self._con.execute(f"execute {self._prepared[question]}").to_arrow_table()
            return answer
        except UnicodeDecodeError as error:  # DuckDB quotes the text that it fails on, and cuts it anywhere
            raise duckdb.DataError("a value that cannot be read") from error
        finally:
            for name in given:
                self._given[name].table = given[name].slice(0, 0)


_idle: dict[str, list[Engine]] = {}
_lock = threading.Lock()
atexit.register(_idle.clear)  # DuckDB complains of connections that outlive the interpreter


@contextlib.contextmanager
def engine(zone: str) -> Iterator[Engine]:
    """An engine for the length of the block: one that has been used before, where one is idle."""
    with _lock:
        idle = _idle.setdefault(zone, [])
        lent = idle.pop() if idle else None
    lent = lent or Engine(zone)
    try:
        yield lent
    except (duckdb.FatalException, duckdb.InternalException):
        lent = None  # it may not answer any more
        raise
    finally:
        if lent:
            with _lock:
                idle.append(lent)

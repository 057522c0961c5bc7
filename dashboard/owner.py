"""Who owns a home's store, and how to reach it: in this process, or in the server that has it open.

The DuckDB file belongs to one process at a time. `reach` gives this one the file if it is free and otherwise speaks to
its owner over loopback; both answer the same questions.
"""

import contextlib
import json
import math
import secrets
import threading
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import queries
from dashboard.ask import sql as ask_sql
from dashboard.watch import Watch
from ingest import retained, store
from ingest.bill import kept as bills
from ingest.load import Loader
from ingest.spool import Spool
from queries import contract

PATIENCE_SECONDS = 20.0

# What one question of a person may take of the machine.
MOST_ROWS = 1_000_000
MOST_SECONDS = 60.0
MOST_BYTES = 2 << 30
_BATCH_ROWS = 50_000

Report = dict[str, Any]


class QueryRefused(Exception):
    """SQL that is not answered. The message says why."""


class HomeBusy(Exception):
    """The store is in the hands of a process that cannot be asked, or cannot be made. The message says what to do."""


class Owner:
    """This process owns the store: it folds what has landed, and answers."""

    def __init__(self, home: Path) -> None:
        """Raises `ingest.store.StoreBusy` while another process owns it, `ingest.retained.SumsDamaged`."""
        self.home = home
        self._connection = duckdb.connect(":memory:")
        run = self._connection.execute
        spill = str(home / ".spill").replace("'", "''")
        run(f"set temp_directory = '{spill}'")  # not the folder it happens to be started in, which may be read-only
        store.open_store(self._connection, home)
        prices = contract.read(home)
        queries.create_views(self._connection, prices)
        # Sums of a large store that has none yet would take all memory there is; with less they take little longer.
        run("set memory_limit = '1GB'")
        queries.keep(self._connection)
        run("reset memory_limit")
        # From here on SQL reaches nothing but the store and the archive: no other file, no network, no Python variable.
        archive = str(home / "archive").replace("'", "''")
        run(f"set allowed_directories = ['{archive}/']")
        run("set enable_external_access = false")
        run("set python_enable_replacements = false")
        run("set autoinstall_known_extensions = false")
        run("set autoload_known_extensions = false")
        run("set lock_configuration = true")
        with contextlib.suppress(OSError):  # without room for it, it stays where it is, on disk
            Spool(home).land()  # what a receiver that was killed had acknowledged
        self._folding = threading.Lock()
        self.folds, self.fold_seconds = 0, 0.0  # of those that found something
        self._folded_at_change: list[int] = []
        self._contract = prices

    def close(self) -> None:
        """Let go of the store."""
        self._connection.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of one's own to the same data."""
        return self._connection.cursor()

    def fold(self) -> list[str]:
        """Fold what has landed; the ids of the loads."""
        with self._folding, self.cursor() as cursor:
            bills.fold(cursor, self.home)
            began = time.monotonic()
            folded = store.fold(cursor, self.home, queries.Changes)
            if folded:
                self.folds, self.fold_seconds = self.folds + 1, self.fold_seconds + time.monotonic() - began
            return folded

    def fold_if_changed(self) -> None:
        """Fold, unless nothing has landed since the last time; and take in agreed prices that were edited."""
        self.agree()
        folders = [self.home / "archive", self.home / "bills"]
        changed = [folder.stat().st_mtime_ns if folder.exists() else -1 for folder in folders]
        if changed != self._folded_at_change:
            self.fold()
            self._folded_at_change = changed

    def agree(self) -> None:
        """Price by the agreed prices as their file has them now."""
        prices = contract.read(self.home)
        if prices != self._contract:
            with self._folding:
                queries.agree(self._connection, prices)
                queries.keep(self._connection)
                self._contract = prices

    def reports(self, load_ids: list[str]) -> list[Report]:
        """What became of these loads, folding them first if need be; one that cannot be folded has an `error`."""
        self.fold()
        with self.cursor() as cursor:
            ledger = store.ledger(cursor, load_ids)
            set_aside = store.set_aside(cursor, load_ids)
            refusals = _grouped(
                cursor, "select load_id, reason, count(*), min(source_line) from store.refusals", load_ids
            )
            unpriced = _grouped(
                cursor,
                "select load_id, coalesce(model_raw, 'no model'), count(*), null from facts.attempts",
                load_ids,
                "and not is_priced",
            )
        return [
            asdict(ledger[load_id])
            | {
                "refusals": [
                    {"reason": reason, "records": n, "line": line} for reason, n, line in refusals.get(load_id, [])
                ],
                "unpriced_models": [{"model": model, "attempts": n} for model, n, _ in unpriced.get(load_id, [])],
            }
            for load_id in load_ids
            if load_id in ledger
        ] + [
            {"load_id": load_id, "error": f"it is safe in the archive but could not be folded ({reason}); see Data"}
            for load_id, reason in set_aside.items()
        ]

    def query(self, sql: str) -> pa.Table:
        """The answer to one SELECT of our own, read-only. Raises QueryRefused."""
        with self.cursor() as cursor:
            return _selected(cursor, sql)

    def answer(self, sql: str) -> pa.Table:
        """The answer to one SELECT that a person wrote, read-only and within limits. Raises QueryRefused."""
        with self.cursor() as cursor, Watch(cursor, MOST_SECONDS, MOST_BYTES) as watch:
            try:
                return _selected(cursor, sql, MOST_ROWS, MOST_BYTES)
            except duckdb.InterruptException as error:
                raise QueryRefused(f"{watch.why}; ask for less, such as fewer days") from error

    def ask(self, sql: str) -> ask_sql.Selected:
        """The answer to SQL that somebody else wrote, within limits. Raises `sql.Refused`."""
        with self.cursor() as cursor:
            return ask_sql.run(cursor, sql)

    def take_in(self, log: Path, begin: int) -> None:
        """Load what was written to a log from this byte on."""
        self.reports(_landed(self.home, log, begin))

    def read(self, metric: str, filters: queries.Filters) -> pa.Table:
        """The rows of one metric view under these filters."""
        with self.cursor() as cursor:
            return queries.read(cursor, metric, filters)


def wrong_sums(owner: "Owner | RemoteOwner") -> list[tuple[str, int]]:
    """Of what the store keeps beside the attempts: how many rows are not what these say."""
    return [(view.path, owner.query(queries.proof(view))[0][0].as_py()) for view in queries.kept()]


class RemoteOwner:
    """A running server owns the store; it is asked over loopback."""

    def __init__(self, address: "Address", home: Path) -> None:
        """`address` as the server has written it down below `home`."""
        self._address, self.home = address, home

    def close(self) -> None:
        """Nothing to let go of."""

    def reports(self, load_ids: list[str]) -> list[Report]:
        """What became of these loads, once the server has folded them."""
        reports: list[Report] = json.loads(self._ask("/api/loads", json.dumps(load_ids).encode()))
        return reports

    def query(self, sql: str) -> pa.Table:
        """The answer to one SELECT, read-only and within limits, whoever wrote it. Raises QueryRefused."""
        with pa.ipc.open_stream(self._ask("/api/query", sql.encode())) as reader:
            return reader.read_all()

    answer = query

    def ask(self, sql: str) -> ask_sql.Selected:
        """The answer to SQL that somebody else wrote, within limits. Raises `sql.Refused`."""
        with pa.ipc.open_stream(self._ask("/api/ask", sql.encode())) as reader:
            table = reader.read_all()
        told = {name.decode(): value.decode() for name, value in (table.schema.metadata or {}).items()}
        if "refusal" in told:
            raise ask_sql.Refused(told["refusal"], told["detail"])
        return ask_sql.Selected(table, told["is_cut"] == "True")

    def take_in(self, log: Path, begin: int) -> None:
        """Load what was written to a log from this byte on."""
        self.reports(_landed(self.home, log, begin))

    def read(self, metric: str, filters: queries.Filters) -> pa.Table:
        """The rows of one metric view under these filters."""
        question = json.dumps({"metric": metric, "filters": asdict(filters)}, default=plain).encode()
        with pa.ipc.open_stream(self._ask("/api/read", question)) as reader:
            return reader.read_all()

    def _ask(self, path: str, body: bytes) -> bytes:
        request = urllib.request.Request(
            self._address.url + path, data=body, headers={"Authorization": f"Bearer {self._address.token}"}
        )
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=600) as response:
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            message = error.read().decode(errors="replace")
            if error.code == 400:
                raise QueryRefused(message) from error
            raise HomeBusy(f"the server at {self._address.url} answered {error.code}; see its log") from error
        except (urllib.error.URLError, OSError) as error:
            raise HomeBusy(f"the server at {self._address.url} does not answer ({error})") from error


@dataclass(frozen=True)
class Address:
    """Where a server listens, and the word that its own user's command line says to it."""

    url: str
    token: str

    @staticmethod
    def new(url: str) -> "Address":
        """An address with a fresh token."""
        return Address(url, secrets.token_urlsafe(32))

    @staticmethod
    def of(home: Path) -> "Address | None":
        """The address of the server that has this home open; None without one."""
        try:
            return Address(**json.loads((home / "server.json").read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, home: Path) -> None:
        """Write it down for this user's eyes only."""
        path = home / "server.json"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def reach(home: Path) -> Owner | RemoteOwner:
    """The owner of a home's store: this process if nobody else is, else the server that is.

    Raises HomeBusy when another process keeps the store for itself for longer than a command line would, or when it
    cannot be made.
    """
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return Owner(home)
        except retained.SumsDamaged as error:
            raise HomeBusy(str(error)) from error
        except store.StoreBusy as error:
            if address := Address.of(home):
                remote = RemoteOwner(address, home)
                try:
                    remote.query("select 1")
                    return remote
                except HomeBusy:
                    pass
            if time.monotonic() > give_up_at:
                raise HomeBusy(
                    f"{error}, and no Outlay server answers for it; wait for it to end, or stop it"
                ) from error
            time.sleep(0.1)


def _selected(
    cursor: duckdb.DuckDBPyConnection, sql: str, most_rows: float = math.inf, most_bytes: float = math.inf
) -> pa.Table:
    """The answer to one SELECT; QueryRefused for anything else, and as soon as it is larger than it may be."""
    try:
        statements = cursor.extract_statements(sql)
        if len(statements) != 1 or statements[0].type not in (
            duckdb.StatementType.SELECT,
            duckdb.StatementType.EXPLAIN,
        ):
            raise QueryRefused("one SELECT at a time: Outlay answers questions, it does not change what it stores")
        cursor.execute("begin transaction read only")
        try:
            with cursor.sql(sql).to_arrow_reader(_BATCH_ROWS) as reader:
                batches, rows, held = [], 0, 0
                for batch in reader:
                    batches.append(batch)
                    rows, held = rows + batch.num_rows, held + batch.nbytes
                    if rows > most_rows or held > most_bytes:
                        raise QueryRefused(
                            f"its answer has more than {most_rows:,} rows, or {most_bytes / 1e9:.0f} GB; sum it up, or "
                            "add a limit"
                        )
                return pa.Table.from_batches(batches, reader.schema)
        finally:
            cursor.execute("rollback")
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise QueryRefused(str(error)) from error


def _landed(home: Path, log: Path, begin: int) -> list[str]:
    """The loads that a log makes from this byte on, on disk and not yet folded."""
    with log.open("rb") as source:
        source.seek(begin)
        return [outcome.landed.load_id for outcome in Loader(home).load_stream(source, log.name)]


def filters_from(told: dict[str, Any]) -> queries.Filters:
    """Filters as they were before they were told as JSON. Raises ValueError or TypeError for anything else."""
    days = {name: told[name] and _day_or_moment(told[name]) for name in ("since", "until")}
    lists = {name: tuple(value) for name, value in told.items() if isinstance(value, list)}
    return queries.Filters(**{**told, **days, **lists})


def _day_or_moment(told: str) -> date:
    return datetime.fromisoformat(told) if "T" in told else date.fromisoformat(told)


def _grouped(
    cursor: duckdb.DuckDBPyConnection, select: str, load_ids: list[str], condition: str = ""
) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of (load_id, what, count, first line), the most frequent first, by load."""
    rows = cursor.execute(
        f"{select} where load_id in (select unnest($ids)) {condition} group by 1, 2 order by 3 desc, 2",
        {"ids": load_ids},
    ).fetchall()
    grouped: dict[str, list[tuple[Any, ...]]] = {}
    for load_id, *rest in rows:
        grouped.setdefault(load_id, []).append(tuple(rest))
    return grouped


def plain(value: object) -> Any:
    """A value as JSON can say it: money keeps every digit as text, times are ISO 8601 in UTC."""
    if isinstance(value, Decimal):
        return int(value) if value.as_tuple().exponent == 0 else f"{value:f}"
    return value.isoformat() if hasattr(value, "isoformat") else value

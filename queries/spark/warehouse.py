"""The views on a Spark cluster: the same .sql files, over Parquet files that every worker can read.

Three things differ, and all are here: the words of macros.sql are functions (functions.sql), the one view that unfolds
a list has a spelling of its own (unfolded_iterations.sql), and Spark puts no quotes around the unit of date_diff.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from queries.catalog import FOLDER, View, catalogue
from queries.spark.handover import SCHEMAS, made

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

HERE = FOLDER / "spark"
_UNIT = re.compile(r"\bdate_diff\('(\w+)'")
LAYERS = ("base", "rollups", "facts")  # those below the filters: a cluster adds up all there is
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
}


def connect(master: str, settings: dict[str, str] | None = None) -> SparkSession:
    """A session on a cluster: `spark://host:7077`, `sc://host` (Spark Connect), `local[2]`, `yarn`.

    `settings` are Spark's own, such as spark.executor.memory.

    Raises ModuleNotFoundError without pyspark, which the extra `spark` brings.
    """
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("outlay")
    session = builder.remote(master) if master.startswith("sc://") else builder.master(master)
    for name, value in ((settings or {}) | SETTINGS).items():
        session = session.config(name, value)
    return session.getOrCreate()


def create_views(spark: SparkSession, folder: Path) -> None:
    """Create lists and views over what `handover.give` wrote below `folder`, which every worker can read."""
    for schema in (*SCHEMAS, *LAYERS):
        spark.sql(f"drop database if exists {schema} cascade")
        spark.sql(f"create database {schema}")
    for function in _statements((HERE / "functions.sql").read_text()):
        spark.sql(function.replace("create function", "create or replace function", 1))
    for view in catalogue():
        for table in re.findall(r"\b(?:store|lists)\.\w+", view.sql) if view.layer in LAYERS else ():
            spark.sql(f"create table if not exists {table} using parquet location '{folder}/given/{table}'")
    for view in catalogue():
        if view.layer in LAYERS:
            if view.is_stored:
                spark.sql(spelled(view)).coalesce(1).write.mode("overwrite").parquet(str(made(folder, view)))
                spark.sql(f"create table {view.path} using parquet location '{made(folder, view)}'")
            else:
                spark.sql(f"create view {view.path} as\n{spelled(view)}")


def make(spark: SparkSession, view: View, folder: Path) -> None:
    """Write the rows of a view below `folder`, in place of what was there. Those of stored views lie there already."""
    if not view.is_stored:
        spark.table(view.path).write.mode("overwrite").parquet(str(made(folder, view)))


def spelled(view: View) -> str:
    """The SELECT of a view as Spark spells it."""
    own = HERE / f"{view.name}.sql"
    sql = own.read_text() if view.layer == "base" and own.exists() else view.sql
    return _UNIT.sub(r"date_diff(\1", sql)


def _statements(text: str) -> list[str]:
    return [
        statement.strip()
        for statement in re.sub(r"^--.*\n", "", text, flags=re.MULTILINE).split(";")
        if statement.strip()
    ]

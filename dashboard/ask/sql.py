"""SQL that somebody else wrote, run as if by a stranger: one SELECT over the documented views, within limits.

The statement is parsed before anything of it runs, and everything it names has to be on a list: the views that the
prompt documents, plain functions, two functions that count. So it reaches no file, no setting, no variable and no
stored table, whatever it says. What it may use of the machine is bounded by a clock and by a look at the memory.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from dashboard.watch import Watch
from queries import View, catalogue

MOST_ROWS = 1_000
MOST_SECONDS = 10.0
MOST_BYTES = 1 << 30  # that the engine may take while it answers
LONGEST_SQL = 8_000
MOST_GROWING = 8  # each of them can double a text

ALONE = ("price_list", "totals", "truncation_ceilings", "unpriced_models")
_FAMILY = re.compile(r"(cache|headroom|latency|reliability|truncation)(_by_[a-z]+)?")

_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"}
_TABLES = {"BASE_TABLE", "JOIN", "SUBQUERY", "EXPRESSION_LIST", "EMPTY"}
_COUNTING = {"range", "generate_series", "unnest"}
_FUNCTION_NAMES = """
    abs age any_value approx_count_distinct approx_quantile arg_max arg_min array_agg avg bool_and bool_or bucket
    cast ceil ceiling century coalesce concat concat_ws contains corr count count_if count_star countif covar_pop
    covar_samp cume_dist current_date current_timestamp current_localtime current_localtimestamp date_add date_diff
    date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear decade
    dense_rank ends_with entropy epoch epoch_ms epoch_us era exp extract favg first first_value floor fmod fsum
    get_current_timestamp greatest group_concat grouping grouping_id hash histogram hour if ifnull ilike_escape in
    instr is_histogram_other_bin isfinite isinf isnan isodow isoyear json_array_length json_exists json_extract
    json_extract_string json_keys json_type kurtosis lag last last_day last_value lcase lead least left len length
    like_escape list list_aggregate list_any_value list_avg list_contains list_count list_distinct list_extract
    list_max list_min list_position list_sort list_sum list_unique list_value ln log log10 log2 lower ltrim mad
    make_date make_timestamp max max_by mean median microsecond min min_by minute mod mode month monthname multiply
    not_ilike_escape not_like_escape now nth_value ntile nullif percent_rank percentile_cont percentile_disc pow power
    prefix product quantile quantile_cont quantile_disc quarter rank regexp_extract regexp_full_match regexp_matches
    regr_intercept regr_r2 regr_slope reverse right round row row_number rtrim second sem sign skewness
    split_part sqrt starts_with stddev stddev_pop stddev_samp stem strftime string_agg string_split strip_accents
    strpos strptime struct_extract struct_pack substr substring substring_grapheme subtract sum sum_no_overflow suffix
    time_bucket timezone timezone_hour to_days to_hours to_milliseconds to_minutes to_months to_seconds to_timestamp
    to_weeks to_years today trim trunc try try_cast try_strptime ucase unnest upper var_pop var_samp variance week
    weekday weekofyear width_bucket wilson_high wilson_low year yearweek
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
_GROWING = frozenset({"||", "concat", "concat_ws", "list", "array_agg", "string_agg", "group_concat"})
# Said before anything is read, so they can quote nothing but the statement and the names of columns.
_BEFORE_READING = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.SyntaxException)


class Refused(Exception):
    """SQL that is not run, or was stopped. The message says why and holds nothing of the data.

    `detail` may quote the data: for the eyes of whoever asked, not for anybody else.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail or message


@dataclass(frozen=True)
class Selected:
    """The rows of an answer, at most MOST_ROWS; `is_cut`: there were more."""

    table: pa.Table
    is_cut: bool


@cache
def documented() -> dict[str, View]:
    """The views that may be asked, by their path: the facts, and the metrics that read well without a filter."""
    return {
        view.path: view
        for view in catalogue()
        if view.path in ("facts.attempts", "facts.calls")
        or (view.layer == "metrics" and (view.name in ALONE or _FAMILY.fullmatch(view.name)))
    }


def run(cursor: duckdb.DuckDBPyConnection, sql: str) -> Selected:
    """The answer to one SELECT over the documented views, read-only. Raises Refused.

    Rows, seconds and bytes are bounded by MOST_ROWS, MOST_SECONDS and MOST_BYTES. `cursor` is used by nobody else.
    """
    sql = sql.strip().rstrip(";").rstrip()
    check(cursor, sql)
    with Watch(cursor, MOST_SECONDS, MOST_BYTES) as watch:
        try:
            cursor.execute("begin transaction read only")
            try:
                table = cursor.sql(f"from (\n{sql}\n) limit {MOST_ROWS + 1}").to_arrow_table()
            finally:
                cursor.execute("rollback")
        except duckdb.InterruptException as error:
            raise Refused(watch.why) from error
        except _BEFORE_READING as error:
            raise Refused(_first_line(error)) from error
        except duckdb.Error as error:
            kind = type(error).__name__.removesuffix("Exception")
            raise Refused(f"it failed while reading the rows: {kind}", _first_line(error)) from error
        except pa.ArrowException as error:
            raise Refused("its answer is larger than a table can hold") from error
    return Selected(table.slice(0, MOST_ROWS), table.num_rows > MOST_ROWS)


def check(cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raises Refused unless the text is one SELECT that names nothing but what is on the lists. Runs nothing of it."""
    if len(sql) > LONGEST_SQL:
        raise Refused(f"it is longer than {LONGEST_SQL:,} characters")
    try:
        [[said]] = cursor.execute("select json_serialize_sql($sql)", {"sql": sql}).fetchall()
    except duckdb.Error as error:
        raise Refused(_first_line(error)) from error
    parsed = json.loads(said)
    if parsed["error"]:
        is_other = parsed["error_type"] == "not implemented"
        raise Refused("only a SELECT is run" if is_other else str(parsed["error_message"]).partition("\n")[0])
    if len(parsed["statements"]) != 1:
        raise Refused("only one statement is run")
    nodes = list(_nodes(parsed["statements"][0]))
    named = {entry["key"].lower() for node in nodes if "cte_map" in node for entry in node["cte_map"]["map"]}
    if hidden := sorted(name for name in named if name.startswith(("duckdb_", "pg_", "sqlite_", "pragma_"))):
        raise Refused(f"a WITH may not be called {hidden[0]}")
    for node in nodes:
        _check_node(node, named)
    if sum(_function(node) in _GROWING for node in nodes) > MOST_GROWING:
        raise Refused(f"it puts texts together more than {MOST_GROWING} times")


def _check_node(node: dict[str, Any], named: set[str]) -> None:
    kind = node.get("type")
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _NODES:
        raise Refused("WITH RECURSIVE is not run" if "RECURSIVE" in kind else "only a SELECT is run")
    if kind == "TABLE_FUNCTION":
        if (name := _function(node["function"])) not in _COUNTING:
            raise Refused(f"the table function {name} is not on the list")
    elif "sample" in node and not str(kind).endswith("_NODE") and kind not in _TABLES:
        raise Refused(f"a table made by {str(kind).replace('_', ' ').lower()} is not on the list")
    if kind == "BASE_TABLE":
        path = ".".join(part for part in node["qualified_name"]["path"] if part)
        if path.lower() not in documented() and path.lower() not in named:
            raise Refused(f"{path} is not one of the documented views")
    elif (name := _function(node)) is not None and name not in _FUNCTIONS and re.match(r"\w", name):
        raise Refused(f"the function {name} is not on the list")


def _function(node: dict[str, Any]) -> str | None:
    name = node.get("function_name")
    return name.lower() if isinstance(name, str) else None


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    """Every object of a parsed statement, but the functions of FROM: those are judged where they stand."""
    if isinstance(part, dict):
        yield part
        inner = part
        if part.get("type") == "TABLE_FUNCTION":
            inner = {**part, "function": part["function"].get("arguments")}
        for value in inner.values():
            yield from _nodes(value)
    elif isinstance(part, list):
        for value in part:
            yield from _nodes(value)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:500]

"""A mapping reads a table that no format claims, and says what it cannot read."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from ingest import mappings
from ingest.mapping import BadMapping, Mapping, parse, suggest
from queries import create_views
from tests.ingest.loading import attempts, counts, load, opened, refusals

COLUMNS = ["When", "LLM", "In", "Cached", "Written", "Out", "Took (s)", "Price", "For"]
ROWS = [
    ["22/11/2026 10:00", "claude-opus-5-5", "9340", "9000", "300", "120", "2.5", "12.5", "search"],
    ["22/11/2026 10:01", "claude-opus-5-5", "100", "", "", "7", "0.25", "0.003", "chat; or not"],
]
MAPPING = Mapping(
    "usage",
    {
        "started_at": "When", "model_raw": "LLM", "uncached_input_tokens": "In", "cache_read_tokens": "Cached",
        "cache_write_tokens": "Written", "output_tokens": "Out", "latency_ms": "Took (s)", "cost_reported_usd": "Price",
        "feature": "For",
    },
    input_includes_cache=True, latency_unit="s", cost_unit="cents", time_format="%d/%m/%Y %H:%M",
    time_zone="Europe/Berlin",
)  # fmt: skip


def table(rows=ROWS, columns=COLUMNS, delimiter=";"):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([columns, *rows])
    return out.getvalue()


def test_a_mapping_says_units_zone_and_counting(home):
    [line] = load(home, table(), "usage.csv", mapping=MAPPING)
    assert counts(line) == (2, 2, 0, 0, 0), refusals(home)
    first, second = attempts(home)
    assert str(first["started_at"]) == "2026-11-22 09:00:00"  # ten o'clock in Berlin, in winter
    assert first["uncached_input_tokens"] == 9340 - 9000 - 300
    assert (first["cache_read_tokens"], first["cache_write_unknown_ttl_tokens"], first["output_tokens"]) == (
        9000,
        300,
        120,
    )
    assert (first["latency_ms"], first["cost_reported_usd"]) == (2.5 * 1000, Decimal("0.125"))
    assert (second["uncached_input_tokens"], second["feature"]) == (100, "chat; or not")
    assert "cache_read_tokens" not in second
    assert first["source_format"] == "mapping usage"


@pytest.mark.parametrize("mapped_first", [False, True])
def test_lines_that_a_mapping_takes_are_no_longer_counted_as_refused(home, mapped_first):
    """Whether they were refused before the mapping was given, or after. Another log of the same name still counts."""
    for mapping in (MAPPING, None) if mapped_first else (None, MAPPING):
        load(home, table(), "usage.csv", mapping=mapping)
    load(home, table(ROWS[:1]), "usage.csv")
    with opened(home) as con:
        create_views(con)
        loads = con.execute("from base.loads select read_records, refused_records order by 1")
        assert loads.fetchall() == [(1, 1), (2, 0)]
        assert con.execute("from metrics.freshness select loads, refused_records").fetchall() == [(2, 1)]
        assert con.execute("from metrics.refusals select source_line").fetchall() == [(2,)]
        assert con.execute("from metrics.superseded_loads select source_name, refused_records").fetchall() == [
            ("usage.csv", 2)
        ]
        assert con.execute("select count(*) from store.refusals").fetchall() == [(3,)]  # and every line is kept


def test_input_below_the_cache_it_should_include_is_refused(home):
    [line] = load(
        home, table([["22/11/2026 10:00", "claude-opus-5-5", "40", "9000", "", "1", "1", "", ""]]), mapping=MAPPING
    )
    assert counts(line) == (1, 0, 0, 0, 1)
    assert "counts in another way" in refusals(home)[0][1]


def test_exclusive_input_is_taken_as_it_is(home):
    exclusive = replace(MAPPING, input_includes_cache=False)
    load(home, table([["22/11/2026 10:00", "claude-opus-5-5", "40", "9000", "", "1", "1", "", ""]]), mapping=exclusive)
    [attempt] = attempts(home)
    assert (attempt["uncached_input_tokens"], attempt["cache_read_tokens"]) == (40, 9000)


def test_a_saved_mapping_is_used_where_no_format_claims_and_it_alone_fits(home):
    [line] = load(home, table(), "usage.csv")
    assert counts(line) == (2, 0, 0, 0, 2)
    mappings.save(home, MAPPING)
    [line] = load(home, table(), "usage.csv")
    assert counts(line) == (2, 2, 0, 0, 0), "the same bytes with another mapping are another load"
    assert any("usage" in note for note in line.notes)
    mappings.save(home, replace(MAPPING, name="other", latency_unit="ms"))
    [line] = load(home, table() + "\n", "usage.csv")
    assert line.refused_records == 2 and any("usage" in note and "--mapping" in note for note in line.notes)


def test_a_saved_mapping_leaves_the_formats_their_records(home):
    record = {
        "timestamp": "2026-11-22T10:00:00Z",
        "request_id": "req_1",
        "model": "m",
        "input_tokens": 1,
        "output_tokens": 2,
    }
    [before] = load(home, json.dumps(record))
    mappings.save(home, Mapping("all", {"model_raw": "model", "output_tokens": "output_tokens"}))
    [after] = load(home, json.dumps(record))
    assert before.load_id == after.load_id and after.formats == ["app_log"]


def test_values_inside_objects_are_named_by_their_path(home):
    mapping = Mapping("nested", {"started_at": "at", "model_raw": "/call/llm", "output_tokens": "/call/out/n"})
    load(home, json.dumps({"at": 1795341600, "call": {"llm": "claude-opus-5-5", "out": {"n": 5}}}), mapping=mapping)
    [attempt] = attempts(home)
    assert (attempt["model_raw"], attempt["output_tokens"]) == ("claude-opus-5-5", 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "a"\n[columns]\nmodell = "m"', "there is no field 'modell'"),
        ('name = "a"\n[columns]\nmodel_raw = "m"', "no column for uncached_input_tokens or output_tokens"),
        (
            'name = "a"\nlatency = "s"\n[columns]\nmodel_raw = "m"\noutput_tokens = "o"',
            "no setting is called 'latency'",
        ),
        ('name = "a b"\n[columns]\nmodel_raw = "m"\noutput_tokens = "o"', "letters, digits"),
        ('name = "a"\ntime_zone = "Mars"\n[columns]\nmodel_raw = "m"\noutput_tokens = "o"', "Europe/Berlin"),
        ('name = "a"\ntime_format = "dd/mm"\n[columns]\nmodel_raw = "m"\noutput_tokens = "o"', "time_format"),
        ('{"name": "a", "latency_unit": "min", "columns": {"model_raw": "m", "output_tokens": "o"}}', "ms or s"),
        ("[[", "neither TOML nor JSON"),
    ],
)
def test_a_mapping_that_cannot_work_says_why(text, said):
    with pytest.raises(BadMapping, match=said):
        parse(text)


def test_what_is_saved_comes_back_and_goes(home, tmp_path):
    assert mappings.saved(home) == [] and not mappings.remove(home, "usage")
    mappings.save(home, MAPPING)
    assert mappings.saved(home) == [MAPPING] == [mappings.named(home, "usage")]
    path = tmp_path / "file.json"
    path.write_text(replace(MAPPING, name="file").content)
    assert mappings.named(home, str(path)).name == "file"
    assert mappings.remove(home, "usage") and mappings.saved(home) == []
    with pytest.raises(BadMapping, match="none is saved yet"):
        mappings.named(home, "usage")


def test_the_names_of_columns_suggest_a_mapping(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Timestamp,Model,Prompt Tokens,Completion Tokens,Latency (s),Cost (cents),Text\n"
                    "2026-11-22T10:00:00Z,claude-opus-5-5,5,6,1.5,2,Hello CANARY 7\n")  # fmt: skip
    assert mappings.columns_of(path)[:2] == ["Timestamp", "Model"]
    shown = mappings.samples_of(path)
    assert shown["Model"] == ["claude-opus-5-5"] and shown["Text"] == ["xxxxx xxxxxx 0"]
    guess = suggest(mappings.columns_of(path))
    assert guess["columns"] == {"started_at": "Timestamp", "model_raw": "Model",
                                "uncached_input_tokens": "Prompt Tokens", "output_tokens": "Completion Tokens",
                                "latency_ms": "Latency (s)", "cost_reported_usd": "Cost (cents)"}  # fmt: skip
    assert (guess["latency_unit"], guess["cost_unit"]) == ("s", "cents") and "input_includes_cache" not in guess
    Mapping(**guess)


def test_a_preview_reads_and_stores_nothing(home, tmp_path):
    path = tmp_path / "usage.csv"
    path.write_text(table([*ROWS, ["22/11/2026 10:02", "claude-opus-5-5", "x", "", "", "1", "1", "", ""]]))
    seen = mappings.preview(path, replace(MAPPING, columns={**MAPPING.columns, "team": "Squad"}))
    assert seen.missing == ["Squad"]
    assert [attempt["source_line"] for attempt in seen.attempts] == [2, 3]
    assert [(refusal.line, refusal.reason) for refusal in seen.refusals] == [(4, "input_tokens is not a whole number")]
    assert not home.exists()

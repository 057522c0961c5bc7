"""The same views on a real Spark cluster: every row, exactly, also when a worker dies at work."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from datetime import datetime, timedelta

import pytest
from attempts import an_attempt, an_iteration, empty_store, fill

from queries import catalogue, create_views, keep, proof
from queries.rollups import rollups
from queries.spark import handover, warehouse

MODELS = ["claude-opus-5-5", "claude-haiku-5-5", "us.anthropic.claude-sonnet-5-5", "claude-2.1", "unheard-of", None]
QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
VIEWS = [view for view in catalogue() if view.layer in warehouse.LAYERS]


def some_attempts(count):
    """Attempts of every kind, with what is unknown left open; the same at every run."""
    pick = random.Random(8)
    for number in range(count):
        tokens = [pick.choice([None, 0, pick.randrange(250_000)]) for _ in range(6)]
        yield an_attempt(
            attempt_id=f"attempt-{number}",
            started_at=datetime(2026, 3, 1) + timedelta(microseconds=pick.randrange(240 * 24 * 3600 * 10**6)),
            model_raw=pick.choice(MODELS),
            uncached_input_tokens=tokens[0],
            cache_read_tokens=tokens[1],
            cache_write_5m_tokens=tokens[2],
            cache_write_1h_tokens=tokens[3],
            cache_write_unknown_ttl_tokens=tokens[4],
            output_tokens=tokens[5],
            web_search_requests=pick.choice([None, 0, 3]),
            iterations=[an_iteration(model_raw=pick.choice(MODELS)) for _ in range(2)] if number % 40 == 0 else None,
            platform=pick.choice([None, "anthropic", "bedrock", "vertex"]),
            service_tier=pick.choice([None, "standard", "batch"]),
            speed=pick.choice([None, "standard", "fast"]),
            inference_geo=pick.choice([None, "global", "us"]),
            stop_reason=pick.choice([None, "end_turn", "max_tokens", "refusal"]),
            max_tokens=pick.choice([None, 0, 4096]),
            http_status=pick.choice([None, 200, 200, 429, 529]),
            feature=pick.choice([None, "o'brien", "évaluation"]),
            user_id=pick.choice([None, "u1", "u2", "u3"]),
            team=pick.choice([None, "search"]),
            environment=pick.choice([None, "prod"]),
            retry_count=pick.choice([None, 0, 1]),
            call_id=pick.choice([None, f"call-{number // 4}"]),
            attempt_no=pick.choice([None, 1, 2]),
            latency_ms=pick.choice([None, pick.randrange(1, 10**6) / 1000]),
            ttft_ms=pick.choice([None, pick.randrange(1, 10**5) / 1000]),
            is_end_time=pick.choice([None, True, False]),
            requests_headroom=pick.choice([None, 0.25]),
        )


@pytest.fixture(scope="module")
def con():
    con = empty_store()
    create_views(con)
    fill(con, list(some_attempts(2_000)))
    return con


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A master and two workers, each a process group of its own: (address, workers)."""
    if not shutil.which("java"):
        pytest.skip("no Java: install a runtime, version 17 or newer, to compare the views on Spark")
    import pyspark

    home = pyspark.__path__[0]
    logs = tmp_path_factory.mktemp("spark")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"spark://127.0.0.1:{port}"
    started = []

    def start(name, *arguments):
        log = (logs / f"{len(started)}.log").open("wb")
        command = [f"{home}/bin/spark-class", f"org.apache.spark.deploy.{name}", "--host", "127.0.0.1", *arguments]
        environment = os.environ | {
            "SPARK_HOME": home,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_WORKER_DIR": str(logs),
            "SPARK_DAEMON_JAVA_OPTS": QUICK_START,
        }
        started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))
        return started[-1]

    start("master.Master", "--port", str(port), "--webui-port", "0")
    workers = [start("worker.Worker", "--cores", "1", "--memory", "1g", "--webui-port", "0", address) for _ in range(2)]
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    try:
        yield address, workers
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def through(con, cluster, tmp_path_factory):
    """What the cluster made of the same attempts, one worker of two killed while it made the money."""
    address, workers = cluster
    folder = tmp_path_factory.mktemp("through")
    handover.give(con, folder)
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.executor.memory": "600m",
        "spark.sql.shuffle.partitions": "2",
        # So few rows are done before code for them would be compiled.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.driver.extraJavaOptions": QUICK_START,
        "spark.executor.extraJavaOptions": QUICK_START,
    }
    spark = warehouse.connect(address, settings)
    try:
        warehouse.create_views(spark, folder)
        for view in VIEWS:
            work = threading.Thread(target=warehouse.make, args=(spark, view, folder))
            work.start()
            if view.path == "rollups.calls_by_hour":
                while work.is_alive() and not spark.sparkContext.statusTracker().getActiveJobsIds():
                    time.sleep(0.01)  # the job begins by itself; this only paces the asking
                os.killpg(workers[0].pid, signal.SIGKILL)
                workers[0].wait(timeout=20)
            work.join()
        yield folder
    finally:
        spark.stop()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.path)
def test_a_view_keeps_to_words_that_engines_share(view):
    """Without Java it is these words that tell; DuckDB's own are for the one view that Spark spells anew."""
    words = re.findall(
        r"\b(?:asof|quantile\w*|unnest|len|list_\w+\(|hugeint|try_cast|epoch\w*|varchar)\b|->>|::|\bby name\b",
        re.sub(r"--.*", "", view.sql),
    )
    assert view.path == "base.unfolded_iterations" or words == []


def test_a_worker_was_killed_at_work(through, cluster):
    assert [worker.poll() for worker in cluster[1]] == [-signal.SIGKILL, None]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.path)
def test_spark_says_what_duckdb_says(con, through, view):
    kinds = {name: kind for name, kind, *_ in con.execute(f"describe {view.path}").fetchall()}
    files = f"read_parquet('{handover.made(through, view)}/*.parquet')"
    theirs = f"select {', '.join(f'cast({name} as {kind}) as {name}' for name, kind in kinds.items())} from {files}"
    ours = f"select {', '.join(kinds)} from {view.path}"
    for one, other in [(ours, theirs), (theirs, ours)]:
        assert con.execute(f"({one}) except all ({other}) limit 3").fetchall() == []


def test_the_store_takes_the_sums_of_a_cluster_as_its_own(con, through):
    taken = handover.take(con, through)
    assert taken == {view.path: con.execute(f"select count(*) from {view.path}").fetchall()[0][0] for view in rollups()}
    keep(con)
    for view in rollups():
        assert con.execute(proof(view)).fetchall() == [(0,)]

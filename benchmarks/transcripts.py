"""Claude Code transcripts, read by ccusage and by Outlay: how long it takes, and what each makes of the same files.

ccusage is what most people total such transcripts with. It is no package of Python's: `npm install --global ccusage`
brings it, and without it its row is missing. It is asked for its built-in prices, so the transcripts name models that
both price. Outlay's first look reads all files, folds them and answers; its second finds that all are known.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from sample_logs.claude_code import transcripts

# The sample's models, and ones of about their price that have been in every price list for a year.
OLDER = {
    "claude-opus-5-5": "claude-opus-4-5",
    "claude-opus-5": "claude-opus-4-5",
    "claude-haiku-5-5": "claude-haiku-4-5-20251001",
}
TOTALS = """
    select
        cast(sum(uncached_input_tokens) as bigint) as input,
        cast(sum(cache_write_tokens) as bigint) as written,
        cast(sum(cache_read_tokens) as bigint) as read,
        cast(sum(output_tokens) as bigint) as output,
        sum(cost_usd) as usd
    from facts.attempts
"""


def run(seeds: range, folder: Path) -> None:
    """Print the table for the transcripts of teams of six developers, one a seed, three months each."""
    config = folder / f"transcripts-{len(seeds)}"
    _write(config, seeds)
    files = list(config.rglob("*.jsonl"))
    lines = sum(path.read_bytes().count(b"\n") for path in files)
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    print(f"\n{len(files):,} Claude Code transcripts, {lines:,} lines, {megabytes:,.0f} MB (seconds; tokens)\n")
    print("| read by | first look | second look | input | cache writes | cache reads | output | USD |")
    print("|---|---|---|---|---|---|---|---|")
    home = folder / "home-of-transcripts"
    shutil.rmtree(home, ignore_errors=True)
    rows = {"Outlay": [_outlay(config, home) for _ in range(2)]}
    if shutil.which("ccusage"):
        said = subprocess.run(["ccusage", "--version"], capture_output=True, text=True, check=True).stdout.strip()
        rows[said] = [_ccusage(config) for _ in range(2)]
    for name, ((first, totals), (second, _)) in rows.items():
        counts = " | ".join(f"{totals[what]:,}" for what in ("input", "written", "read", "output"))
        print(f"| {name} | {first:.2f} | {second:.2f} | {counts} | {float(totals['usd']):,.2f} |")


def _write(config: Path, seeds: range) -> None:
    """The transcripts as the tool leaves them below its folder, unless they are there."""
    if config.exists():
        return
    for seed in seeds:
        for path, text in transcripts(seed).items():
            for model, older in OLDER.items():
                text = text.replace(f'"{model}"', f'"{older}"')
            _, who, *below = Path(path).parts
            file = config / "projects" / f"{seed}-{who}{Path(*below[1:])}".removesuffix(".gz")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def _outlay(config: Path, home: Path) -> tuple[float, dict[str, int]]:
    outlay = [str(Path(sys.executable).with_name("outlay")), "--home", str(home)]
    started = time.perf_counter()
    subprocess.run([*outlay, "ingest", str(config)], capture_output=True, check=True)
    said = subprocess.run([*outlay, "query", TOTALS, "--format", "json"], capture_output=True, check=True).stdout
    [totals] = json.loads(said)
    return time.perf_counter() - started, totals


def _ccusage(config: Path) -> tuple[float, dict[str, int]]:
    question = ["ccusage", "claude", "daily", "--json", "--offline", "--timezone", "UTC"]
    where = {**os.environ, "CLAUDE_CONFIG_DIR": str(config)}
    started = time.perf_counter()
    said = subprocess.run(question, capture_output=True, check=True, env=where).stdout
    took, told = time.perf_counter() - started, json.loads(said)["totals"]
    names = {"input": "inputTokens", "written": "cacheCreationTokens", "read": "cacheReadTokens",
             "output": "outputTokens", "usd": "totalCost"}  # fmt: skip
    return took, {ours: told[theirs] for ours, theirs in names.items()}

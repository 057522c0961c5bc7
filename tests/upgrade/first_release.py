"""The home that the first release (0.1.0) made of the logs beside this file, and what it said about them.

    python -m tests.upgrade.first_release COMMIT

makes it again with the code of that commit, which has to be in the history here: 4d386d4 made the one that is kept.
"""

import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
LOGS = HERE / "logs"
KEPT = HERE / "first_release.tar.gz"  # the home: archive, keys and DuckDB file
SAID = HERE / "first_release.json"

# What both releases are asked. Money as text, so that every digit is compared.
QUESTION = """
    select feature, count(*) as attempts, sum(uncached_input_tokens) as uncached_input_tokens,
        sum(cache_read_tokens) as cache_read_tokens, sum(output_tokens) as output_tokens,
        count(*) filter (where http_status >= 400) as failed, min(started_at) as first, max(started_at) as last,
        count(distinct user_id) as users, cast(cast(sum(cost_usd) as decimal(38, 12)) as varchar) as cost_usd
    from facts.attempts group by feature order by feature
"""


def main(commit: str) -> None:
    """Make the home and what was said with the code of a commit."""
    with tempfile.TemporaryDirectory() as folder:
        code, home = Path(folder) / "code", Path(folder) / "home"
        tree = subprocess.run(["git", "archive", commit], check=True, capture_output=True, cwd=HERE.parents[1]).stdout
        code.mkdir()
        subprocess.run(["tar", "x"], input=tree, cwd=code, check=True)

        def outlay(*arguments: str) -> str:
            command = [sys.executable, "-c", "from dashboard.cli import main; main()", "--home", str(home), *arguments]
            return subprocess.run(command, cwd=code, check=True, capture_output=True, text=True).stdout

        print(outlay("ingest", str(LOGS)))
        SAID.write_text(json.dumps(json.loads(outlay("query", QUESTION, "--format", "json")), indent=1) + "\n")
        with gzip.GzipFile(KEPT, "wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
            for path in sorted(home.rglob("*")):
                if path.is_file() and path.parts[-2] != "landing":
                    tar.add(path, path.relative_to(home))


if __name__ == "__main__":
    main(sys.argv[1])

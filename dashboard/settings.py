"""Where Outlay keeps things, and every environment variable it listens to."""

import os
from pathlib import Path

import platformdirs

# name: what it does
VARIABLES = {
    "OUTLAY_HOME": "the folder that holds everything Outlay stores (the --home option wins over it)",
    "OUTLAY_RULES": "the rules file of budgets and alerts, in place of rules.toml in the home",
    "OUTLAY_OTLP_TOKEN": "the token that `outlay serve --otlp` asks for, in place of `outlay otlp token`'s",
    "OUTLAY_METRICS_TOKEN": "the token that /metrics asks for, in place of `outlay metrics token`'s",
    "OUTLAY_CHROMIUM": "the browser that the browser tests drive, where it is not found by itself",
}


def home() -> Path:
    """The folder that holds everything Outlay stores: $OUTLAY_HOME, else the user's data folder."""
    return Path(os.environ.get("OUTLAY_HOME") or platformdirs.user_data_dir("outlay")).expanduser().resolve()

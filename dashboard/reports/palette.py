"""The colours of a figure outside of Streamlit, which puts them in place of placeholders only on its own pages."""

import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from dashboard import figures

_CONFIG = Path(__file__).parents[1] / ".streamlit" / "config.toml"
_PLACEHOLDER = re.compile(r"#0000\d\d")


@cache
def light() -> dict[str, str]:
    """Placeholder → colour of the light theme, from the same file that the pages are coloured by."""
    theme = tomllib.loads(_CONFIG.read_text(encoding="utf-8"))["theme"]["light"]
    named = (*figures.HUES, figures.OTHER, figures.ALERT)
    return dict(zip(named, theme["chartCategoricalColors"], strict=True)) | {
        figures.GRID: theme["borderColor"],
        figures.MUTED: theme["grayColor"],
        figures.INK: theme["textColor"],
        figures.PAPER: theme["backgroundColor"],
    }


def coloured(figure: go.Figure) -> dict[str, Any]:
    """A figure as plain JSON, its placeholders replaced."""
    colours = light()
    told: dict[str, Any] = json.loads(figure.to_json())
    # Streamlit makes a template of its own the default as soon as it is imported.
    told["layout"]["template"] = {
        "layout": {
            "font": {"color": figures.INK, "size": 12},
            "paper_bgcolor": figures.PAPER,
            "plot_bgcolor": figures.PAPER,
        }
    }
    named: dict[str, Any] = json.loads(_PLACEHOLDER.sub(lambda found: colours[found[0]], json.dumps(told)))
    return named

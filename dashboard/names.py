"""The one way a string from a log reaches a screen.

Feature, user, team and model names are written by whoever writes logs. Streamlit renders Markdown in most labels,
Plotly renders pseudo-HTML, and both obey bidirectional control characters, so a raw name can fetch an image from
elsewhere, pose as a link or reorder the text around it. Every such string passes `display_name` for the place where it
will stand.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

Place = Literal["text", "md", "plot"]

LIMIT = 80
UNKNOWN = "—"
UNATTRIBUTED = "(unattributed)"
ROUNDING = "(rounding)"

_SPACE = re.compile(r"\s+")
_MARKS_IN_A_ROW = re.compile(r"(\w?)((?:[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]){3,})")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_BREAKS = {"Zl", "Zp"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>&$^:@/'\"=])")
# Icon, emoji and bare-link rules run after backslashes are resolved: a word joiner (it has no width) ends their match.
_AFTER_PARSING = re.compile(r"(?<=:)|(?<=@)|(?<=www)(?=\\?\.)", re.IGNORECASE)
_PSEUDO_HTML = {ord(sign): f"&#{ord(sign)};" for sign in "&<>$%{}#\"'"}


def display_name(value: object, place: Place = "text", limit: int = LIMIT) -> str:
    """A log-supplied string made safe to show: tidied, capped, escaped for plain text, Markdown or a Plotly figure."""
    name = _tidied(value, limit)
    if place == "md":
        return _MARKDOWN.sub(r"\\\1", _AFTER_PARSING.sub("\u2060", name))
    if place == "plot":
        return name.translate(_PSEUDO_HTML)
    return name


def labels(values: Iterable[Any], limit: int = LIMIT) -> dict[Any, str]:
    """A plain-text label for each value, all different: names that look alike get the start of their digest added."""
    shown = {value: _tidied(value, limit) for value in values}
    often = Counter(shown.values())
    return {value: name if often[name] == 1 else f"{name} #{_digest(value)}" for value, name in shown.items()}


def _tidied(value: object, limit: int = LIMIT) -> str:
    return UNKNOWN if value is None else _tidied_text(str(value)[: limit * 50], limit)


@lru_cache(maxsize=20_000)  # every page shows the same names again
def _tidied_text(text: str, limit: int) -> str:
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if _breaks(sign) else sign for sign in text if _breaks(sign) or _is_seen(sign))
    text = _MARKS_IN_A_ROW.sub(lambda match: match[1] + match[2][:2], text)
    text = _SPACE.sub(" ", text).strip()
    if not text:
        return "(empty)"
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _is_seen(sign: str) -> bool:
    return unicodedata.category(sign) not in _UNSEEN


def _breaks(sign: str) -> bool:
    return sign in "\t\n\r\v\f\x85" or unicodedata.category(sign) in _BREAKS


def _digest(value: object) -> str:
    return hashlib.sha256(str(value).encode("utf-8", "surrogatepass")).hexdigest()[:4]

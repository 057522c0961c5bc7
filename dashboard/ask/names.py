"""Names that stay here: in what is sent they are feature-1, user-2 …; in the answer they are put back."""

import json
import re
from collections.abc import Collection

from dashboard.names import UNATTRIBUTED, display_name

KINDS = {"feature": "feature", "model": "model", "user_id": "user", "user": "user", "team": "team",
         "environment": "environment"}  # fmt: skip
OTHERS = "(all others)"
_STAND_IN = re.compile(r"\b([a-z]+-[1-9]\d*)\b")


class Mask:
    """Gives every name its stand-in, numbered in the order of asking, so that equal names have equal ones."""

    def __init__(self, is_open: bool, public: Collection[str] = ()) -> None:
        """`is_open`: names may be told. `public`: words that are no secret, the price list's models."""
        self._is_open, self._public = is_open, frozenset({*public, UNATTRIBUTED, OTHERS})
        self._given: dict[tuple[str, str], str] = {}

    def __call__(self, kind: str, name: str) -> str:
        """What is sent in place of the name of a feature, user …; names that may be told stand in quotation marks."""
        if name in self._public:
            return name
        if self._is_open:
            return json.dumps(display_name(name), ensure_ascii=False)
        number = sum(known == kind for known, _ in self._given) + 1
        return self._given.setdefault((kind, name), f"{kind}-{number}")

    def undone(self, text: str) -> str:
        """The text with names where stand-ins were. In one pass: a name that looks like a stand-in stays a name."""
        names = {stand_in: display_name(name) for (_, name), stand_in in self._given.items()}
        return _STAND_IN.sub(lambda match: names.get(match[1], match[0]), text)

    def __len__(self) -> int:
        return len(self._given)

"""What is sent when an alert speaks: plain words, no secret, and a link to the view that shows it."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime

from dashboard.alerts.states import Event
from dashboard.names import display_name

HEADINGS: dict[str, str] = {"fired": "Firing", "again": "Still firing", "resolved": "Resolved", "test": "Test"}

# Signs by which chat services and mail readers recognise links, mentions and markup.
_LIVE = re.compile(r"[<>\[\]`@|]|(?<=:)(?=//)")


@dataclass(frozen=True)
class Message:
    """One thing to tell. The id stays the same however often it is sent, so that a receiver can tell repeats."""

    message_id: str
    event: Event | str
    rule: str
    at: datetime
    text: str
    link: str

    @property
    def title(self) -> str:
        """The line above the text."""
        return f"{HEADINGS[self.event]}: {plain_name(self.rule)}"

    @property
    def body(self) -> str:
        """Text and link, as chat and mail show them."""
        return f"{self.text}\n{self.link}"

    def as_json(self) -> bytes:
        """The body that a webhook receives."""
        told = asdict(self) | {"at": self.at.isoformat(), "title": self.title, "version": 1}
        return json.dumps(told, sort_keys=True).encode()


def plain_name(name: str) -> str:
    """A name from a log or a rules file, with nothing in it that a chat service would make a link or a mention of."""
    return _LIVE.sub(lambda found: " " if not found[0] else "·", display_name(name))

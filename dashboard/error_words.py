"""What errors that stay mean, in sentences."""

from dashboard import units
from dashboard.data import Rows
from dashboard.names import display_name

_MEANING = {
    "systematic": "day after day. That is systematic: retries hide it, but only mending its cause ends it.",
    "systematic, under load": "in the busy hours of every day. That is systematic: rate limits are the usual cause.",
    "new and lasting": "since a change some days ago, and it stays: look at what was deployed, or at the API version.",
}


def lasting(verdicts: Rows) -> list[str]:
    """A sentence in Markdown for each feature whose errors will not pass by themselves, the worst first."""
    return [
        f"**{display_name(feature, 'md')}**: {units.percent(rate)} of attempts fail {_MEANING[pattern]}"
        for feature, pattern, rate in zip(
            verdicts["feature"], verdicts["error_pattern"], verdicts["attempt_error_rate"], strict=True
        )
        if pattern in _MEANING
    ]

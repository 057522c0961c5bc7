"""Fetches the bill: Anthropic's Usage and Cost Analytics API, through the `anthropic` package.

Days of UTC, by model, workspace, service tier, region and speed; costs also by kind and token class. The SDK follows
the pages and waits when it is told to. The key is used and not kept: no report, message or file holds it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ingest.bill import as_json
from ingest.bill.report import Kind, NoBill, Report

MOST_DAYS = 30  # the API answers for 31 at most
_BY = ["model", "workspace_id", "service_tier", "inference_geo", "speed"]


def fetch(key: str, since: date, until: date, base_url: str | None = None) -> Iterator[Report]:
    """The cost and the usage report of these days of UTC, both included, so many days at a time.

    key: an Admin API key, or one with the scope read:analytics. Raises NoBill with what went wrong.
    """
    try:
        import anthropic
    except ImportError as error:
        raise NoBill("fetching needs the extra `ask` (pip install 'outlay[ask]'), which brings the SDK") from error
    with anthropic.Anthropic(api_key=key, base_url=base_url, timeout=60) as client:
        first = since
        while first <= until:
            last = min(until, first + timedelta(days=MOST_DAYS - 1))
            for kind in ("cost", "usage"):
                try:
                    yield _report(client, kind, first, last)
                except anthropic.AuthenticationError as error:
                    raise NoBill(
                        "the API does not know this key; use an Admin API key, or one with the scope read:analytics"
                    ) from error
                except anthropic.PermissionDeniedError as error:
                    raise NoBill("this key may not read the bill; use an Admin API key") from error
                except anthropic.RateLimitError as error:
                    raise NoBill(
                        "the API asks for fewer requests, again and again; wait some minutes and fetch the rest"
                    ) from error
                except anthropic.APIStatusError as error:
                    raise NoBill(
                        f"the API answered {error.status_code} for {first} to {last}; try again later"
                    ) from error
                except anthropic.APIConnectionError as error:
                    raise NoBill("the API cannot be reached; is this machine connected?") from error
            first = last + timedelta(days=1)


def _report(client: Any, kind: Kind, first: date, last: date) -> Report:
    begin, end = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
    resource = getattr(client.beta.organization.analytics, kind)
    page = resource.list(
        starting_at=begin,
        ending_at=end,
        time_bucket_width="1d",
        group_by=[*_BY, "cost_type", "token_type"] if kind == "cost" else _BY,
        limit=1000,
    )
    made_at, rows = datetime.now(UTC), []
    for answered in page.iter_pages():
        made_at = min(made_at, answered.data_refreshed_at or made_at)
        rows += [item.to_dict(mode="json") for item in answered.data]
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    covered = {day.isoformat(): f"{(day + timedelta(days=1)).isoformat()}T00:00:00" for day in days}
    name = f"fetched: {kind} {first} to {last}"
    if not rows:
        return Report(kind, name, made_at.replace(tzinfo=None).isoformat(), covered, [])
    [report] = as_json.of_pages([{"data": rows}], name, made_at)
    return replace(report, days=covered)

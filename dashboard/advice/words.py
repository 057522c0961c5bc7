"""What each kind of measure is called, why it pays, what to change and what to mind: the one place for these texts."""

from dataclasses import dataclass
from decimal import Decimal

from dashboard import units
from dashboard.advice.finding import Measure
from dashboard.names import UNATTRIBUTED, display_name

STEPS = {"waste": "Drop waste", "cap": "Shorten prompts", "cache": "Cache prompts", "batch": "Send in batches"}
LEVELS = {
    "A": "Measured in your logs",
    "B": "Counted with a number you gave",
    "C": "At most: the logs cannot tell",
}


@dataclass(frozen=True)
class Words:
    """title: what to do, followed by the workload. change: how. example: for the Anthropic SDK for Python."""

    title: str
    why: str
    change: str
    example: str
    risk: str


# By kind; a kind that is not here has the words of its step.
WORDS = {
    "waste": Words(
        "Stop paying for answers that nobody used",
        "These calls were paid for, and what they gave was not used.",
        "Look at the calls below and find what sends them.",
        "",
        "None to answers that are used.",
    ),
    "stop_failures": Words(
        "Stop calls that fail and are billed",
        "These calls ended in an error after they had used tokens, and the tokens were billed.",
        "Let the SDK retry what passes by itself, and check the request before it is sent. "
        "Give long answers a stream, so that a connection that is cut does not lose them.",
        """\
client = anthropic.Anthropic(max_retries=2, timeout=600)
with client.messages.stream(model=model, max_tokens=4096, messages=messages) as stream:
    answer = stream.get_final_message()
""",
        "None to good answers: only failed calls are counted.",
    ),
    "raise_ceiling": Words(
        "Raise max_tokens where answers are cut and asked again",
        "An answer that is cut off at max_tokens and then asked again is paid for twice.",
        "Set max_tokens above the longest answer that is wanted. Only tokens that are written are billed, "
        "so a higher ceiling costs nothing by itself. The Truncation page shows which ceiling would do.",
        """\
answer = client.messages.create(model=model, max_tokens=2048, messages=messages)
if answer.stop_reason == "max_tokens":
    log.warning("cut off at %s tokens", answer.usage.output_tokens)
""",
        "Answers that would have been cut are paid for in full.",
    ),
    "avoid_refusals": Words(
        "Keep back requests that are refused",
        "A refused request is billed for its prompt, and usually for a short answer.",
        "Look at what is refused, and turn such requests away before they reach the model.",
        """\
if answer.stop_reason == "refusal":
    refused.append(request_kind)  # then tell users early what is not answered
""",
        "A filter that is too strict turns good requests away. Not every refusal can be foreseen.",
    ),
    "stop_repeats": Words(
        "Answer the same request once",
        "The same prompt length came from the same user right after a good answer, which looks like the same request.",
        "Keep the last answers for a minute by a key of the request, and disable the button that sends while one is "
        "under way.",
        """\
key = hashlib.sha256(json.dumps([model, messages], sort_keys=True).encode()).hexdigest()
if key not in recent:
    recent[key] = client.messages.create(model=model, max_tokens=1024, messages=messages)
answer = recent[key]
""",
        "Somebody who asks twice on purpose, for another answer, gets the same one.",
    ),
    "cap": Words(
        "Limit how long prompts may be",
        "A few prompts are far longer than the rest, and their tail is paid for at the full price of input.",
        "Count the tokens before the call, which is free, and cut or refuse what is over the limit.",
        """\
counted = client.messages.count_tokens(model=model, messages=messages)
if counted.input_tokens > LIMIT:
    raise ValueError(f"{counted.input_tokens} tokens are more than {LIMIT}: shorten the document")
""",
        "An answer may need what is cut. Look at the longest prompts first, then set the limit that you are sure of: "
        "`outlay advice limit FEATURE TOKENS`.",
    ),
    "cache": Words(
        "Cache the part of the prompt that repeats",
        "Every call sends the same beginning again at the full price of input; from the cache it costs a fraction.",
        "Put what never changes first (tools, system prompt, documents), what changes last, and mark the end of the "
        "part that repeats. Write for an hour (ttl 1h) where calls are mostly more than five minutes apart.",
        """\
client.messages.create(
    model=model,
    max_tokens=1024,
    system=[{"type": "text", "text": guide, "cache_control": {"type": "ephemeral", "ttl": "5m"}}],
    messages=messages,
)
""",
        "A prefix that changes (a date, a user's name) is written again each time, which costs more than no cache. "
        "Where the length of the prefix is only bounded, say what you know: `outlay advice prefix FEATURE TOKENS`.",
    ),
    "cache_conversation": Words(
        "Cache conversations",
        "Every turn sends the whole conversation again at the full price of input; from the cache it costs a fraction.",
        "Mark the last message of every request: what came before it is then read, and only what is new is written.",
        """\
client.messages.create(
    model=model,
    max_tokens=1024,
    cache_control={"type": "ephemeral", "ttl": "5m"},
    messages=messages,
)
""",
        "It only works while what was said stays as it was: history that is rewritten or shortened is written anew.",
    ),
    "cache_lifetime": Words(
        "Change how long the cache is kept",
        "With the other lifetime the same reads and writes would have cost less.",
        "Set the ttl of cache_control: 5m where calls follow one another within minutes, 1h where they pause longer.",
        """\
client.messages.create(
    model=model,
    max_tokens=1024,
    system=[{"type": "text", "text": guide, "cache_control": {"type": "ephemeral", "ttl": "5m"}}],
    messages=messages,
)
""",
        "Traffic that changes its rhythm turns the advice around; look at it again after a month.",
    ),
    "batch": Words(
        "Send what can wait through the Batch API",
        "These calls look like the work of a machine that nobody waits for. In a batch every token costs half.",
        "Collect the requests of a run and send them as one batch. Results come within 24 hours, mostly within one.",
        """\
batch = client.messages.batches.create(
    requests=[
        {"custom_id": key, "params": {"model": model, "max_tokens": 1024, "messages": messages}}
        for key, messages in jobs.items()
    ]
)
while client.messages.batches.retrieve(batch.id).processing_status != "ended":
    time.sleep(60)
for told in client.messages.batches.results(batch.id):
    if told.result.type == "succeeded":
        keep(told.custom_id, told.result.message)
""",
        "Answers may take up to 24 hours. Reads from a cache are less certain within a batch.",
    ),
}


# How machines show themselves (queries.advice.batching), and the figures that are worth a line, in this order.
_PATTERNS = {
    "runs": "Most calls come in long runs, one after another within seconds.",
    "slot": "Most calls come in the same ten minutes of the hour.",
    "window": "Most calls come in the same four hours of the day and begin at the same time.",
    "flat": "Calls come evenly at all hours. Nothing shows people, but nothing shows that nobody waits either.",
}
_EVIDENCE = {
    "calls": "Calls",
    "days": "Days with such calls",
    "limit_tokens": "Limit",
    "cut_tokens": "Input tokens beyond it",
    "prefix_tokens": "Tokens that could be cached",
    "prefix_source": "How that is known",
    "lifetime": "Kept now for",
    "hit_rate": "Calls that would have found them in the cache",
    "cache_hit_rate": "Prompt tokens that would have been read from the cache",
    "cached_hit_rate": "Cached tokens that are read, not written",
    "break_even_rate": "Share from which caching pays",
    "unread_write_tokens": "Written and never read",
    "named_rate": "Calls that name a user",
    "later_turn_rate": "Calls that follow another in a conversation",
    "run_rate": "Calls in runs",
    "slot_rate": "Calls in these ten minutes",
    "window_rate": "Calls in these four hours",
}


def of(kind: str, step: str) -> Words:
    """The words of a kind of measure."""
    return WORDS.get(kind) or WORDS[step]


def example(measure: Measure) -> str:
    """The example of a measure, with the lifetime or the limit that is advised."""
    said = of(measure.kind, measure.step).example
    if lifetime := measure.settings.get("lifetime"):
        said = said.replace('"ttl": "5m"', f'"ttl": "{lifetime}"')
    if limit := measure.settings.get("limit_tokens"):
        said = said.replace("LIMIT", f"{limit:_}")
    return said


def title(kind: str, step: str, feature: str | None, model: str | None, place: str = "md") -> str:
    """What to do, and where."""
    called = "calls without a feature" if feature == UNATTRIBUTED else feature
    where = [display_name(name, "md" if place == "md" else "text") for name in (called, model) if name]
    said = of(kind, step).title
    return f"{said}: {', '.join(where)}" if where else said


def range_of(low: Decimal, high: Decimal) -> str:
    """From … to …, for Markdown."""
    if units.money(low) == units.money(high):
        return units.money(high).replace("$", "\\$")
    return f"{units.money(low)} to {units.money(high)}".replace("$", "\\$")


def evidence(measure: Measure) -> list[str]:
    """Its figures, one to a line, for Markdown."""
    told = measure.evidence
    said = [_PATTERNS[told["pattern"]]] if told.get("pattern") in _PATTERNS else []
    return said + [
        f"{label}: {units.text(name, told[name])}".replace("$", "\\$")
        for name, label in _EVIDENCE.items()
        if told.get(name) is not None
    ]


def counted(count: int, one: str) -> str:
    """So many of a thing: 1 measure, 2 measures."""
    return f"{count:,} {one if count == 1 else one + 's'}"

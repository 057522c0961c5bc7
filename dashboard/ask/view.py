"""The pieces of the page Ask: what is asked, what would be sent, and the answer beside the figures it rests on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import streamlit as st

from dashboard import charts, data, filter_bar, units
from dashboard.ask import asking
from dashboard.ask import figures as ask_figures
from dashboard.ask.figures import Figures
from dashboard.ask.names import Mask
from dashboard.ask.prompts import Request, for_question, for_telling
from dashboard.names import UNKNOWN, display_name
from dashboard.owner import Owner
from dashboard.reports.cards import costliest
from dashboard.view import local_day
from queries import Filters

EXAMPLES = (
    "Which five features cost most in the last seven days?",
    "On which day did retries hide the most errors, and for which feature?",
    "Which users' prompts grew most since last month?",
)
NAMED = {"features": "feature", "models": "model", "teams": "team", "environments": "environment"}
MOST_NAMES, MOST_SIGNALS = 100, 30
WORDS = 6_000  # characters of a paragraph that are shown

_owner: Owner | None = None


@dataclass(frozen=True)
class Done:
    """An answer as it stays on the page: what was sent, what came back, what it cost."""

    request: Request
    paid: asking.Paid | None
    question: str = ""
    answered: asking.Answered | None = None
    told: asking.Told | None = None
    failure: str | None = None


def serve_from(owner: Owner) -> None:
    """Ask through the server's own store from now on."""
    global _owner
    _owner = owner


def is_served() -> bool:
    """Can calls be recorded and SQL be run here?"""
    return _owner is not None


def question() -> None:
    """A question in plain language: Claude writes SQL, Outlay runs it."""
    asked = st.text_area(
        "Your question",
        key="ask_question",
        height=90,
        max_chars=2_000,
        placeholder=EXAMPLES[0],
        help="In any language.",
    )
    st.pills("For example", EXAMPLES, key="ask_example", on_change=_take_example, label_visibility="collapsed")
    is_open = st.toggle(
        "Send names of features, models and teams",
        key="ask_names",
        help="They help Claude to see what a question means. Without them it knows the columns alone.",
    )
    zone = filter_bar.choose_zone()
    today = local_day(datetime.now(UTC), zone)
    request = for_question(
        asked or EXAMPLES[0], asking.model(), today, _span(zone), _names() if is_open else None, zone
    )
    if _agreed("question", request, is_ready=bool(asked.strip())):
        _send("question", request, partial(_answer_question, asked))
    if (done := _done("question")) is not None:
        _draw_answer(done, is_open)


def change() -> None:
    """Why a period cost more or less than another, or why a signal was raised."""
    zone = filter_bar.choose_zone()
    found = sorted(_signals(zone), key=lambda of: -abs(of.stake_usd))[:MOST_SIGNALS]
    sentences = {of.signal_id: display_name(of.sentence, limit=300) for of in found}
    chosen = st.selectbox("What to explain", ["", *sentences], key="ask_signal",
                          format_func=lambda name: sentences.get(name, "Two periods of my choice"))  # fmt: skip
    if chosen:
        about = next(of for of in found if of.signal_id == chosen)
        _text("explain", ask_figures.signal(_read, about, zone))
    else:
        _two_periods(zone)


def _two_periods(zone: str) -> None:
    first, last = _span(zone)
    period, against, by = st.columns(3)
    days = period.date_input("Explain these days", (max(first, last - timedelta(days=6)), last), first, last,
                             key="ask_days", format="DD.MM.YYYY")  # fmt: skip
    if not isinstance(days, tuple) or len(days) != 2:
        st.caption("Choose a first and a last day.")
        return
    after = Filters(days[0], days[1], zone=zone)
    before = after.previous()
    begin = against.date_input("Compared with as many days from", before.since, key=f"ask_from_{days[0]}_{days[1]}",
                               format="DD.MM.YYYY")  # fmt: skip
    if isinstance(begin, date):
        before = replace(before, since=begin, until=begin + (days[1] - days[0]))
    chosen = by.selectbox("Split by", ["feature", "model", "user", "team"], key="ask_by", format_func=str.capitalize)
    _text("explain", ask_figures.change(_read, before, after, chosen, _signals(zone)))


def note() -> None:
    """The monthly note for finance."""
    zone = filter_bar.choose_zone()
    first, last = _span(zone)
    months = [last.replace(day=1)]
    while months[-1] > first:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    chosen = st.selectbox("Month", months, key="ask_month", width=240, format_func=lambda day: f"{day:%B %Y}")
    _text("monthly note", ask_figures.month(_read, Filters(zone=zone), chosen, _signals(zone)))


def _span(zone: str) -> tuple[date, date]:
    """The first and the last day of the data on the reader's clock."""
    first, last = data.span() or (datetime.now(UTC), datetime.now(UTC))
    return local_day(first, zone), local_day(last, zone)


def _signals(zone: str) -> tuple[data.Signal, ...]:
    """What is worth a look in all that there is; a text that begins before it has been judged says nothing of it."""
    judged = data.signals(Filters(zone=zone))
    if judged is None:
        st.caption("What is unusual is still being judged; come back in a minute for a text that goes by it.")
    return judged.findings.signals if judged else ()


def _text(job: str, figures: Figures) -> None:
    """A text about figures: they stand on the page whether anything is sent or not."""
    is_open = st.toggle("Send names of features, users and teams", key=f"ask_names_{job}",
                        help="Otherwise feature-1, user-2 … are sent, and the names are put back here.")  # fmt: skip
    mask = Mask(is_open, ask_figures.public_models(_read))
    request = for_telling(job, figures.task, figures.text(mask), asking.model())
    if _agreed(job, request, is_ready=True):
        _send(job, request, partial(_tell, figures, mask))
    done = _done(job)
    is_of_these = done is not None and done.request == request
    if done is not None and not is_of_these:
        st.caption("The text was about other figures. Send again for one about these.")
    left, right = st.columns([2, 3]) if is_of_these else (None, st.container())
    if left is not None and done is not None:
        with left, charts.card("In words"):
            _draw_told(done)
    with right, charts.card("The figures", "All that a text may say stands here."):
        for number, table in enumerate(figures.tables):
            st.markdown(f"**{display_name(table.title, 'md', 200)}**")
            rows(table.rows, key=f"ask_{job}_{number}", alt=table.title, is_in_words=table.is_ours)


def rows(table: pa.Table, *, key: str, alt: str, label: Callable[[str], str] = units.label,
         is_in_words: bool = False) -> None:  # fmt: skip
    """Rows of any shape: numbers in their unit where the column's name tells one, text made safe.

    `is_in_words`: all columns but the first hold numbers as text.
    """
    cells: dict[str, list[Any]] = {}
    for name, values in zip(table.column_names, table.columns, strict=True):
        cells[name] = [
            display_name(value, limit=200) if isinstance(value, str) else value for value in values.to_pylist()
        ]
    frame = pd.DataFrame(cells, columns=table.column_names, dtype=object)
    style = frame.style.format({name: partial(_word, name) for name in frame.columns}, na_rep=UNKNOWN)
    side: Literal["right"] | None = "right" if is_in_words else None
    config = {
        name: st.column_config.Column(display_name(label(name)), alignment=side if number else None)
        for number, name in enumerate(frame.columns)
    }
    st.dataframe(style, key=key, alt=alt, hide_index=True, placeholder=UNKNOWN, column_config=config,
                 height="content" if len(frame) <= 16 else 540)  # fmt: skip


def _as_written(column: str) -> str:
    """The heading of a column that Claude has named."""
    return units.LABELS.get(column) or (column[:1].upper() + column[1:]).replace("_", " ")


def _word(column: str, value: Any) -> str:
    if value is None:
        return UNKNOWN
    return value if isinstance(value, str) else ask_figures.words(column, value)


def _agreed(job: str, request: Request, is_ready: bool) -> bool:
    """Shows what would be sent; was it agreed to?"""
    prices = data.read("price_list").table.to_pylist()
    bound = asking.at_most(request, prices)
    cost = f"at most {units.money(bound)} at list price".replace("$", "\\$") if bound else "no list price is known"
    with st.expander(f"What would be sent: {request.characters:,} characters, {cost}", icon=":material/visibility:"):
        st.caption("The message:")
        st.code(request.messages[-1]["content"], language=None, wrap_lines=True)  # whole: no key scrolls a box of code
        st.caption("The instructions that go with it, the same each time:")
        st.code(request.system, language=None, wrap_lines=True)
    lacking = asking.missing()
    clicked = st.button(f"Send to {display_name(request.model, 'md')}", type="primary", icon=":material/send:",
                        key=f"ask_send_{job}", disabled=not is_ready or bool(lacking) or not is_served())  # fmt: skip
    if lacking:
        st.info(lacking, icon=":material/key:")
    elif not is_served():
        st.caption("Questions can be sent when the dashboard is opened with `outlay serve`.")
    return clicked


def _send(job: str, request: Request, work: Callable[[asking.Conversation, Request], Done]) -> None:
    """Do the work, keep what became of it, say what it cost."""
    if _owner is None:
        return
    with st.spinner("Claude is at it …"):
        try:
            talk = asking.Conversation(_owner.home, _owner)
        except asking.NotAnswered as error:
            st.session_state[f"ask_done_{job}"] = Done(request, None, failure=str(error))
            return
        try:
            done = work(talk, request)
        except asking.NotAnswered as error:
            done = Done(request, None, failure=str(error))
        st.session_state[f"ask_done_{job}"] = replace(done, paid=talk.paid())


def _answer_question(asked: str, talk: asking.Conversation, request: Request) -> Done:
    assert _owner is not None
    return Done(request, None, asked, asking.answer_question(talk.send, _owner.ask, request))


def _tell(figures: Figures, mask: Mask, talk: asking.Conversation, request: Request) -> Done:
    return Done(request, None, told=asking.tell(talk.send, request, figures.text(mask), mask))


def _draw_answer(done: Done, is_open: bool) -> None:
    """The last answer to a question: its rows, its SQL, and, where that is wanted, words about the rows."""
    answered = done.answered
    if answered is None:
        _draw_told(done)
        return
    with charts.card(display_name(answered.title, "md", 200), display_name(answered.note, "md", 1_000)):
        if answered.selected is not None:
            rows(answered.selected.table, key="ask_rows", alt=answered.title, label=_as_written)
            if answered.selected.is_cut:
                st.caption(f"The first {answered.selected.table.num_rows:,} rows.")
        for number, of in enumerate(answered.tries, start=1):
            if of.detail:
                st.warning(f"Not answered: {display_name(of.detail, 'md', 600)}", icon=":material/block:")
            word = "SQL" if number == len(answered.tries) else "SQL of the first try"
            st.caption(f"{word}, written by Claude, run read-only and within limits:")
            st.code(of.sql, language="sql", wrap_lines=True)
        _draw_price(done)
    if answered.selected is not None and answered.selected.table.num_rows:
        _words_for_rows(ask_figures.answer(done.question, answered.selected.table), is_open)


def _words_for_rows(figures: Figures, is_open: bool) -> None:
    """The rows stay here unless somebody has them sent for a text about them."""
    mask = Mask(is_open, ask_figures.public_models(_read))
    request = for_telling("result", figures.task, figures.text(mask), asking.model())
    with charts.card("These rows in words", "Claude has not seen the rows. They can be sent for a text about them."):
        if _agreed("result", request, is_ready=True):
            _send("result", request, partial(_tell, figures, mask))
        if (done := _done("result")) is not None and done.request == request:
            _draw_told(done)


def _draw_told(done: Done) -> None:
    if done.failure:
        st.error(display_name(done.failure, "md", 600), icon=":material/error:")
    if done.told:
        st.markdown(f"**{display_name(done.told.title, 'md', 300)}**")
        for paragraph in done.told.paragraphs:
            st.markdown(display_name(paragraph, "md", WORDS))
        if done.told.untraced:
            told = display_name(", ".join(done.told.untraced), "md", 300)
            st.warning(f"Not in the figures: {told}. Check these before you use them.", icon=":material/rule:")
        else:
            st.caption(":material/check: Every number in this text stands in the figures.")
    _draw_price(done)


def _draw_price(done: Done) -> None:
    """What the calls came to, by the price list that everything else is priced by."""
    if done.paid is None or not done.paid.calls:
        return
    paid = done.paid
    cost = f"\\${paid.cost_usd.normalize():f}" if paid.cost_usd is not None else "no list price"
    calls = "one call" if paid.calls == 1 else f"{paid.calls} calls"
    cached = f"{paid.cache_read_tokens:,} read from the prompt cache, {paid.cache_write_tokens:,} written to it"
    if not paid.cache_read_tokens + paid.cache_write_tokens:
        least = asking.least_cacheable(data.read("price_list").table.to_pylist(), done.request.model)
        cached = f"none cached: shorter than {least:,} tokens" if least else "none cached"
    st.caption(
        f"{cost} for {calls} to {display_name(done.request.model, 'md')}: {paid.uncached_input_tokens:,} tokens in, "
        f"{cached}, {paid.output_tokens:,} out. On the dashboard as feature {asking.FEATURE}."
    )


def _done(job: str) -> Done | None:
    found: Done | None = st.session_state.get(f"ask_done_{job}")
    return found


def _take_example() -> None:
    if chosen := st.session_state.get("ask_example"):
        st.session_state["ask_question"] = chosen


def _names() -> dict[str, list[str]]:
    """The names that a question may want to mention, costliest first."""
    return {plural: costliest(data, kind, Filters(), MOST_NAMES) for plural, kind in NAMED.items()}


def _read(metric: str, filters: Filters) -> pa.Table:
    return data.read(metric, filters).table

"""The Claude Code sessions of the shop's developers, as the tool keeps them: one file per session.

One API request leaves several lines (one per content block) that share `message.id` and `requestId`; all but the last
may hold a placeholder for the output. Sub-agents write files of their own, a resumed session starts by repeating the
old one, and failed attempts leave a system line before the lines of the attempt that came through.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sample_logs.company import ANSWERS, CANARY, END, FIRST, INCIDENTS, QUESTIONS, SUMMER_TIME_ENDS
from sample_logs.dice import Dice, to_millisecond
from sample_logs.records import iso

DEVELOPERS = (  # name, projects, share of working days with a session
    ("nils", ("storefront", "checkout-api"), 0.34),
    ("priya", ("storefront",), 0.24),
    ("tomasz", ("warehouse-sync",), 0.20),
    ("ana", ("data-platform", "warehouse-sync"), 0.18),
    ("femi", ("checkout-api",), 0.16),
    ("jun", ("data-platform",), 0.12),
)
MAIN_MODELS = ((FIRST, "claude-opus-5"), (datetime(2026, 9, 24), "claude-opus-5-5"))
AGENT_MODELS = ((FIRST, "claude-haiku-4-5-20251001"), (datetime(2026, 10, 12), "claude-haiku-5-5"))
TOOLS = ("Read", "Grep", "Bash", "Edit")
PLAIN_SESSIONS = (13, 40)  # left unpacked, for people to look at
RETRY_STORM = next(incident for incident in INCIDENTS if incident.name == "retry storm")

Lines = list[dict[str, Any]]


@dataclass
class Session:
    """A session being written: where it stands, how much context it has gathered, and its lines so far."""

    session_id: str
    cwd: str
    branch: str
    now: datetime
    models: tuple[tuple[datetime, str], ...]
    dice: Dice
    agent_id: str | None = None
    context: int = 16000
    cached: int = 0
    parent: str | None = None
    lines: Lines = field(default_factory=list)

    def line(self, kind: str, **content: Any) -> None:
        """Add a line with what every line carries."""
        uuid = self.dice.uuid()
        marks = {"agentId": self.agent_id} if self.agent_id else {}
        self.lines.append(
            {
                "parentUuid": self.parent,
                "isSidechain": self.agent_id is not None,
                **marks,
                "userType": "external",
                "cwd": self.cwd,
                "sessionId": self.session_id,
                "version": "3.1.4",
                "gitBranch": self.branch,
                "type": kind,
                **content,
                "uuid": uuid,
                "timestamp": iso(self.now),
            }
        )
        self.parent = uuid

    def prompt(self, text: str) -> None:
        """The developer asks for something."""
        self.context += self.dice.whole(200, 3000)
        self.line("user", message={"role": "user", "content": text})

    def tool_result(self, tool_id: str) -> None:
        """What the tool found goes back to the model."""
        self.now += timedelta(milliseconds=self.dice.whole(80, 9000))
        self.context += int(self.dice.log_normal(1800, 0.8))
        result = {"tool_use_id": tool_id, "type": "tool_result", "content": self.dice.pick(ANSWERS)}
        self.line("user", message={"role": "user", "content": [result]})

    def request(self, is_last: bool) -> str | None:
        """One request and the lines it leaves; the id of the tool it asks for."""
        self.failed_attempts()
        started_at, dice = self.now, self.dice
        output = max(12, int(dice.log_normal(260, 0.9)))
        message = {
            "id": dice.identifier("msg_", started_at),
            "type": "message",
            "role": "assistant",
            "model": next(model for since, model in reversed(self.models) if since <= started_at),
        }
        request_id, tool_id = dice.identifier("req_", started_at), None if is_last else f"toolu_{dice.whole(1, 10**8)}"
        blocks: Lines = [{"type": "text", "text": dice.pick(ANSWERS)}]
        if dice.chance(0.3):
            blocks.insert(0, {"type": "thinking", "thinking": "", "signature": "invented"})
        if tool_id:
            blocks.append({"type": "tool_use", "id": tool_id, "name": dice.pick(TOOLS), "input": {"path": "README.md"}})
        used = self.usage()
        for number, block in enumerate(blocks, start=1):
            is_complete = number == len(blocks)
            self.now += timedelta(milliseconds=dice.whole(900, 2500) + (output * 14 if is_complete else 0))
            shown = output if is_complete else dice.whole(1, 8)
            self.line(
                "assistant",
                requestId=request_id,
                message={
                    **message,
                    "content": [block],
                    "stop_reason": ("tool_use" if tool_id else "end_turn") if is_complete else None,
                    "stop_sequence": None,
                    "usage": {**used, "output_tokens": shown},
                },
            )
        self.context += output
        return tool_id

    def usage(self) -> dict[str, Any]:
        """The prompt's tokens: what is cached so far is read, what came since is written for an hour."""
        written, read = self.context - self.cached, self.cached
        self.cached = self.context
        return {
            "input_tokens": self.dice.whole(2, 9),
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": written},
            "service_tier": "standard",
            "inference_geo": "",
        }

    def failed_attempts(self) -> None:
        """Attempts that failed before the one that comes through."""
        in_storm = RETRY_STORM.since <= self.now < RETRY_STORM.until
        number = 0
        while number < 10 and self.dice.chance(0.4 if in_storm else 0.012):
            number += 1
            wait = min(0.5 * 2 ** (number - 1), 8.0) * 1000 * self.dice.between(0.75, 1.0)
            request_id = self.dice.identifier("req_", self.now)
            self.line(
                "system",
                subtype="api_error",
                level="error",
                retryAttempt=number,
                maxRetries=10,
                retryInMs=round(wait, 1),
                error={
                    "status": 529,
                    "requestID": request_id,
                    "error": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
                },
            )
            self.now += timedelta(milliseconds=wait)

    def give_up(self) -> None:
        """The tool's own message after its last retry: a line that looks like an answer and was never billed."""
        empty = {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        self.line(
            "assistant",
            isApiErrorMessage=True,
            apiErrorStatus=529,
            error="overloaded",
            message={
                "id": self.dice.uuid(),
                "type": "message",
                "role": "assistant",
                "model": "<synthetic>",
                "content": [{"type": "text", "text": "API Error: 529 Overloaded"}],
                "stop_reason": "stop_sequence",
                "stop_sequence": "",
                "usage": empty,
            },
        )

    def work(self, turns: int) -> None:
        """Some turns: a prompt, requests with tools, an answer, and the time the turn took."""
        for _ in range(turns):
            began = self.now
            self.prompt(self.dice.pick(QUESTIONS))
            for _ in range(self.dice.whole(1, 11)):
                tool_id = self.request(is_last=False)
                if tool_id:
                    self.tool_result(tool_id)
            self.request(is_last=True)
            self.line("system", subtype="turn_duration", durationMs=(self.now - began) // timedelta(milliseconds=1))
            if self.context > 120000:
                self.line("system", subtype="compact_boundary", content="Conversation compacted")
                self.context, self.cached = 22000, 12000
            self.now = to_millisecond(self.now + timedelta(seconds=self.dice.whole(20, 700)))


def transcripts(seed: int) -> dict[str, str]:
    """Every session file of every developer: path below the logs' folder → content."""
    files = dict[str, str]()
    for number, (name, project, started_at) in enumerate(session_starts(seed)):
        dice = Dice(seed, "claude-code", number)
        cwd = f"/home/{name}/src/{project}"
        folder = f"claude-code/{name}/projects/{cwd.replace('/', '-')}"
        session = Session(
            dice.uuid(), cwd, dice.pick(("main", "feature/checkout", "fix/stock")), started_at, MAIN_MODELS, dice
        )
        session.work(dice.whole(2, 6))
        if number % 30 == 7:
            session.give_up()
        suffix = ".jsonl" if number in PLAIN_SESSIONS else ".jsonl.gz"
        files[f"{folder}/{session.session_id}{suffix}"] = as_text(with_summary(session, dice))
        if number % 6 == 1:
            agent = sub_agent(session, replays=number % 12 == 1)
            files[f"{folder}/{session.session_id}/subagents/agent-{agent.agent_id}{suffix}"] = as_text(agent.lines)
        if number % 14 == 5:
            resumed = resume(session)
            files[f"{folder}/{resumed.session_id}{suffix}"] = as_text(resumed.lines)
    return files


def session_starts(seed: int) -> Iterator[tuple[str, str, datetime]]:
    """Who starts a session in which project, and when: working days, office hours."""
    for name, projects, share in DEVELOPERS:
        dice, day = Dice(seed, "claude-code", name), FIRST
        while day < END:
            hour = 7 if day < SUMMER_TIME_ENDS else 8
            starts_at = to_millisecond(day + timedelta(hours=hour, seconds=dice.whole(0, 28000)))
            project, works = dice.pick(projects), dice.chance(share)
            if day.date() == RETRY_STORM.since.date():  # nobody is spared
                yield name, project, RETRY_STORM.since + timedelta(minutes=dice.whole(5, 200))
            elif works and day.weekday() < 5:
                yield name, project, starts_at
            day += timedelta(days=1)


def with_summary(session: Session, dice: Dice) -> Lines:
    """Some sessions begin with the summary of an earlier one."""
    if not dice.chance(0.25):
        return session.lines
    return [{"type": "summary", "summary": f"Stock levels {CANARY}", "leafUuid": dice.uuid()}, *session.lines]


def sub_agent(session: Session, replays: bool) -> Session:
    """A sub-agent of a session; a replay begins with the session's first answer under another request id."""
    agent = Session(
        session.session_id,
        session.cwd,
        session.branch,
        session.now - timedelta(minutes=3),
        AGENT_MODELS,
        session.dice,
        agent_id=f"a{session.dice.whole(10**6, 10**7)}",
        context=9000,
    )
    agent.prompt("Find every use of the stock table.")
    if replays:
        answer = next(line for line in session.lines if line["type"] == "assistant" and line["message"]["stop_reason"])
        agent.line("assistant", requestId=agent.dice.identifier("req_", agent.now), message=answer["message"])
    for _ in range(agent.dice.whole(3, 9)):
        tool_id = agent.request(is_last=False)
        if tool_id:
            agent.tool_result(tool_id)
    agent.request(is_last=True)
    return agent


def resume(session: Session) -> Session:
    """The session taken up next morning: a new file that repeats the old lines under a new session id."""
    resumed = Session(
        session.dice.uuid(),
        session.cwd,
        session.branch,
        session.now + timedelta(hours=15),
        MAIN_MODELS,
        session.dice,
        context=session.context,
        parent=session.parent,
    )
    resumed.lines = [{**line, "sessionId": resumed.session_id} for line in session.lines]
    resumed.work(2)
    return resumed


def as_text(lines: Lines) -> str:
    """One JSON object per line, without spaces, as the tool writes them."""
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)

"""What a request asks for, without its text: model, ceiling, and a digest of what can be cached."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from outlay_recorder.wire import Facts, word

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=lambda value: type(value).__name__).encode


def request_facts(body: Mapping[str, Any], salt: bytes) -> Facts:
    """The request's model, max_tokens and cacheable prefix.

    The prefix is what comes first and tends to stay the same: tools, system prompt, and the first message up to its
    last cache breakpoint, where it has one; as JSON, unless it is but a system prompt of plain text. Its digest is
    BLAKE2b (RFC 7693) keyed with `salt` (at most 64 bytes): equal prefixes have equal digests, and without the salt
    nobody can try out guesses.
    """
    facts: Facts = {}
    if (model := word(body.get("model"))) is not None:
        facts["model"] = model
    if type(ceiling := body.get("max_tokens")) is int:
        facts["max_tokens"] = ceiling
    parts = [part for part in (body.get("tools"), body.get("system"), _opening(body.get("messages"))) if part]
    if parts:
        prefix = parts[0] if len(parts) == 1 and isinstance(parts[0], str) else _encode(parts)
        digest = hashlib.blake2b(prefix.encode("utf-8", "surrogatepass"), key=salt, digest_size=12)
        facts["cache_prefix_id"], facts["cache_prefix_chars"] = digest.hexdigest(), len(prefix)
    return facts


def _opening(messages: object) -> list[Any]:
    """The blocks of the first message up to its last cache breakpoint."""
    first = messages[0] if isinstance(messages, (list, tuple)) and messages else None
    blocks = first.get("content") if isinstance(first, dict) else None
    if not isinstance(blocks, list):
        return []
    marked = [i for i, block in enumerate(blocks) if isinstance(block, dict) and block.get("cache_control")]
    return blocks[: marked[-1] + 1] if marked else []

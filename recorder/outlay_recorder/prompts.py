"""What a request asks for, without its text: model, ceiling, and a digest of what can be cached."""

import hashlib
import json
import marshal
from collections.abc import Mapping
from typing import Any

from outlay_recorder.wire import Facts, word

MOST_DIGESTS = 1_000
_digests: dict[tuple[bytes, int, int], tuple[str, int]] = {}
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
        facts["cache_prefix_id"], facts["cache_prefix_chars"] = _digest(parts, salt)
    return facts


def _digest(parts: list[Any], salt: bytes) -> tuple[str, int]:
    """The digest and the length of a prefix. Most are those of the call before, so each is worked out once.

    It is known again by Python's own hash, with a random key in each process, of its bytes: no text is kept.
    """
    text = parts[0] if len(parts) == 1 and isinstance(parts[0], str) else None
    try:
        plain = marshal.dumps(parts, 2) if text is None else text
    except ValueError:  # something that only the SDK can turn into JSON
        return _worked_out(_encode(parts), salt)
    key = (salt, hash(plain), len(plain))
    if (known := _digests.get(key)) is None:
        if len(_digests) >= MOST_DIGESTS:
            _digests.clear()
        known = _digests[key] = _worked_out(text if text is not None else _encode(parts), salt)
    return known


def _worked_out(prefix: str, salt: bytes) -> tuple[str, int]:
    digest = hashlib.blake2b(prefix.encode("utf-8", "surrogatepass"), key=salt, digest_size=12)
    return digest.hexdigest(), len(prefix)


def _opening(messages: object) -> list[Any]:
    """The blocks of the first message up to its last cache breakpoint."""
    first = messages[0] if isinstance(messages, (list, tuple)) and messages else None
    blocks = first.get("content") if isinstance(first, dict) else None
    if not isinstance(blocks, list):
        return []
    marked = [i for i, block in enumerate(blocks) if isinstance(block, dict) and block.get("cache_control")]
    return blocks[: marked[-1] + 1] if marked else []

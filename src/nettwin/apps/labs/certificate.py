"""Certificate: a result that nobody changes without the key of a teacher (HMAC, RFC 2104)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from nettwin.errors import InputError
from nettwin.secrets import secret

MIN_KEY = 8  # characters


def key_of(reference: str) -> bytes:
    """The key that `env:NAME` or `file:PATH` names. Raises InputError where it is not there or too
    short to keep anything safe."""
    key = secret(reference)
    if len(key) < MIN_KEY:
        raise InputError(
            f"the key {reference} has {len(key)} characters: must have at least {MIN_KEY}. Use a"
            " longer one."
        )
    return key.encode()


def signature(content: Mapping[str, Any], key: bytes) -> str:
    """The signature of a JSON document, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def signed(content: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """A document with its signature."""
    return {"result": dict(content), "signature": signature(content, key)}


def signed_well(content: Mapping[str, Any], given: object, key: bytes) -> bool:
    """Whether a signature is that of a document."""
    return hmac.compare_digest(signature(content, key), str(given))


def opened(document: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """What a signed document says. Raises InputError where it was changed or has another key."""
    content = document.get("result")
    if not isinstance(content, dict) or not signed_well(content, document.get("signature"), key):
        raise InputError(
            "the signature is not that of this result: it was changed, or signed with another key."
            " Do not trust it."
        )
    return content

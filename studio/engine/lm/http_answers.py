"""What a server's answer means to us: its JSON, or the error of our tree for its status."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from studio.engine.errors import (
    LMAuthError,
    LMBadAnswer,
    LMError,
    LMInvalidRequest,
    LMRateLimited,
    LMTimeout,
    LMUnavailable,
)

_SHOWN = 300


def read_json(raw: bytes, *, name: str) -> dict[str, Any]:
    """The JSON object in `raw`, or raise `LMBadAnswer`."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        raise LMBadAnswer(f"{name} answered something that is no JSON.") from None
    if not isinstance(data, dict):
        raise LMBadAnswer(f"{name} answered JSON that is no object.")
    return data


def status_error(
    status: int, headers: Mapping[str, str], said: str, *, name: str, secret: str = ""
) -> LMError:
    """The error for an answer whose status is not 200.

    `said` is the server's own message; `secret` is taken out of it.
    """
    if status in (401, 403):
        # The server's own words are left out here: they like to repeat parts of the key.
        return LMAuthError(f"The server of {name} refused the key (status {status}).")
    said = shorten(said, secret)
    tail = f": {said}" if said else "."
    wait = retry_after_s(headers.get("Retry-After", ""))
    if status == 429:
        return LMRateLimited(f"Too many requests for {name}{tail}", retry_after_s=wait)
    if status == 408:
        return LMTimeout(f"The server of {name} gave up waiting{tail}")
    if status >= 500:
        return LMUnavailable(
            f"The server of {name} failed (status {status}){tail}", retry_after_s=wait
        )
    return LMInvalidRequest(f"The server of {name} refused the request (status {status}){tail}")


def retry_after_s(text: str) -> float | None:
    """Seconds in a `Retry-After` header, which holds a number or a date; None when neither."""
    text = text.strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime  # Takes a while to import.

        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def public_address(url: str) -> str:
    """`url` without the parts that may hold a secret: user, password, query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/")


def shorten(text: str, secret: str = "") -> str:
    """One line of at most 300 characters, with `secret` blacked out."""
    if secret:
        text = text.replace(secret, "…")
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def server_message(raw: bytes) -> str:
    """What the server says of its failure, in one of the usual places; empty when nowhere."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    error = data.get("error") if isinstance(data, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    if error is None and isinstance(data, dict):
        error = data.get("message") or data.get("detail")
    return error if isinstance(error, str) else ""

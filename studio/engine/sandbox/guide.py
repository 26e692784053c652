"""What an LM is told of the sandbox, and of what a piece of code left."""

from __future__ import annotations

import json

from studio.engine.sandbox.base import Outcome

MODULES = (
    "asyncio, base64, binascii, bisect, collections, copy, csv, dataclasses, datetime, decimal, "
    "functools, hashlib, itertools, json, math, random, re, time, tomllib, typing, unicodedata"
)
"""What code may import."""

GUIDE = (
    "It is a small Python: no files, no network, no other modules to import than "
    f"{MODULES}; no `yield`, no `del`, no classes that inherit from others. "
    "Only what it prints and the value of its last line, an expression, are seen."
)

NOTHING = "(The code printed nothing, and its last line has no value.)"


def outcome_text(outcome: Outcome) -> str:
    """What was printed, and below it the value of the last line."""
    parts = [outcome.printed.rstrip("\n")] if outcome.printed.strip() else []
    if isinstance(outcome.value, str):
        parts.append(outcome.value)
    elif outcome.value is not None:
        parts.append(json.dumps(outcome.value, ensure_ascii=False))
    return "\n".join(parts) or NOTHING

"""Values that are more than text and numbers: images, documents, conversations, tools."""

from __future__ import annotations

import binascii
import re
from typing import Any
from urllib.parse import urlsplit

from studio.engine.errors import SignatureError
from studio.engine.fields.jsontext import is_json
from studio.engine.fields.schema_rules import check_schema

MOST_BYTES = 20_000_000
"""Of an image or a document."""
LONGEST_URL = 4_000
TOOL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
_DATA = re.compile(r"data:(image/[a-z0-9.+-]{1,40});base64,", re.IGNORECASE)
_BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
    "application/pdf": (b"%PDF-",),
}
"""What a file of a media type begins with."""
IMAGE_TYPES = tuple(kind for kind in _BEGINNINGS if kind.startswith("image/"))
DOCUMENT_TYPES = ("application/pdf",)


def image_problem(value: Any) -> str:
    """Why `value` is no image (its http(s) address, or a `data:` one); empty when it is one."""
    if not isinstance(value, str):
        return "an image is the address of one, as a text"
    if value[:5].lower() == "data:":
        head = _DATA.match(value)
        if not head or head.group(1).lower() not in IMAGE_TYPES:
            return f"a data address of an image is data:…;base64,… of {', '.join(IMAGE_TYPES)}"
        return _bytes_problem(head.group(1).lower(), value[head.end() :])
    if len(value) > LONGEST_URL:
        return f"an address has at most {LONGEST_URL:,} characters"
    try:
        parts = urlsplit(value)
    except ValueError:
        return "this is no address"
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return "an image is an address that begins with https://, http:// or data:image/"
    if any(char.isspace() or not char.isprintable() for char in value):
        return "an address has no spaces"
    return ""


def document_problem(value: Any) -> str:
    """Why `value` is no document; empty when it is one."""
    if not isinstance(value, dict):
        return 'a document is {"title": …, "text": …}, or a text'
    keys = set(value)
    if keys == {"title", "text"}:
        texts = all(isinstance(part, str) for part in value.values())
        return "" if texts else "title and text of a document are texts"
    if keys != {"title", "media_type", "data"}:
        return 'a document is {"title", "text"}, or {"title", "media_type", "data"}'
    if not all(isinstance(part, str) for part in value.values()):
        return "title, media_type and data of a document are texts"
    if value["media_type"] not in DOCUMENT_TYPES:
        return f"the media type of a document is {' or '.join(DOCUMENT_TYPES)}"
    return _bytes_problem(value["media_type"], value["data"])


def history_problem(value: Any) -> str:
    """Why `value` is no conversation; empty when it is one."""
    shape = 'a history is a list of {"role": "user" or "assistant", "content": text}'
    if not isinstance(value, list):
        return shape
    for number, turn in enumerate(value, 1):
        if not isinstance(turn, dict) or set(turn) != {"role", "content"}:
            return f"{shape}; turn {number} is not"
        if turn["role"] not in ("user", "assistant"):
            return f"the role of turn {number} is user or assistant"
        if not isinstance(turn["content"], str):
            return f"the content of turn {number} is a text"
    return ""


def tool_problem(value: Any) -> str:
    """Why `value` describes no tool; empty when it does."""
    if not isinstance(value, dict) or set(value) != {"name", "description", "parameters"}:
        return 'a tool is {"name", "description", "parameters"}'
    if not isinstance(value["name"], str) or not TOOL_NAME.match(value["name"]):
        return "the name of a tool is letters, digits, _ and -, beginning with a letter"
    if not isinstance(value["description"], str):
        return "the description of a tool is a text"
    if not isinstance(value["parameters"], dict) or not is_json(value["parameters"]):
        return "the parameters of a tool are the JSON Schema of an object"
    try:
        check_schema(value["parameters"])
    except SignatureError as error:
        return f"the parameters of the tool: {error}".rstrip(".")
    return ""


def _bytes_problem(kind: str, data: str) -> str:
    if len(data) * 3 // 4 > MOST_BYTES:
        return f"it has more than {MOST_BYTES // 1_000_000} MB"
    try:
        content = binascii.a2b_base64(data.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return "its data is not base64"
    if not content.startswith(_BEGINNINGS[kind]):
        return f"its data is not of the type {kind}"
    return ""

"""Values: out of what an LM, a file or a caller wrote, and into a prompt.

Every value is JSON. There are two ways to read one. `read_value` reads what was *written*: a text
is the text form of the value, as `write_value` makes it or as an LM, a cell or a form comes near
to it. `read_json` reads what was *parsed*: a text is that text and null is null, so that a value
that was read once is read again as the same. They differ where a text could be either: `null`
under `optional[str]`, a document, code in a Markdown fence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from studio.engine.errors import ParseError
from studio.engine.fields.jsontext import fenced_blocks, find_json, is_json, load_json
from studio.engine.fields.media import (
    document_problem,
    history_problem,
    image_problem,
    tool_problem,
)
from studio.engine.fields.objects import schema_check
from studio.engine.fields.scalars import (
    expected,
    plain_text,
    read_bool,
    read_date,
    read_enum,
    read_float,
    read_int,
    read_str,
    to_json,
)
from studio.engine.fields.types import FieldType

_ABSENT = {"", "null", "None"}
"""Texts that stand for an absent value where the value itself is not in quotes."""
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_MEANT_AS_JSON = re.compile(r"""\s*(?:\[\s*["'{\[]|\[.*\]\s*\Z|\{\s*"|```|~~~)""", re.DOTALL)
"""The beginning of a list, an object or a fence, or a list from end to end."""
_LANGUAGES = {"py": "python", "python3": "python", "js": "javascript", "ts": "typescript"}
"""Other names under which models open a fence."""


def read_value(type_: FieldType, value: Any, *, field: str = "value") -> Any:
    """`value` as a value of `type_`: what an LM wrote, a cell of a file, a form.

    For an `optional`, nothing, `null` and `None` are absent; a text in double quotes is its
    content. A date with a time is its day, as written, in whatever time zone. An image is never
    fetched. Raises `ParseError` that names the field, what was expected and what came.
    """
    return _READERS[type_.kind](type_, value, field)


def read_json(type_: FieldType, value: Any, *, field: str = "value") -> Any:
    """`value`, parsed from JSON or read before, as a value of `type_`.

    Reading what was read gives the same. Raises `ParseError` that names the field, what was
    expected and what came.
    """
    return _JSON_READERS[type_.kind](type_, value, field)


def write_value(type_: FieldType, value: Any) -> str:
    """The text of a value in a prompt; `read_value` reads it back."""
    return _WRITERS[type_.kind](type_, value)


def _read_list(type_: FieldType, value: Any, field: str) -> list[Any]:
    found = _list_from_text(value) if isinstance(value, str) else value
    if not isinstance(found, (list, tuple)) or type_.item is None:
        raise expected(type_, value, field)
    read = _JSON_READERS[type_.item.kind]
    return [read(type_.item, item, f"{field}[{index}]") for index, item in enumerate(found)]


def _list_from_text(text: str) -> list[Any] | None:
    """A JSON list, an object a line, or an item a line with an optional bullet.

    None for JSON gone wrong.
    """
    found = find_json(text, list)
    if found is not None:
        return found
    if isinstance(single := load_json(text), dict):
        return [single]
    blocks = fenced_blocks(text)
    text = blocks[0][1] if blocks and blocks[0][2] else text
    items = [line for line in text.splitlines() if line.strip()]
    if _MEANT_AS_JSON.match(text):
        objects = [load_json(line) for line in items] if items[0].endswith("}") else []
        return objects if objects and all(isinstance(line, dict) for line in objects) else None
    return [item for line in items if (item := _BULLET.sub("", line).strip())]


def _read_dict(type_: FieldType, value: Any, field: str) -> dict[str, Any]:
    assert type_.item is not None
    found = _object(type_, value, field)
    read = _JSON_READERS[type_.item.kind]
    return {key: read(type_.item, item, f"{field}.{key}") for key, item in found.items()}


def _read_object(type_: FieldType, value: Any, field: str) -> dict[str, Any]:
    found = _object(type_, value, field)
    if not is_json(found):
        raise expected(type_, value, field, "it holds what is no JSON, or is nested too deeply")
    if type_.schema and (problem := schema_check(type_.schema).problem(found, field)):
        raise ParseError(problem, field=field, text=value if isinstance(value, str) else "")
    return found


def _object(type_: FieldType, value: Any, field: str) -> dict[str, Any]:
    found = find_json(value, dict) if isinstance(value, str) else value
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise expected(type_, value, field)
    return found


def _read_optional(type_: FieldType, value: Any, field: str) -> Any:
    assert type_.item is not None
    if value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if text in _ABSENT:
            return None
        if text.startswith('"') and isinstance(quoted := load_json(text), str):
            return _JSON_READERS[type_.item.kind](type_.item, quoted, field)
    return _READERS[type_.item.kind](type_.item, value, field)


def _read_json_optional(type_: FieldType, value: Any, field: str) -> Any:
    assert type_.item is not None
    if value is None:
        return None
    if (
        isinstance(value, str)
        and type_.item.kind not in ("str", "code", "document")
        and value not in type_.item.labels
        and value.strip() in _ABSENT
    ):
        return None
    return _JSON_READERS[type_.item.kind](type_.item, value, field)


def _read_image(type_: FieldType, value: Any, field: str) -> str:
    text = value.strip() if isinstance(value, str) else value
    if problem := image_problem(text):
        raise expected(type_, value, field, problem)
    return str(text)


def _read_document(type_: FieldType, value: Any, field: str) -> dict[str, str]:
    if isinstance(value, str) and "{" in value:
        blocks = fenced_blocks(value)
        found = load_json(blocks[0][1] if blocks and blocks[0][2] else value)
        if isinstance(found, dict) and ({"text", "data"} & set(found)):
            value = found
    return _read_json_document(type_, value, field)


def _read_json_document(type_: FieldType, value: Any, field: str) -> dict[str, str]:
    if isinstance(value, str):
        value = {"title": "", "text": value}
    elif isinstance(value, dict):
        value = {"title": "", **value}
    if problem := document_problem(value):
        raise expected(type_, value, field, problem)
    return dict(value)


def _read_history(type_: FieldType, value: Any, field: str) -> list[dict[str, str]]:
    found = find_json(value, list) if isinstance(value, str) else value
    if problem := history_problem(found):
        raise expected(type_, value, field, problem)
    return list(found or ())


def _read_tool(type_: FieldType, value: Any, field: str) -> dict[str, Any]:
    found = find_json(value, dict) if isinstance(value, str) else value
    if isinstance(found, dict):
        empty = {"type": "object", "properties": {}}
        found = {"description": "", "parameters": empty, **found}
    if problem := tool_problem(found):
        raise expected(type_, value, field, problem)
    return dict(found or {})


def _read_code(type_: FieldType, value: Any, field: str) -> str:
    """A fence around the whole is taken off; out of prose, the one block in the right language."""
    if not isinstance(value, str):
        raise expected(type_, value, field)
    blocks = fenced_blocks(value)
    if blocks and blocks[0][2]:
        return blocks[0][1]
    right = [body for info, body, _ in blocks if _named(type_, info)]
    return right[0] if len(right) == 1 and _begins_in_prose(value) else value


def _read_json_code(type_: FieldType, value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise expected(type_, value, field)
    blocks = fenced_blocks(value)
    return blocks[0][1] if blocks and blocks[0][2] and _named(type_, blocks[0][0]) else value


def _named(type_: FieldType, info: str) -> bool:
    word = info.split(" ")[0]
    return bool(type_.language) and type_.language in (word, _LANGUAGES.get(word))


def _begins_in_prose(text: str) -> bool:
    """Whether a sentence leads to the fence, so that it is not part of the code."""
    lead, _, _ = text.partition("```")
    lines = [line for line in lead.splitlines() if line.strip()]
    return not lines or (len(lines) <= 3 and lines[-1].rstrip().endswith((":", ".", "!")))


def _json(type_: FieldType, value: Any) -> str:
    return value if isinstance(value, str) else to_json(value)


def _write_code(type_: FieldType, value: Any) -> str:
    if not isinstance(value, str):
        return plain_text(type_, value)
    longest = max((len(run) for run in re.findall(r"`+", value)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{type_.language}\n{value}\n{fence}"


def _write_optional(type_: FieldType, value: Any) -> str:
    assert type_.item is not None
    if value is None:
        return "null"
    text = _WRITERS[type_.item.kind](type_.item, value)
    if isinstance(value, str) and (text.strip() in _ABSENT or text.lstrip().startswith('"')):
        return to_json(text)
    return text


Reader = Callable[[FieldType, Any, str], Any]

_READERS: dict[str, Reader] = {
    "str": read_str,
    "int": read_int,
    "float": read_float,
    "bool": read_bool,
    "date": read_date,
    "enum": read_enum,
    "list": _read_list,
    "dict": _read_dict,
    "object": _read_object,
    "optional": _read_optional,
    "image": _read_image,
    "document": _read_document,
    "history": _read_history,
    "tool": _read_tool,
    "code": _read_code,
}
_JSON_READERS: dict[str, Reader] = {
    **_READERS,
    "optional": _read_json_optional,
    "document": _read_json_document,
    "code": _read_json_code,
}
_WRITERS: dict[str, Callable[[FieldType, Any], str]] = {
    **dict.fromkeys(("str", "int", "float", "bool", "date", "enum", "image"), plain_text),
    **dict.fromkeys(("list", "dict", "object", "document", "history", "tool"), _json),
    "optional": _write_optional,
    "code": _write_code,
}

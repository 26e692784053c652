"""Sections in, one JSON object out; LMs that follow schemas are held to it.

Inputs stand in sections as in the chat format, because long texts are easier to read so than as
JSON strings. Values of answers keep all their white space. Around the object there may be prose
or a Markdown fence; what is nearly JSON is repaired. Of a key that stands twice the first counts.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from studio.engine.errors import ParseError
from studio.engine.fields.schemas import signature_schema
from studio.engine.formats import sections
from studio.engine.formats.base import NOT_SUPPLIED, sendable
from studio.engine.formats.notes import describe, type_text
from studio.engine.formats.turns import Found, TurnsFormat, TurnsRenderer
from studio.engine.signature import Field

_MOST_TRIES = 40
"""Braces in the prose before the object that are tried as its beginning."""
_MOST_REPAIRED = 100_000
"""Characters of an answer that is worth repairing; repairing takes more than linear time."""


class JsonRenderer(TurnsRenderer):
    """Sections in, one object out."""

    def system(self) -> str:
        """See `TurnsRenderer.system`."""
        signature = self.signature
        keys = ",\n".join(f'  "{f.name}": <{type_text(f.type)}>' for f in signature.outputs)
        return (
            f"{self.state.instruction.strip() or signature.task}\n\n"
            f"You are given:\n{describe(signature.inputs)}\n\n"
            f"You produce:\n{describe(signature.outputs)}\n\n"
            "Write your answer as one JSON object in this layout, and nothing around it:\n\n"
            f"{{\n{keys}\n}}"
        )

    def section(self, name: str, text: str) -> str:
        """See `TurnsRenderer.section`."""
        return sections.section(name, text)

    def quoted(self, text: str) -> str:
        """See `TurnsRenderer.quoted`."""
        return sections.quoted(text)

    def answer(self, values: Mapping[str, Any]) -> str:
        """See `TurnsRenderer.answer`."""
        lines = [
            f'  "{field.name}": {_written(values.get(field.name, NOT_SUPPLIED))}'
            for field in self.signature.outputs
        ]
        return sendable("{\n" + ",\n".join(lines) + "\n}")

    def ending(self, wanted: tuple[Field, ...]) -> str:
        """See `TurnsRenderer.ending`."""
        names = ", then ".join(f"`{field.name}`" for field in wanted)
        return f"Answer with one JSON object: {names}."

    def schema(self, wanted: tuple[Field, ...]) -> Mapping[str, Any]:
        """See `TurnsRenderer.schema`."""
        return signature_schema(wanted)

    def typed(self, field: Field, raw: Any) -> Any:
        """See `TurnsRenderer.typed`."""
        return field.read_json(raw)

    def reads_empty(self, field: Field) -> bool:
        """See `TurnsRenderer.reads_empty`; here null is the lack of a text."""
        return field.required or field.type.bare.kind in ("str", "code", "document")

    def find(self, text: str, wanted: tuple[Field, ...]) -> Found:
        """See `TurnsRenderer.find`."""
        names = {field.name for field in wanted}
        found = _whole(text, names)
        ended = found is not None
        if found is None:
            found = _repaired(text, names)
        if found is None:
            raise ParseError("The answer is no JSON object.", field=wanted[0].name, text=text)
        values = {name: found[name] for name in names if found.get(name) is not None}
        last = next((field.name for field in reversed(wanted) if field.name in values), "")
        return Found(values, ended=ended, last=last)

    def missing(self, field: Field) -> str:
        """See `TurnsRenderer.missing`."""
        return f"The key `{field.name}` is missing in the JSON object."


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _whole(text: str, names: Collection[str]) -> dict[str, Any] | None:
    """The object in `text`: all of it, or the first one inside that has one of the names."""
    try:
        found = _DECODER.decode(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    return next(_candidates([found] if found is not None else _inside(text), names), None)


def _inside(text: str) -> Iterator[Any]:
    """The JSON objects in a text, one after the other."""
    place = -1
    for _ in range(_MOST_TRIES):
        place = text.find("{", place + 1)
        if place < 0:
            return
        try:
            found, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            continue
        yield found
        place = end - 1


def _candidates(found: Iterable[Any], names: Collection[str]) -> Iterator[dict[str, Any]]:
    """What among `found`, or in lists among it, is an object with one of the names."""
    for value in found:
        if isinstance(value, dict):
            if any(name in value for name in names):
                yield value
        elif isinstance(value, list):
            yield from _candidates([item for item in value if isinstance(item, dict)], names)


def _repaired(text: str, names: Collection[str]) -> dict[str, Any] | None:
    """What `json_repair` makes of the text from its first brace on."""
    start = text.find("{")
    if start < 0 or len(text) > _MOST_REPAIRED:
        return None
    # Imported here: it costs 20 ms, and few answers need it.
    import json_repair

    try:
        found = json_repair.loads(text[start:], skip_json_loads=True)
    except (ValueError, RecursionError):
        return None
    made = next(_candidates([found], names), None)
    if made and made[last := list(made)[-1]] == "":
        # The text ended before this value began.
        del made[last]
    return made


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        found = dict(reversed(pairs))
    return found


# `strict=False`: LMs write line ends and tabs inside strings as they are.
_DECODER = json.JSONDecoder(object_pairs_hook=_first_wins, parse_constant=str, strict=False)

JSON = TurnsFormat(
    "json",
    "Messages that ask for one JSON object, for models and servers that hold to a schema.",
    JsonRenderer,
)

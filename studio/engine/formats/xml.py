"""Messages with tags; a value stands between `<name>` and `</name>`.

No XML is parsed: there are no entities, no attributes, no nesting. A tag of the signature's own
fields that stands in a value is written with a backslash after its bracket (`<\\name>`), and read
back without, so that no value can open or close a field; all else stands as it is. White space
at a value's ends is not kept (of code: only blank lines are dropped, for its indentation counts).
Lists, dicts and objects are JSON; a list may also come as `<item>` tags, which models like to
write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from studio.engine.formats.notes import describe
from studio.engine.formats.sections import trimmed
from studio.engine.formats.turns import Found, TurnsFormat, TurnsRenderer
from studio.engine.signature import Field

_ITEM = re.compile(r"<item>(.*?)</item>", re.DOTALL)


class XmlRenderer(TurnsRenderer):
    """Tags in, tags out."""

    @cached_property
    def _tag(self) -> re.Pattern[str]:
        """A tag of one of our fields, with the backslashes in it."""
        names = "|".join(sorted((f.name for f in self.signature.fields), key=len, reverse=True))
        return re.compile(rf"<(\\*)(/?(?:{names})\s*>)")

    def system(self) -> str:
        """See `TurnsRenderer.system`."""
        signature = self.signature
        layout = "\n".join(
            self.section(field.name, f"{{{field.name}}}") for field in signature.outputs
        )
        return (
            f"{self.state.instruction.strip() or signature.task}\n\n"
            f"You are given:\n{describe(signature.inputs)}\n\n"
            f"You produce:\n{describe(signature.outputs)}\n\n"
            "Write your answer in exactly these tags, and nothing around them:\n\n"
            f"{layout}"
        )

    def section(self, name: str, text: str) -> str:
        """See `TurnsRenderer.section`."""
        return f"<{name}>\n{text}\n</{name}>"

    def quoted(self, text: str) -> str:
        """See `TurnsRenderer.quoted`."""
        return self._tag.sub(r"<\\\1\2", text) if "<" in text else text

    def answer(self, values: Mapping[str, Any]) -> str:
        """See `TurnsRenderer.answer`."""
        return self._sections(self.signature.outputs, values, [])

    def ending(self, wanted: tuple[Field, ...]) -> str:
        """See `TurnsRenderer.ending`."""
        names = ", then ".join(f"`<{field.name}>`" for field in wanted)
        return f"Answer with {names}, each closed by its own end tag."

    def find(self, text: str, wanted: tuple[Field, ...]) -> Found:
        """A field without its end tag goes on to the next field's tag, or to the end."""
        tags = [tag for tag in self._tag.finditer(text) if not tag.group(1)]
        names = [_named(tag) for tag in tags]
        fields = {field.name: field for field in wanted}
        values: dict[str, Any] = {}
        place, last = 0, ""
        for opening, (name, closes) in enumerate(names):
            if opening < place or closes or name not in fields or name in values:
                continue
            place, closed = _end(names, opening, fields)
            stop = tags[place].start() if place < len(tags) else len(text)
            body = text[tags[opening].end() : stop]
            last = "" if closed else name
            if place == len(tags):
                body = _without_part(body, f"</{name}>")
            values[name] = self._value(fields[name], body)
        return Found(values, ended=not last and len(values) == len(fields), last=last)

    def _value(self, field: Field, body: str) -> Any:
        text = trimmed(body, code=field.type.bare.kind == "code")
        if "<" in text:
            text = self._tag.sub(_unquote, text)
            if field.type.bare.kind == "list" and text.startswith("<item>"):
                return [item.strip() for item in _ITEM.findall(text)]
        return text

    def missing(self, field: Field) -> str:
        """See `TurnsRenderer.missing`."""
        return (
            f"The field `{field.name}` is missing: expected its value between "
            f"`<{field.name}>` and `</{field.name}>`."
        )


def _named(tag: re.Match[str]) -> tuple[str, bool]:
    """The field that a tag names, and whether it closes it."""
    name = tag.group(2)[:-1].rstrip()
    return name.removeprefix("/"), name.startswith("/")


def _end(
    names: list[tuple[str, bool]], opening: int, fields: Mapping[str, Field]
) -> tuple[int, bool]:
    """Which tag ends the field that the tag `opening` opens, and whether it is its end tag."""
    name = names[opening][0]
    other = len(names)
    for place in range(opening + 1, len(names)):
        if names[place][0] == name:
            return (place, True) if names[place][1] else (min(place, other), False)
        if other == len(names) and not names[place][1] and names[place][0] in fields:
            other = place
    return other, False


def _without_part(body: str, tag: str) -> str:
    """`body` without the beginning of `tag` that it ends in."""
    bracket = body.rfind("<", -len(tag))
    return body[:bracket] if bracket >= 0 and tag.startswith(body[bracket:]) else body


def _unquote(tag: re.Match[str]) -> str:
    return f"<{tag.group(1)[1:]}{tag.group(2)}"


XML = TurnsFormat(
    "xml",
    "Messages with a tag around every field, for models that were raised on tags.",
    XmlRenderer,
)

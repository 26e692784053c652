"""A signature while it is being written: a line of text and a table that say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict

from studio.engine.errors import EngineError, SignatureError
from studio.engine.example import PredictorState
from studio.engine.formats import FORMATS
from studio.engine.signature import Signature
from studio.pipelines.prompts import stand_in

MOST_ROWS = 200
LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, as it was typed."""

    name: str = ""
    role: str = "input"
    type: str = "str"
    description: str = ""

    def to_dict(self) -> dict[str, str]:
        """As `Signature.from_fields` reads it."""
        return {
            "name": self.name.strip(),
            "role": self.role,
            "type": self.type.strip() or "str",
            "description": self.description.strip(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What stands in the form."""

    text: str
    """The string form."""
    rows: tuple[Row, ...]
    was: str
    """The string form when text and table last said the same: it tells which of them changed."""
    instruction: str = ""
    signature: Signature | None = None
    """What text and table mean, when they mean something."""
    problem: str = ""
    """Why they do not."""

    @classmethod
    def of(cls, signature: Signature) -> Draft:
        """A draft of a finished signature."""
        text = str(signature)
        rows = tuple(
            Row(field.name, field.role, str(field.type), field.description)
            for field in (*signature.inputs, *signature.outputs)
        )
        return cls(
            text=text, rows=rows, was=text, instruction=signature.instruction, signature=signature
        )

    @classmethod
    def read(cls, post: QueryDict) -> Draft:
        """What was typed. The text counts when it has changed, otherwise the table."""
        columns = (
            post.getlist(f"field_{name}") for name in ("name", "role", "type", "description")
        )
        rows = tuple(Row(*values) for values in zip(*columns, strict=False))[:MOST_ROWS]
        draft = cls(
            text=post.get("text", "")[: LONGEST + 1].strip(),
            rows=rows,
            was=post.get("was", ""),
            instruction=post.get("instruction", "").strip()[:LONGEST],
        )
        return draft.from_text() if draft.text != draft.was or not rows else draft.from_table()

    def from_text(self) -> Draft:
        """The table follows the text; descriptions stay with the names that stay."""
        try:
            signature = Signature.parse(self.text, self.instruction)
        except SignatureError as error:
            return replace(self, signature=None, problem=str(error))
        said = {row.name.strip(): row.description.strip() for row in self.rows}
        fields = (
            {**field.to_dict(), "description": said.get(field.name, "")}
            for field in signature.fields
        )
        return Draft.of(Signature.from_fields(fields, self.instruction))

    def from_table(self) -> Draft:
        """The text follows the table."""
        try:
            signature = Signature.from_fields(
                [row.to_dict() for row in self.rows], self.instruction
            )
        except SignatureError as error:
            return replace(self, signature=None, problem=str(error))
        return replace(
            self,
            text=str(signature),
            was=str(signature),
            signature=signature,
            problem="",
        )

    def act(self, action: str) -> Draft:
        """`add-input`, `add-output`, `remove:2`, `up:2`, `down:2` on the table's rows."""
        name, _, place = action.partition(":")
        rows = list(self.rows)
        if name in ("add-input", "add-output") and len(rows) < MOST_ROWS:
            role = name.removeprefix("add-")
            return replace(self, rows=(*rows, Row(self._free_name(role), role))).from_table()
        if not place.isdecimal() or int(place) >= len(rows):
            return self
        index = int(place)
        if name == "remove":
            del rows[index]
        elif name in ("up", "down"):
            other = index + (1 if name == "down" else -1)
            if 0 <= other < len(rows):
                rows[index], rows[other] = rows[other], rows[index]
        return replace(self, rows=tuple(rows)).from_table()

    def _free_name(self, stem: str) -> str:
        taken = {row.name.strip() for row in self.rows}
        names = (stem if number == 1 else f"{stem}{number}" for number in range(1, MOST_ROWS + 2))
        return next(name for name in names if name not in taken)


START = Draft.of(Signature.parse("message -> category: enum[billing, shipping]"))


@dataclass(frozen=True, slots=True)
class Preview:
    """The prompt in one format."""

    name: str
    summary: str
    prompt: str


def previews(signature: Signature) -> list[Preview]:
    """What an uncompiled predictor of this signature sends, in every format."""
    state = PredictorState(instruction=signature.instruction)
    inputs = {field.name: stand_in(field.name, field.type) for field in signature.inputs}
    return [
        Preview(name, format_.summary, _prompt(format_, signature, state, inputs))
        for name, format_ in FORMATS.items()
    ]


def _prompt(
    format_: Any, signature: Signature, state: PredictorState, inputs: Mapping[str, Any]
) -> str:
    try:
        return str(format_.preview(signature, state, inputs))
    except EngineError as error:
        return f"No preview: {error}"


def field_labels(specs: Iterable[Mapping[str, Any]]) -> list[str]:
    """The string form of each spec; what cannot be read is left empty."""
    return [_label(spec) for spec in specs]


def _label(spec: Mapping[str, Any]) -> str:
    try:
        return str(Signature.from_dict(spec))
    except SignatureError:
        return ""

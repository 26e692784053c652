"""A signature says what goes in, what comes out, and in a sentence what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from enum import Enum
from functools import cached_property
from typing import Any, Final, Literal

from studio.engine.errors import InputError, ParseError, SignatureError
from studio.engine.fields import (
    NAME,
    NO_CONSTRAINTS,
    STR,
    Constraints,
    FieldType,
    check_applies,
    check_constraints,
    parse_type,
    read_json,
    read_value,
    shorten,
    split_outside,
)

Role = Literal["input", "output"]


class Missing(Enum):
    """The one value that no default can have."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
"""The default of a field that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One named value of a signature."""

    name: str
    role: Role
    type: FieldType = STR
    description: str = ""
    """A sentence for the prompt; may be empty."""
    constraints: Constraints = NO_CONSTRAINTS
    default: Any = dataclass_field(default=MISSING, hash=False)
    """Taken when the value is absent; JSON that fits the type and the constraints."""

    def __post_init__(self) -> None:
        if self.constraints:
            check_applies(self.constraints, self.type, field=self.name)
        if self.default is MISSING:
            return
        try:
            object.__setattr__(self, "default", self.read_json(self.default))
        except ParseError as error:
            raise SignatureError(f"The default does not fit. {error}") from None

    @property
    def required(self) -> bool:
        """Whether a value must be given: there is no default, and None is none."""
        return self.default is MISSING and self.type.kind != "optional"

    def read(self, value: Any) -> Any:
        """`value`, as somebody wrote it, as a value of this field (see `read_value`).

        Raises `ParseError` that names the field, what was expected and what came.
        """
        read = read_value(self.type, value, field=self.name)
        if self.constraints:
            check_constraints(self.constraints, read, field=self.name)
        return read

    def read_json(self, value: Any) -> Any:
        """`value`, parsed from JSON or read before, as a value of this field (see `read_json`).

        Raises `ParseError` as `read` does.
        """
        read = read_json(self.type, value, field=self.name)
        if self.constraints:
            check_constraints(self.constraints, read, field=self.name)
        return read

    def absent(self) -> Any:
        """The value when none was given: the default, or None; only for fields not `required`."""
        return None if self.default is MISSING else self.default

    @property
    def label(self) -> str:
        """`order_id` as people read it: `Order Id`."""
        return self.name.replace("_", " ").title()

    def to_dict(self) -> dict[str, Any]:
        """JSON; `Field.from_dict` reads it back."""
        data: dict[str, Any] = {
            "name": self.name,
            "role": self.role,
            "type": str(self.type),
            "description": self.description,
        }
        if self.constraints:
            data["constraints"] = self.constraints.to_dict()
        if self.default is not MISSING:
            data["default"] = self.default
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Field:
        """Read what `to_dict` wrote, or raise `SignatureError`."""
        role = data.get("role")
        if role not in ("input", "output"):
            raise SignatureError(f"A field's role is input or output, not “{shorten(str(role))}”.")
        name, type_ = data.get("name"), data.get("type", "str")
        if not isinstance(name, str) or not isinstance(type_, str):
            raise SignatureError("A field needs a name and a type, both texts.")
        return cls(
            name=name,
            role=role,
            type=parse_type(type_),
            description=_read_text(data, "description", f"The description of {shorten(name)}"),
            constraints=_read_constraints(name, data.get("constraints")),
            default=data.get("default", MISSING),
        )


@dataclass(frozen=True)
class Signature:
    """Named, typed inputs and outputs, and an instruction."""

    fields: tuple[Field, ...]
    instruction: str = ""

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for field in self.fields:
            if not NAME.match(field.name):
                raise SignatureError(
                    f"“{shorten(field.name)}” is not a field name: small letters, digits and _, "
                    "beginning with a letter."
                )
            if field.name in seen:
                raise SignatureError(f"The field “{field.name}” stands twice.")
            seen.add(field.name)
        if not self.inputs or not self.outputs:
            raise SignatureError(
                "A signature needs an input and an output: write message -> category."
            )

    @classmethod
    def parse(cls, text: str, instruction: str = "") -> Signature:
        """Read `question, context: list[str] -> answer: str`; a missing type is `str`."""
        if len(text) > 20_000:
            raise SignatureError("The signature is longer than 20,000 characters.")
        sides = split_outside(text, "->")
        if len(sides) != 2:
            raise SignatureError(
                "A signature has exactly one “->”: write message -> category. "
                f"Got “{shorten(text)}”."
            )
        roles: tuple[Role, Role] = ("input", "output")
        fields = [
            _parse_field(part, role)
            for role, side in zip(roles, sides, strict=True)
            for part in split_outside(side, ",")
        ]
        return cls(tuple(fields), instruction)

    @classmethod
    def from_fields(
        cls, fields: Iterable[Field | Mapping[str, Any]], instruction: str = ""
    ) -> Signature:
        """From fields, each a `Field` or its JSON.

        The JSON has `name` and `role`, and may have `type`, `description`, `constraints` and
        `default`. Raises `SignatureError`.
        """
        read = (field if isinstance(field, Field) else Field.from_dict(field) for field in fields)
        return cls(tuple(read), instruction)

    @cached_property
    def inputs(self) -> tuple[Field, ...]:
        """The fields that go in, in order."""
        return tuple(field for field in self.fields if field.role == "input")

    @cached_property
    def outputs(self) -> tuple[Field, ...]:
        """The fields that come out, in order."""
        return tuple(field for field in self.fields if field.role == "output")

    @property
    def task(self) -> str:
        """The instruction, or a plain sentence made of the fields' names."""
        if self.instruction:
            return self.instruction
        given = ", ".join(field.name.replace("_", " ") for field in self.inputs)
        wanted = ", ".join(field.name.replace("_", " ") for field in self.outputs)
        return f"Given the {given}, produce the {wanted}."

    def __str__(self) -> str:
        """The string form; `Signature.parse` reads it back (descriptions are not part of it)."""
        sides = (self.inputs, self.outputs)
        return " -> ".join(
            ", ".join(
                field.name if field.type == STR else f"{field.name}: {field.type}"
                for field in side
            )
            for side in sides
        )

    def __getitem__(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def with_instruction(self, instruction: str) -> Signature:
        """The same fields under another instruction."""
        return replace(self, instruction=instruction)

    def append(self, field: Field) -> Signature:
        """The signature with one more field, the last of its role."""
        return self.insert(field)

    def insert(
        self, field: Field, *, index: int | None = None, before: str = "", after: str = ""
    ) -> Signature:
        """The signature with one more field: the `index`th of its role, or beside another.

        Without a place it is the last of its role. Raises `SignatureError` when there is no field
        beside which it could stand, or one of its name.
        """
        if beside := before or after:
            at = self._place(beside) + (0 if before else 1)
        else:
            same = [at for at, other in enumerate(self.fields) if other.role == field.role]
            places = [*same, same[-1] + 1 if same else len(self.fields)]
            at = places[-1 if index is None else max(0, min(index, len(same)))]
        return replace(self, fields=(*self.fields[:at], field, *self.fields[at:]))

    def insert_output(self, index: int, field: Field) -> Signature:
        """The signature with one more output, the `index`th of the outputs."""
        return self.insert(replace(field, role="output"), index=index)

    def remove(self, name: str) -> Signature:
        """The signature without a field; raises `SignatureError` when there is none to spare."""
        at = self._place(name)
        return replace(self, fields=(*self.fields[:at], *self.fields[at + 1 :]))

    def rename(self, old: str, new: str) -> Signature:
        """The signature with another name for a field; nothing else changes."""
        return self.with_field(old, replace(self.fields[self._place(old)], name=new))

    def with_field(self, name: str, field: Field) -> Signature:
        """The signature with `field` in the place of the one called `name`."""
        at = self._place(name)
        return replace(self, fields=(*self.fields[:at], field, *self.fields[at + 1 :]))

    def _place(self, name: str) -> int:
        names = [field.name for field in self.fields]
        if name not in names:
            raise SignatureError(
                f"There is no field “{shorten(name)}”. The fields are {', '.join(names)}."
            )
        return names.index(name)

    def read_inputs(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of this signature out of `values`, typed.

        Raises `InputError` that names the field when one is missing or of a wrong type.
        """
        return read_fields(self.inputs, values)

    def to_dict(self) -> dict[str, Any]:
        """JSON; `Signature.from_dict` reads it back."""
        return {
            "fields": [field.to_dict() for field in self.fields],
            "instruction": self.instruction,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Signature:
        """Read what `to_dict` wrote, or raise `SignatureError`."""
        fields = data.get("fields")
        if not isinstance(fields, list) or not all(isinstance(field, dict) for field in fields):
            raise SignatureError("A signature needs a list of fields.")
        return cls.from_fields(fields, _read_text(data, "instruction", "The instruction"))


def _read_text(data: Mapping[str, Any], key: str, what: str) -> str:
    text = data.get(key)
    if text is not None and not isinstance(text, str):
        raise SignatureError(f"{what} is a text.")
    return text or ""


def _read_constraints(name: str, data: Any) -> Constraints:
    try:
        return NO_CONSTRAINTS if data is None else Constraints.from_dict(data)
    except SignatureError as error:
        raise SignatureError(f"{shorten(name)}: {error}") from None


def _parse_field(text: str, role: Role) -> Field:
    name, colon, type_ = text.partition(":")
    if not name.strip():
        raise SignatureError("A field's name is missing: write message -> category.")
    return Field(name=name.strip(), role=role, type=parse_type(type_) if colon else STR)


def read_fields(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `fields` out of `values`, typed; what may be absent takes its default.

    Raises `InputError` that names the field when one is missing or of a wrong type.
    """
    read: dict[str, Any] = {}
    for field in fields:
        if field.name not in values:
            if field.required:
                raise InputError(f"The input “{field.name}” is missing.")
            read[field.name] = field.absent()
            continue
        try:
            read[field.name] = field.read_json(values[field.name])
        except ParseError as error:
            raise InputError(str(error)) from None
    return read

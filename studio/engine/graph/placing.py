"""The nodes of a spec out of what somebody says of them, without ids, places and wires."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from studio.engine.errors import EngineError, GraphError
from studio.engine.fields import shorten
from studio.engine.graph.written import read_fields, read_signature, with_details
from studio.engine.modules import MODULES
from studio.engine.signature import Signature

ENDS = ("input", "output")
OWN_KEYS = frozenset({"id", "kind", "name", "position"})
STEP_KEYS = OWN_KEYS | {"signature", "params", "module", "lm", "demos", "parts"}
END_KEYS = OWN_KEYS | {"fields"}
_DEEPEST = 60
"""Lists and objects inside each other."""
_LONGEST_TAKEN = 2_000
"""Letters of a type that an output takes over from what is wired to it."""


def end_json(
    kind: str, name: str, text: str, details: Mapping[str, Any], extra: Mapping[str, Any]
) -> dict[str, Any]:
    """An input or output node."""
    a_text(name, "A name")
    fields = with_details(read_fields(a_text(text, "Fields")), details, f"“{shorten(name)}”")
    return {**more(extra, END_KEYS), "kind": kind, "name": name, "fields": fields}


def step_json(
    name: str,
    kind: str,
    signature: str,
    *,
    instruction: str = "",
    params: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
    lm: str = "",
    demos: Sequence[Mapping[str, Any]] = (),
    module: str = "",
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A step, without what is inside of it."""
    a_text(name, "A name")
    if a_text(kind, "A kind") in ENDS:
        raise GraphError(
            f"“{shorten(name)}” is no step: the inputs of a pipeline stand in "
            "Drawing(inputs=…), its outputs in answer(…)."
        )
    read = with_details(
        read_signature(a_text(signature, "A signature")),
        an_object(fields or {}, "fields"),
        f"“{shorten(name)}”",
    )
    node: dict[str, Any] = {
        **more(extra or {}, STEP_KEYS),
        "kind": kind,
        "name": name,
        "signature": {"fields": read, "instruction": a_text(instruction, "An instruction")},
        "params": an_object(params or {}, "params"),
        "module": a_text(module, "A module"),
    }
    if a_text(lm, "lm"):
        node["lm"] = lm
    if demos:
        if not isinstance(demos, (list, tuple)):
            raise GraphError("demos is a list of objects: write [{…}, {…}].")
        node["demos"] = [an_object(demo, "A demo") for demo in demos]
    return node


def more(extra: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """What else a node holds. Raises `GraphError` when it has a word of its own for that."""
    read = an_object(extra, "extra")
    for key in read:
        if key in known:
            raise GraphError(f"extra cannot hold “{key}”: there is a word of its own for it.")
    return read


def a_position(at: Any) -> dict[str, Any] | None:
    """`(x, y)` as the spec has it; None: it is placed by itself."""
    if at is None:
        return None
    if isinstance(at, Mapping):
        held = an_object(at, "at")
        if _is_place(held.get("x")) and _is_place(held.get("y")):
            return held
    elif isinstance(at, (list, tuple)) and len(at) == 2 and all(map(_is_place, at)):
        return {"x": at[0], "y": at[1]}
    raise GraphError("A place is two numbers: write at=(300, 140).")


def _is_place(number: Any) -> bool:
    return (
        isinstance(number, (int, float)) and not isinstance(number, bool) and (abs(number) <= 1e12)
    )


def output_type(node: Mapping[str, Any], field: str) -> str:
    """The type of what comes out of a node, as far as it is known; else `str`."""
    for found in _outputs(node):
        if isinstance(found, dict) and found.get("name") == field:
            type_ = found.get("type", "str")
            return type_ if isinstance(type_, str) and len(type_) <= _LONGEST_TAKEN else "str"
    return "str"


def _outputs(node: Mapping[str, Any]) -> Sequence[Any]:
    if node["kind"] in ENDS:
        fields = node.get("fields")
        return fields if isinstance(fields, list) else ()
    signature = node.get("signature")
    if not isinstance(signature, dict) or not isinstance(signature.get("fields"), list):
        return ()
    told = [
        field
        for field in signature["fields"]
        if isinstance(field, dict) and field.get("role") == "output"
    ]
    try:  # a kind may add outputs, such as reasoning
        whole = MODULES[node["kind"]].ports(Signature.from_dict(signature))
    except (KeyError, EngineError):
        return told
    return [*told, *(field.to_dict() for field in whole.outputs)]


def a_text(value: Any, what: str) -> str:
    """`value`, when it is a text."""
    if not isinstance(value, str):
        raise GraphError(f"{what} is a text, not {shorten(repr(value))}.")
    return value


def an_object(value: Any, what: str) -> dict[str, Any]:
    """A copy of `value`, when it is an object of JSON."""
    if not isinstance(value, Mapping):
        raise GraphError(f"{what} is an object, not {shorten(repr(value))}: write {{…}}.")
    read = json_value(value, what)
    assert isinstance(read, dict)
    return read


def json_value(value: Any, what: str, depth: int = 0) -> Any:
    """A copy of `value`, which JSON can hold. Raises `GraphError` when it cannot."""
    if depth > _DEEPEST:
        raise GraphError(f"{what} is nested more than {_DEEPEST} deep.")
    if isinstance(value, Mapping):
        if wrong := next((key for key in value if not isinstance(key, str)), None):
            raise GraphError(f"{what}: a name is a text, not {shorten(repr(wrong))}.")
        return {key: json_value(inner, what, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(inner, what, depth + 1) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise GraphError(f"{what} holds {value}, which is no number.")
    if isinstance(value, int) and value.bit_length() > 1_024:
        raise GraphError(f"{what} holds a number with more than 300 digits.")
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise GraphError(f"{what} holds {shorten(repr(value))}, which is no JSON.")

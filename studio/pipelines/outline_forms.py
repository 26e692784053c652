"""The form of one step in the outline: what stands in it, and which edits were made in it.

The form is flat: a text under each key, as a browser sends it. `written` says what it holds when
nobody has touched it, so whatever differs from that is an edit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from studio.accounts.param_forms import ParamsForm, params_form
from studio.engine.errors import EngineError, GraphError
from studio.engine.graph import edits
from studio.engine.graph.edits import Spec
from studio.engine.graph.pinned import may_be_pinned
from studio.engine.modules import MODULES
from studio.pipelines.outline_tables import (
    DemoRow,
    FieldRow,
    Values,
    demo_fields,
    field_rows,
    read_demos,
    read_fields,
    side_of,
    write_cell,
    write_field,
)

Change = Callable[[Spec], Spec]

_PARTS = {"field": "fields", "demo": "demos", "lm": "lm"}
"""In which part of the form a key stands, where the part can be folded."""
MOST_OPTIONS = 20_000
"""Sources that the inputs of one form are offered, all together."""
_TABLE_OPS = ("add-input", "add-output", "field-remove", "field-up", "field-down")


@dataclass(frozen=True, slots=True)
class Option:
    """Something that an input could take."""

    value: str
    label: str
    chosen: bool
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class WireRow:
    """An input, and what it may be wired to."""

    field: str
    type: str
    optional: bool
    groups: tuple[tuple[str, tuple[Option, ...]], ...]
    is_short: bool = False
    """There are too many sources to list them: only the one that it has is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepForm:
    """What stands in the form of one node."""

    id: str
    values: Values
    rows: tuple[FieldRow, ...]
    wires: tuple[WireRow, ...]
    demos: tuple[DemoRow, ...]
    lms: tuple[tuple[str, str], ...]
    takes_demos: bool
    """Whether the kind shows pinned demos."""
    missing_parts: tuple[str, ...]
    """Pipelines that it may have inside and has not."""
    options: int
    """How many sources it offers."""
    params_key: str
    params: ParamsForm | None = field(compare=False)


def written(level: Spec, id_: str) -> Values:
    """The form of a node that nobody has touched."""
    node = edits.find_node(level, id_)
    values = {
        "name": node["name"],
        "kind": node["kind"],
        "text": edits.fields_text(node),
        "instruction": _instruction(node),
        "lm": node.get("lm", ""),
    }
    for number, one in enumerate(edits.table_of(node)):
        for key, text in write_field(one).items():
            values[f"field.{number}.{key}"] = text
    wires: dict[str, dict[str, Any]] = {}
    for edge in level["edges"]:
        if edge["target"] == id_:
            wires.setdefault(edge["target_field"], edge)
    for row in edits.rows_of(node):
        if row.role == "input":
            edge = wires.get(row.name)
            start = (edge["source"], edge["source_field"]) if edge else ()
            values[f"wire.{row.name}"] = json.dumps(start) if start else ""
    for number, demo in enumerate(node.get("demos", [])):
        for name, type_ in demo_fields(node):
            values[f"demo.{number}.{name}"] = write_cell(type_, demo, name)
    return values


def step_form(
    level: Spec,
    id_: str,
    lms: tuple[tuple[str, str], ...],
    posted: QueryDict | None = None,
    most_options: int = MOST_OPTIONS,
) -> StepForm:
    """The form of a node; with what was typed, when something is wrong with it.

    Inputs are offered their sources until there are `most_options`.
    """
    node = edits.find_node(level, id_)
    values = written(level, id_)
    if posted is not None:
        values |= {key: str(posted[key]) for key in posted}
    known = {slug for slug, _ in lms}
    lm = values["lm"]
    wires, options = _wires(level, node, values, most_options)
    return StepForm(
        id=id_,
        values=values,
        rows=field_rows(values),
        wires=wires,
        options=options,
        demos=tuple(
            DemoRow(
                number,
                tuple(
                    (name, side_of(node, name), str(type_), values[f"demo.{number}.{name}"])
                    for name, type_ in demo_fields(node)
                ),
            )
            for number in range(len(node.get("demos", [])))
        ),
        lms=lms if not lm or lm in known else (*lms, (lm, f"{lm} (not in this project)")),
        takes_demos=may_be_pinned(node["kind"]),
        missing_parts=_missing_parts(node),
        params_key=json.dumps(node.get("params", {}), sort_keys=True, default=str),
        params=_params_form(node, posted),
    )


def step_changes(level: Spec, id_: str, posted: QueryDict) -> list[Change]:
    """The edits that were made in the form of a node, in the order in which they are to be made.

    `level` is what the form was made of. Raises `EngineError` for what cannot be read.
    """
    node = edits.find_node(level, id_)
    before = written(level, id_)
    new = {key: str(posted[key]).replace("\r\n", "\n") for key in posted if key in before}
    changed = {key for key, text in new.items() if text.strip() != before[key].strip()}
    changes: list[Change] = [
        _rewired(id_, key.removeprefix("wire."), new[key])
        for key in sorted(changed)
        if key.startswith("wire.")
    ]
    if "text" in changed:
        set_text = edits.set_fields_text if edits.is_end(node) else edits.set_signature_text
        text = new["text"]
        changes.append(lambda now: set_text(now, id_, text))
    elif any(key.startswith("field.") for key in changed):
        table = read_fields(node, before, new)
        changes.append(lambda now: edits.set_table(now, id_, table))
    if any(key.startswith("demo.") for key in changed):
        demos = read_demos(node, before, new)
        changes.append(lambda now: edits.set_demos(now, id_, demos))
    simple: dict[str, Callable[[Spec, str, str], Spec]] = {
        "kind": edits.set_kind,
        "instruction": edits.set_instruction,
        "lm": edits.set_lm,
        "name": edits.rename,
    }
    for key, edit in simple.items():
        if key in changed:
            changes.append(_simple(edit, id_, new[key].strip()))
    if "kind" not in changed and (params := _changed_params(node, posted)) is not None:
        changes.append(lambda now: edits.set_params(now, id_, params))
    return changes


def unfolded(level: Spec, id_: str, posted: QueryDict) -> frozenset[str]:
    """The parts of the form that were used, by name: shown again, they are to be open."""
    before = written(level, id_)
    changed = {
        key.partition(".")[0]
        for key in posted
        if key in before and str(posted[key]).split() != before[key].split()
    }
    found = {_PARTS[key] for key in changed if key in _PARTS}
    if posted.get("op", "").partition(":")[0] in _TABLE_OPS:
        found.add("fields")
    try:
        params = _changed_params(edits.find_node(level, id_), posted)
    except EngineError:
        params = {}
    return frozenset(found if params is None else {*found, "settings"})


def _simple(edit: Callable[[Spec, str, str], Spec], id_: str, text: str) -> Change:
    return lambda level: edit(level, id_, text)


def _rewired(id_: str, name: str, value: str) -> Change:
    """The edit that a choice among the sources asks for."""
    if not value:
        return lambda level: edits.disconnect(level, id_, name)
    start = _read_start(value)
    if start is None:
        raise GraphError(f"“{value[:80]}” is nothing that {name} could take.")
    source, source_field, *rule = start
    if rule:
        return lambda level: edits.insert_converter(
            level, source, source_field, id_, name, rule[0]
        )
    return lambda level: edits.connect(level, source, source_field, id_, name)


def _read_start(value: str) -> list[str] | None:
    """Node, field and perhaps a conversion, as an option names them."""
    try:
        start = json.loads(value)
    except (ValueError, RecursionError):
        return None
    is_start = isinstance(start, list) and len(start) in (2, 3)
    return start if is_start and all(isinstance(word, str) for word in start) else None


def _wires(
    level: Spec, node: Mapping[str, Any], values: Values, most_options: int
) -> tuple[tuple[WireRow, ...], int]:
    """The inputs of a node with their sources, and how many of these there are."""
    wires, options = [], 0
    for row in edits.rows_of(node):
        if row.role != "input":
            continue
        is_short = options >= most_options
        if is_short:
            groups = _only_chosen(level, values.get(f"wire.{row.name}", ""))
        else:
            groups = _groups(level, node["id"], row.name, values)
        options += sum(len(offered) for _, offered in groups)
        wires.append(WireRow(row.name, row.text, row.optional, groups, is_short))
    return tuple(wires), options


def _only_chosen(level: Spec, chosen: str) -> tuple[tuple[str, tuple[Option, ...]], ...]:
    """The source that an input has, as the only one to choose."""
    start = _read_start(chosen)
    node = next((one for one in level["nodes"] if start and one["id"] == start[0]), None)
    if not start or node is None:
        return ()
    return (("As it is", (Option(chosen, f"{node['name']}.{start[1]}", chosen=True),)),)


def _groups(
    level: Spec, id_: str, name: str, values: Values
) -> tuple[tuple[str, tuple[Option, ...]], ...]:
    """The sources of an input: what fits, what would with a conversion, and what does not."""
    chosen = values.get(f"wire.{name}", "")
    fit, convert, refused = [], [], []
    for one in edits.sources_for(level, id_, name):
        value = json.dumps((one.node, one.field))
        label = f"{one.name}.{one.field}: {one.type}"
        if not one.reason:
            fit.append(Option(value, label, value == chosen))
            continue
        reason = one.reason.split(": ", 1)[-1]
        is_chosen = value == chosen
        refused.append(Option(value, f"{label} ({reason})", is_chosen, disabled=not is_chosen))
        for way in one.converters:
            value = json.dumps((one.node, one.field, way.name))
            label_ = f"{label}, via {way.title}"
            convert.append(Option(value, label_, value == chosen))
    groups = (("Fits", fit), ("With a conversion between", convert), ("Does not fit", refused))
    return tuple((title, tuple(options)) for title, options in groups if options)


def _params_form(node: Mapping[str, Any], posted: QueryDict | None) -> ParamsForm | None:
    if node["kind"] not in MODULES:
        return None
    kind = MODULES[node["kind"]].params
    if not kind.__dataclass_fields__:
        return None
    data = posted if posted is not None and posted.get("params_of") == node["kind"] else None
    return params_form(kind)(data, prefix="p", auto_id="%s", initial=node.get("params", {}))


def _changed_params(node: Mapping[str, Any], posted: QueryDict) -> dict[str, Any] | None:
    """The parameters when they are others than before, without those that say the usual.

    Raises `GraphError` with the first thing that is wrong.
    """
    form = _params_form(node, posted)
    if form is None or not form.is_bound:
        return None
    for name, errors in form.errors.items():
        raise GraphError(f"{form.fields[name].label}: {errors[0]}")
    before = node.get("params", {})
    usual = {name: one.initial for name, one in form.fields.items()}
    usual = {
        name: list(value) if isinstance(value, tuple) else value for name, value in usual.items()
    }
    params = {
        name: value
        for name, value in form.params().items()
        if name in before or value != usual[name]
    }
    return None if params == before else params


def _missing_parts(node: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        wanted = edits.parts_for(node)
    except EngineError:
        return ()
    return tuple(part.name for part in wanted if part.name not in node.get("parts", {}))


def _instruction(node: Mapping[str, Any]) -> str:
    signature = node.get("signature")
    value = signature.get("instruction") if isinstance(signature, dict) else ""
    return value if isinstance(value, str) else ""

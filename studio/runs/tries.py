"""What people ask of a try: inputs, how far it goes, and values in the place of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from studio.accounts.models import User
from studio.engine.codec import canonical_json
from studio.engine.errors import EngineError
from studio.engine.graph import spec_hash
from studio.engine.graph.excerpt import excerpt
from studio.engine.program import Program
from studio.engine.rehearsal import Plan
from studio.errors import Invalid
from studio.pipelines.models import Pipeline, PipelineVersion
from studio.pipelines.services import add_version, freeze, holds_zero
from studio.runs.inputs import read_inputs
from studio.runs.models import Run
from studio.runs.states import State

MOST_BYTES = 500_000
"""Of everything that is given to a try, as JSON."""


def read_try(
    spec: Mapping[str, Any], inputs: Mapping[str, Any], until: Any = "", given: Any = None
) -> dict[str, Any]:
    """The params of a try, checked: typed inputs, and when it is partial `until` and `given`.

    `until` is the id or the name of a step, `given` is `{name of a step: {field: value}}`. Raises
    `Invalid` with a sentence, and with the problems where a list of them is known.
    """
    until, given = until or "", {} if given is None else given
    if not isinstance(until, str):
        raise Invalid("until names the step that the run ends at: send its id, a text.")
    if not isinstance(given, Mapping) or not all(
        isinstance(name, str) and isinstance(values, Mapping) for name, values in given.items()
    ):
        raise Invalid('given holds values by step and field: send {"plan": {"steps": …}}.')
    _check_size(inputs, given)
    try:
        part = excerpt(spec, until=until, given=given)
        plan = Plan.of(part.program, _of(part.program, given), part.until)
    except EngineError as error:
        problems = list(getattr(error, "problems", ()))
        raise Invalid(str(error), problems=problems) from None
    if not until and not given:
        return {"inputs": read_inputs(part.program, inputs)}
    needed = {field.name for field in plan.inputs}
    read = read_inputs(
        replace(part.program, inputs=plan.inputs),
        {name: value for name, value in inputs.items() if name in needed},
    )
    # What this part does not need is kept as it was sent: people go on from there.
    return {
        "inputs": {**_others(spec, inputs), **read},
        "until": part.end if part.until else "",
        "given": dict(plan.given),
    }


def version_for_try(*, actor: User, pipeline: Pipeline, partial: bool) -> PipelineVersion:
    """The drawing as it is now. For a part of it, the rest may be unfinished.

    The caller is in a transaction. Raises `Invalid` when all of it is to run, and it does not.
    """
    if not partial:
        return freeze(actor=actor, pipeline=pipeline)
    try:
        return freeze(actor=actor, pipeline=pipeline)
    except Invalid:
        locked = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
        found = locked.versions.filter(hash=spec_hash(locked.spec)).first()
        return found or add_version(locked, actor=actor, spec=locked.spec)


def last_try(*, user: User, pipeline: Pipeline) -> Run | None:
    """The try of this pipeline that this person has started last, of those that have ended."""
    ended = [state for state in State if state.is_final]
    return (
        Run.objects.filter(
            kind=Run.Kind.TRY, version__pipeline=pipeline, created_by=user, state__in=ended
        )
        .select_related("connection")
        .order_by("-created_at")
        .first()
    )


def _of(program: Program, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given of the program's own nodes; others are not asked for."""
    names = {place.name for place in program.places}
    return {name: values for name, values in given.items() if name in names}


def _others(spec: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Of the inputs those that the drawing has, needed or not."""
    ends = [node.get("fields") for node in spec["nodes"] if node["kind"] == "input"]
    known = [
        field.get("name")
        for fields in ends
        if isinstance(fields, list)
        for field in fields
        if isinstance(field, Mapping)
    ]
    return {name: value for name, value in inputs.items() if name in known}


def _check_size(inputs: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    try:
        text = canonical_json([dict(inputs), dict(given)])
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        raise Invalid("The values are no JSON: a number or a text in them is none.") from None
    if size > MOST_BYTES:
        raise Invalid(
            f"The values are {size:,} bytes long; {MOST_BYTES:,} is the most that a try takes."
        )
    if holds_zero(text):
        raise Invalid("A text of the values holds the character zero: remove it.")

"""A program as a JSON document, and back: nothing in it is ever run.

    {"format": "compile-studio/program", "version": 1, "engine": "0.1.0",
     "spec": {…}, "states": {"answer": {"signature": {…}, "instruction": "…", "demos": […],
     "calibration": {}}}, "provenance": {…}}

A state alone (`compile-studio/state`) has no spec: it is for programs that are written in Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from studio.engine.errors import EngineError, StateError
from studio.engine.example import Candidate
from studio.engine.graph import build
from studio.engine.program import Program
from studio.engine.saving.reading import check_json, read_object, shown
from studio.engine.saving.states import read_states, write_states

PROGRAM = "compile-studio/program"
STATE = "compile-studio/state"
VERSION = 1


class Loaded(NamedTuple):
    """What a saved program holds."""

    spec: dict[str, Any]
    program: Program
    """Set as the candidate says: ready to be called."""
    candidate: Candidate


def dump_program(
    spec: Mapping[str, Any], candidate: Candidate, *, provenance: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A spec and what a compiler found for it, as JSON; `load_program` reads it back.

    `provenance` is any JSON that says where it comes from. Raises `GraphError` for a spec that
    does not build, and `StateError` when the candidate is for other predictors.
    """
    data = {
        **_header(PROGRAM),
        "spec": dict(spec),
        "states": write_states(build(spec), candidate),
    }
    if provenance is not None:
        data["provenance"] = dict(provenance)
    check_json(data, what="The program")
    return data


def load_program(data: str | bytes | Mapping[str, Any]) -> Loaded:
    """What `dump_program` wrote: JSON, or its text.

    Raises `StateError` that says what is wrong: no such file, from a newer version, a spec that
    does not build any more, states that are for another program.
    """
    read = _read(data, PROGRAM, "This saved program")
    spec = read.get("spec")
    if not isinstance(spec, dict):
        raise StateError("This saved program has no spec: expected an object.")
    if not isinstance(read.get("provenance", {}), dict):
        raise StateError("This saved program's provenance is no object.")
    try:
        program = build(spec)
    except StateError:
        raise
    except EngineError as error:
        raise StateError(f"This saved program does not build here. {error}") from error
    candidate = read_states(read.get("states"), program, what="This saved program")
    return Loaded(spec, program.apply(candidate), candidate)


def dump_state(program: Program, candidate: Candidate | None = None) -> dict[str, Any]:
    """How a program's predictors are set (or how `candidate` sets them), as JSON."""
    states = write_states(program, program.candidate() if candidate is None else candidate)
    data = {**_header(STATE), "states": states}
    check_json(data, what="The state")
    return data


def load_state(program: Program, data: str | bytes | Mapping[str, Any]) -> Program:
    """The program, set as `dump_state` or `dump_program` saved it.

    Values are matched by the predictors' paths and the fields' names: the order may have changed.
    Raises `StateError` that tells every predictor, field and type that differs.
    """
    read = _read(data, STATE, "This saved state", also=PROGRAM)
    return program.apply(read_states(read.get("states"), program, what="This saved state"))


def _header(format_: str) -> dict[str, Any]:
    return {"format": format_, "version": VERSION, "engine": _engine_version()}


@cache
def _engine_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("compile-studio")
    except PackageNotFoundError:
        return ""


def _read(
    data: str | bytes | Mapping[str, Any], format_: str, what: str, also: str = ""
) -> dict[str, Any]:
    read = read_object(data, what=what)
    if read.get("format") not in (format_, also or format_):
        raise StateError(
            f"{what}: expected the format {format_}, got {shown(read.get('format'))}. "
            "What DSPy saved is read by read_dspy_state."
        )
    version = read.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StateError(f"{what}: its version is {shown(version)}; expected a whole number.")
    if version > VERSION:
        by = read.get("engine")
        newer = f" {by[:40]}" if isinstance(by, str) and by else ""
        raise StateError(
            f"{what} is of version {version}, written by a newer studio{newer}; this one reads "
            f"up to {VERSION}. Update the studio, or save it again with the older one."
        )
    return read

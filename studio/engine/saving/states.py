"""The states of predictors as JSON: each with the signature that it was made for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.errors import SignatureError, StateError
from studio.engine.example import Candidate, PredictorState
from studio.engine.program import Program
from studio.engine.saving.drift import check_demos, check_drift
from studio.engine.saving.reading import shown
from studio.engine.signature import Signature


def write_states(program: Program, candidate: Candidate) -> dict[str, Any]:
    """For each predictor of `program` its signature and what `candidate` sets.

    Raises `StateError` when the candidate is for other predictors.
    """
    signatures = program.predictors_of(candidate.states)
    strangers = sorted(set(signatures) ^ set(candidate.states))
    if strangers:
        raise StateError(
            f"The candidate does not belong to this program: only one of them has “{strangers[0]}”"
            f" (the program has {', '.join(sorted(signatures)) or 'no predictors'})."
        )
    return {
        path: {"signature": signature.to_dict(), **candidate.states[path].to_dict()}
        for path, signature in signatures.items()
    }


def read_states(data: Any, program: Program, *, what: str) -> Candidate:
    """What `write_states` wrote, for a program with the same predictors and fields.

    Fields may stand in another order. Raises `StateError` with every difference.
    """
    if not isinstance(data, dict):
        raise StateError(f"{what}: “states” must be an object with an entry for each predictor.")
    saved = {path: _read_signature(path, state) for path, state in data.items()}
    now = program.predictors_of(data)
    check_drift(saved, now, what=what)
    states = {path: _read_state(path, data[path]) for path in now}
    for path, state in states.items():
        check_demos(path, state, saved[path], now[path])
    return Candidate(states)


def _read_signature(path: str, data: Any) -> Signature:
    signature = data.get("signature") if isinstance(data, dict) else None
    if not isinstance(signature, dict):
        raise StateError(f"“{path}”: its signature is missing: expected an object.")
    try:
        read = Signature.from_dict(signature)
    except (SignatureError, AttributeError, TypeError, ValueError) as error:
        raise StateError(f"“{path}”: its signature cannot be read: {error}") from None
    return read


def _read_state(path: str, data: Mapping[str, Any]) -> PredictorState:
    given = {key: value for key, value in data.items() if key != "signature"}
    if not isinstance(given.get("instruction"), str):
        raise StateError(f"“{path}”: its instruction is missing, or no text.")
    try:
        state = PredictorState.from_dict(given)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StateError(
            f"“{path}”: its state does not have the expected shape "
            f"({type(error).__name__}: {error})."
        ) from None
    _check_kept(given, state.to_dict(), f"“{path}”")
    return state


def _check_kept(given: Any, read: Any, place: str) -> None:
    """Raise `StateError` where reading would change or lose something."""
    if isinstance(given, dict) and isinstance(read, dict):
        for key, value in given.items():
            if key not in read:
                raise StateError(f"{place}: it has “{key[:80]}”, which is not known here.")
            _check_kept(value, read[key], f"{place}, {key[:80]}")
    elif isinstance(given, list) and isinstance(read, (list, tuple)) and len(given) == len(read):
        for number, (before, after) in enumerate(zip(given, read, strict=True), 1):
            _check_kept(before, after, f"{place} {number}")
    elif isinstance(given, bool) != isinstance(read, bool) or given != read:
        raise StateError(f"{place}: {shown(given)} cannot stand here.")

"""What differs between the predictors of a saved state and those of a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from studio.engine.errors import ParseError, StateError
from studio.engine.example import PredictorState
from studio.engine.signature import Field, Signature

_MOST_TOLD = 6


def check_drift(
    saved: Mapping[str, Signature], now: Mapping[str, Signature], *, what: str
) -> None:
    """Raise `StateError` that tells every difference that makes the saved state another one's.

    The order of fields and predictors, descriptions, defaults and constraints may differ.
    """
    told = [
        *(f"the program has no predictor “{path}”" for path in _less(saved, now)),
        *(f"nothing is saved for its predictor “{path}”" for path in _less(now, saved)),
        *(
            difference
            for path, signature in now.items()
            if path in saved
            for difference in _fields(path, saved[path], signature)
        ),
    ]
    if not told:
        return
    more = f"; and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    raise StateError(
        f"{what} is for another program: {'; '.join(told[:_MOST_TOLD])}{more}. "
        "Load it into the program that it was saved from, or compile this one anew."
    )


def check_demos(path: str, state: PredictorState, saved: Signature, now: Signature) -> None:
    """Raise `StateError` for a demo that breaks a constraint which was not there when saved."""
    before = {field.name: field.constraints for field in saved.fields}
    stricter = [field for field in now.fields if field.constraints != before.get(field.name)]
    for number, demo in enumerate(state.demos, 1):
        for field in stricter:
            if field.name not in demo.values:
                continue
            try:
                field.read_json(demo.values[field.name])
            except ParseError as error:
                raise StateError(
                    f"“{path}”, demo {number}: {error} The constraint is newer than the demo: "
                    "loosen it, or take the demo out."
                ) from None


def _fields(path: str, saved: Signature, now: Signature) -> Iterable[str]:
    before = {field.name: field for field in saved.fields}
    after = {field.name: field for field in now.fields}
    where = f"“{path}”"
    for name in _less(before, after):
        yield f"{where} has no field “{name}” any more"
    for name in _less(after, before):
        yield f"{where} has a new field “{name}”"
    for name, field in after.items():
        if name in before:
            yield from _field(where, before[name], field)


def _field(where: str, before: Field, after: Field) -> Iterable[str]:
    if before.role != after.role:
        yield f"the field “{after.name}” of {where} was an {before.role} and is an {after.role}"
    if before.type != after.type:
        yield (f"the field “{after.name}” of {where} was {_type(before)} and is {_type(after)}")


def _type(field: Field) -> str:
    text = str(field.type)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _less(these: Mapping[str, Any], those: Mapping[str, Any]) -> list[str]:
    return [name for name in these if name not in those]

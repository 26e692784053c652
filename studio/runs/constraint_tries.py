"""A constraint tried on rows of a dataset: of which would it be broken, and what is then said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.engine.errors import EngineError, ParseError, SandboxError
from studio.engine.fields import Constraints
from studio.engine.lm.nobody import Nobody
from studio.engine.modules.constraint import Check
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature
from studio.pipelines.constraints import Place
from studio.runs.metric_rows import TrialRow
from studio.sandboxes import shared_sandbox

SECONDS = 5.0
"""For all rows together."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a constraint says of one row."""

    row: TrialRow
    wrong: str = ""
    """What is told to the model; empty: it holds."""
    problem: str = ""
    """Why it cannot be said."""


def try_bounds(
    place: Place, constraints: Mapping[str, Any], rows: Sequence[TrialRow]
) -> list[Held]:
    """Which rows' values of the field are within the bounds. Raises `EngineError`."""
    assert place.field is not None
    raw = {key: value for key, value in place.field.items() if key != "constraints"}
    field = replace(
        Field.from_dict({**raw, "role": "output"}), constraints=Constraints.from_dict(constraints)
    )
    return [_read(field, row) for row in rows]


def try_check(place: Place, params: Mapping[str, Any], rows: Sequence[TrialRow]) -> list[Held]:
    """What the check says of each row. Raises `EngineError` when its code cannot be read."""
    signature = Signature.from_dict(place.node.get("signature") or {"fields": []})
    message = str(params.get("message") or "")
    check = Check.read(str(params.get("check") or ""), message, signature)
    return asyncio.run(_check_all(check, signature, rows))


async def _check_all(check: Check, signature: Signature, rows: Sequence[TrialRow]) -> list[Held]:
    end = time.monotonic() + SECONDS
    runtime = Runtime(lm=Nobody(), sandbox=shared_sandbox())
    return [await _check(check, signature, row, runtime, end) for row in rows]


async def _check(
    check: Check, signature: Signature, row: TrialRow, runtime: Runtime, end: float
) -> Held:
    there = {**row.values, **row.prediction}
    wanted = check.asks if check.asks is not None else [f.name for f in signature.fields]
    missing = [name for name in wanted if name not in there]
    if missing and check.asks is not None:
        return Held(row, problem=f"The row has no “{missing[0]}”.")
    left = end - time.monotonic()
    if left <= 0:
        return Held(row, problem=f"Not run: the rows before it took all {SECONDS:g} s.")
    values = {name: there[name] for name in wanted if name in there}
    try:
        async with asyncio.timeout(left):
            return Held(row, wrong=await check(values, runtime))
    except TimeoutError:
        return Held(row, problem=f"Stopped: all rows together have {SECONDS:g} s.")
    except SandboxError as error:
        more = f" The row has no “{missing[0]}”." if missing else ""
        return Held(row, problem=f"{error}{more}")


def _read(field: Field, row: TrialRow) -> Held:
    there = {**row.values, **row.prediction}
    if there.get(field.name) is None:
        return Held(row, problem=f"The row has no “{field.name}”.")
    try:
        field.read(there[field.name])
    except ParseError as error:
        return Held(row, wrong=str(error))
    except EngineError as error:
        return Held(row, problem=str(error))
    return Held(row)

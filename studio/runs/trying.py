"""The work of a try: run the pipeline, or a part of it, and tell how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async

from studio.engine.rehearsal import rehearse
from studio.runs import leases
from studio.runs.live import Live

if TYPE_CHECKING:
    from studio.runs.jobs import Job

_ENDS = ("input", "output")
TELL_EVERY_S = 0.25
"""What the LM writes comes in small pieces: not each of them is worth a write."""


async def try_(job: Job) -> dict[str, Any]:
    """Run the program once: `{"outputs", "steps", "nodes"}`.

    Of a try that fails or is stopped, `job.kept` says how far it came.
    """
    params, excerpt = job.run.params, job.excerpt
    there = {place.name for place in excerpt.program.places}
    drawn = [node["name"] for node in job.run.version.spec["nodes"] if node["kind"] not in _ENDS]
    live = Live(excerpt.program, [name for name in drawn if name not in there])
    lm = await sync_to_async(job.open_lm)()
    runtime = replace(await sync_to_async(job.equip)(lm), listener=live.write)
    job.kept = lambda: _report(job, live, {})
    async with _written(job, live):
        found = await rehearse(
            excerpt.program,
            params["inputs"],
            runtime,
            given=params.get("given", {}),
            until=excerpt.until,
            hear=live.hear,
        )
    if found.error is not None:
        raise found.error
    return _report(job, live, dict(found.outputs))


def _report(job: Job, live: Live, outputs: dict[str, Any]) -> dict[str, Any]:
    until = job.excerpt.until
    return {**live.report(outputs), **({"until": until} if until else {})}


@asynccontextmanager
async def _written(job: Job, live: Live) -> AsyncGenerator[None, None]:
    """While this is open, what changes is written to the run's row; at last how it ended.

    Writing goes on beside the work, which never waits for it. A run that somebody else has taken
    over is not written to: the heartbeat finds out, and ends the work.
    """

    async def write() -> None:
        await sync_to_async(leases.tell)(job.run.pk, job.owner, live.snapshot())

    async def keep_writing() -> None:
        while True:
            await live.changed.wait()
            live.changed.clear()
            await write()
            await asyncio.sleep(TELL_EVERY_S)

    writing = asyncio.create_task(keep_writing())
    try:
        yield
    except BaseException:
        live.stop("The run ended before this step did.")
        raise
    finally:
        writing.cancel()
        await asyncio.wait((writing,))
        if not writing.cancelled():
            writing.result()  # it ends by itself only when the database is away
        await write()

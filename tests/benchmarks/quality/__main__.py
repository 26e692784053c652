"""Runs what is missing, keeps it, and prints the table.

`python -m tests.benchmarks.quality [--json] [--tasks …] [--seeds 0 1 2] [--keep FILE]
[--calls N] [--sides …] [--report]`. Each outcome is appended to the file of `--keep` when it is
there, and beside it stands a file with every answer of the LM, so that a run that was cut off goes
on where it was; `--report` only prints what the file has. An answer that is known counts as a call
all the same. All sides answer the same test examples, which no compile saw.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from studio.engine.lm.base import LM
from studio.engine.lm.cached import Cached, SQLiteStore
from studio.engine.lm.embedded import EmbeddedLM
from tests.benchmarks.quality import ours, report
from tests.benchmarks.quality.bridge import Bridge
from tests.benchmarks.quality.outcome import Kept
from tests.benchmarks.quality.server import running_server
from tests.benchmarks.quality.tasks import TASKS, data_folder, load

DSPY_SIDES = (
    "dspy random search, our format",
    "dspy mipro, our format",
    "dspy random search",
    "dspy mipro",
)


async def run(options: argparse.Namespace, kept: Kept, data: Path) -> None:
    """Every side that is missing; each seed for all tasks before the next seed."""
    wanted = [
        (name, seed, side)
        for seed in options.seeds
        for side in options.sides
        for name in options.tasks
    ]
    models = Path(options.model_dir or tempfile.gettempdir()) / "compile-studio-quality"
    async with running_server(models) as endpoint:
        lm: LM = EmbeddedLM(endpoint)
        if kept.path:
            lm = Cached(lm, SQLiteStore(kept.path.with_suffix(".answers.sqlite3")))
        for name, seed, side in wanted:
            task = load(name, seed, data)
            calls = options.calls or task.calls
            key = (name, seed, side, calls)
            if key in kept.outcomes:
                continue
            if side == report.OURS:
                outcome = await ours.measure(task, seed, lm, calls)
            else:
                from tests.benchmarks.quality.theirs import SIDES

                bridge = Bridge(lm, asyncio.get_running_loop())
                outcome = await asyncio.to_thread(SIDES[side].measure, task, seed, bridge, calls)
            kept.add(key, outcome)
            sys.stderr.write(
                f"{name}, seed {seed}, {side}: {outcome.accuracy:.3f} "
                f"({outcome.calls} calls, {outcome.seconds:.0f} s)\n"
            )
        await lm.aclose()


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    sides = (report.OURS, *DSPY_SIDES)
    parser.add_argument("--sides", nargs="+", default=list(sides), choices=sides)
    parser.add_argument("--calls", type=int, default=0, help="for each compile; 0: the task's")
    parser.add_argument("--data", default="", help="the folder that holds banking77")
    parser.add_argument("--model-dir", default="", help="where the model's file is put together")
    parser.add_argument("--keep", type=Path, help="a file that gets every outcome")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--json", action="store_true", help="end in one line of JSON")
    options = parser.parse_args()
    if options.report and not options.keep:
        parser.error("--report prints what a file has: name it with --keep.")
    kept = Kept(options.keep)
    if not options.report:
        needed = any(name != "triage" for name in options.tasks)
        data = data_folder(options.data) if needed else Path()
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        asyncio.run(run(options, kept, data))
    chosen = {
        key: outcome
        for key, outcome in kept.outcomes.items()
        if key[0] in options.tasks
        and key[1] in options.seeds
        and (not options.calls or key[3] == options.calls)
    }
    if options.json:
        sys.stdout.write(f"{json.dumps(report.summary(chosen))}\n")
    else:
        sys.stdout.write(report.table(chosen))


if __name__ == "__main__":
    main()

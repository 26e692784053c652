"""Compiles the sample project on the embedded LM, as its users would, and says what came of it.

`python -m tests.benchmarks.triage [--seeds 0 1 2] [--json]` runs `manage.py compile` once for each
seed on a data folder of its own, so that no answer comes from an earlier run's cache. Beside the
three results stand what the same model does when it writes freely, and what one gets without a
model: guessing, and always saying the commonest label. All on the same held-out messages.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studio.engine.evaluation import MemoryLedger, evaluate_all
from studio.engine.example import Example
from studio.engine.graph import build
from studio.engine.lm.compose import compose
from studio.engine.lm.embedded import EmbeddedLM
from studio.engine.lm.embedded_server import running_server
from studio.engine.messages import LabelScores
from studio.engine.metrics import make_metric
from studio.engine.runtime import Runtime

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "studio" / "samples" / "support_triage.csv"


class FreeLM(EmbeddedLM):
    """The same model, writing its answer instead of having its labels scored."""

    scores_labels = False

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """Not here."""
        raise NotImplementedError


def held_out() -> list[Example]:
    """The sample's test messages."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        return [
            Example({"message": row["message"], "category": row["category"]})
            for row in csv.DictReader(file)
            if row["split"] == "test"
        ]


async def free_decoding(model_dir: Path) -> float:
    """Accuracy of the uncompiled one-step pipeline when the model writes freely."""
    import django

    django.setup()
    from studio.runs.sample import one_step_spec

    program = build(one_step_spec())
    metric = make_metric("exact_match", {"field": "category"})
    async with running_server(model_dir) as endpoint:
        lm = compose(FreeLM(endpoint), concurrency=2)
        runtime = Runtime(lm=lm, max_tokens=16)
        found = await evaluate_all(
            program, program.candidate(), held_out(), metric, runtime, MemoryLedger()
        )
        await lm.aclose()
    return found.mean or 0.0


def manage(data: Path, *arguments: str) -> str:
    """What `manage.py` printed."""
    names = ("DATABASE_URL", "BROKER_URL", "EMBEDDED_LM_URL")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**kept, "STUDIO_DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "studio.settings"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=1800,
    )
    return done.stdout


def compile_once(folder: Path, pipeline: str, seed: int) -> dict[str, Any]:
    """The line of JSON of one compile, from nothing."""
    data = folder / f"{pipeline}-{seed}"
    manage(data, "quickstart", "--prepare-only")
    before = time.monotonic()
    line: dict[str, Any] = json.loads(
        manage(data, "compile", pipeline, "--seed", str(seed), "--json").splitlines()[-1]
    )
    return {**line, "seed": seed, "whole_command_s": round(time.monotonic() - before, 1)}


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pipeline", default="support-triage")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    labels = Counter(str(example.values["category"]) for example in held_out())
    total = sum(labels.values())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STUDIO_DATA_DIR"] = str(Path(folder) / "free")
        os.environ["DJANGO_SETTINGS_MODULE"] = "studio.settings"
        runs = [compile_once(Path(folder), options.pipeline, seed) for seed in options.seeds]
        free = asyncio.run(free_decoding(Path(folder) / "models"))
    result = {
        "held_out": total,
        "runs": runs,
        "free_decoding": round(free, 4),
        "random_guess": round(1 / len(labels), 4),
        "majority_class": round(max(labels.values()) / total, 4),
        "load_average": [round(value, 1) for value in os.getloadavg()],
    }
    if options.json:
        sys.stdout.write(f"{json.dumps(result)}\n")
        return
    lines = [
        f"{options.pipeline}, embedded LM, {total} held-out messages",
        f"  free decoding, uncompiled  {free:.3f}",
        f"  random guess               {result['random_guess']:.3f}",
        f"  majority class             {result['majority_class']:.3f}",
        "  seed  uncompiled  compiled  difference (95 % interval)   calls  seconds",
    ]
    for run in runs:
        gain = run["difference"]
        lines.append(
            f"  {run['seed']:>4}  {run['baseline']:>10.3f}  {run['compiled']:>8.3f}  "
            f"{gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})     "
            f"{run['calls']:>5}  {run['seconds']:>7.1f}"
        )
    lines.append(f"  load average {result['load_average']}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

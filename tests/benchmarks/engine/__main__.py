"""Runs both sides in turn, each measurement in a process of its own, and prints the ratios.

`python -m tests.benchmarks.engine [--json] [--rounds 5]`. With `--json` the last line of the
output is one JSON object. Sends its traffic to a server of its own on this machine's loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.benchmarks.engine import task

SLOW_CALLS = 640
FAST_CALLS = 3_200
MEASUREMENTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "aiohttp": ("bare", "chat", {"calls": FAST_CALLS}),
    "ours": ("ours", "chat", {"calls": FAST_CALLS}),
    "dspy threads": ("theirs", "chat", {"calls": SLOW_CALLS}),
    "dspy async": ("theirs", "chat_async", {"calls": SLOW_CALLS}),
    "ours, 256 in flight": (
        "ours",
        "chat",
        {"calls": 2 * FAST_CALLS, "in_flight": task.MANY_IN_FLIGHT},
    ),
    "dspy threads, 256 in flight": (
        "theirs",
        "chat",
        {"calls": 2 * SLOW_CALLS, "in_flight": task.MANY_IN_FLIGHT},
    ),
    "ours, 16 demos": ("ours", "chat", {"calls": FAST_CALLS, "demos": True}),
    "dspy threads, 16 demos": ("theirs", "chat", {"calls": SLOW_CALLS, "demos": True}),
    "dspy async, 16 demos": ("theirs", "chat_async", {"calls": SLOW_CALLS, "demos": True}),
    "ours, bookkeeping": ("ours", "bookkeeping", {"number": task.EXAMPLES}),
    "dspy, bookkeeping": ("theirs", "bookkeeping", {"number": task.EXAMPLES}),
    "ours, react": ("ours", "agent", {"runs": task.AGENT_RUNS}),
    "dspy, react": ("theirs", "agent", {"runs": task.AGENT_RUNS}),
}
"""Name: (module, function, arguments); functions with `url` get the server's."""


@contextmanager
def server() -> Iterator[str]:
    """The address of a server in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.engine.server", str(task.LATENCY_S)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.terminate()


def measure_here(name: str, url: str) -> dict[str, float]:
    """One measurement in this process."""
    module, function, arguments = MEASUREMENTS[name]
    imported = __import__(f"tests.benchmarks.engine.{module}", fromlist=[function])
    call = getattr(imported, function)
    if "url" in inspect.signature(call).parameters:
        arguments = {"url": url, **arguments}
    if module == "bare":
        from tests.benchmarks.engine import ours

        arguments = {**arguments, "body": ours.body()}
    found = call(**arguments)
    return asyncio.run(found) if inspect.isawaitable(found) else found  # type: ignore[arg-type]


def measure(name: str, url: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.engine", "--one", name, "--url", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def import_seconds(rounds: int) -> float:
    """The median time of `import studio.engine` with all that a first program needs."""
    code = (
        "import time; start = time.perf_counter(); import studio.engine; "
        "from studio.engine import Predict, Program, Runtime, evaluate; "
        "print(time.perf_counter() - start)"
    )
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(rounds + 2)
    ]
    return statistics.median(times)


def flat_memory(number: int = 100_000) -> dict[str, float]:
    """The peak of our process after a tenth of the examples and after all."""
    code = (
        "import asyncio, json; from tests.benchmarks.engine import ours; "
        f"print(json.dumps(asyncio.run(ours.memory({number}))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def ratios(medians: dict[str, dict[str, float]]) -> dict[str, float]:
    """Ours against theirs; where DSPy has two ways, its better one counts."""

    def cpu(name: str) -> float:
        return medians[name]["cpu_ms_per_call"]

    theirs = ("dspy threads", "dspy async")
    rate = {name: medians[name]["calls_per_s"] for name in ("ours", "aiohttp", *theirs)}
    return {
        "throughput_vs_dspy": rate["ours"] / max(rate[name] for name in theirs),
        "throughput_256_in_flight_vs_dspy": medians["ours, 256 in flight"]["calls_per_s"]
        / medians["dspy threads, 256 in flight"]["calls_per_s"],
        "throughput_vs_aiohttp": rate["ours"] / rate["aiohttp"],
        "cpu_per_call_vs_dspy": cpu("ours") / min(cpu(name) for name in theirs),
        "cpu_per_call_16_demos_vs_dspy": cpu("ours, 16 demos")
        / min(cpu(f"{name}, 16 demos") for name in theirs),
        "bookkeeping_4000_vs_dspy": medians["ours, bookkeeping"]["seconds"]
        / medians["dspy, bookkeeping"]["seconds"],
        "react_vs_dspy": medians["ours, react"]["wall_ms_per_call"]
        / medians["dspy, react"]["wall_ms_per_call"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="end in one line of JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", help="names of measurements; no ratios then")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        say(json.dumps(measure_here(options.one, options.url)))
        return
    names = options.only or list(MEASUREMENTS)
    say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {options.rounds} rounds")
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with server() as url:
        for _ in range(options.rounds):
            for name in names:
                found[name].append(measure(name, url))
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in found.items()
    }
    for name, figures in medians.items():
        shown = ", ".join(f"{key} {value:.3g}" for key, value in figures.items())
        say(f"{name:26} {shown}")
    if options.only:
        return
    report: dict[str, Any] = {key: round(value, 4) for key, value in ratios(medians).items()}
    report["import_seconds"] = round(import_seconds(options.rounds), 3)
    report["memory_100000"] = {key: round(value, 1) for key, value in flat_memory().items()}
    for key, value in report.items():
        say(f"{key:30} {value}")
    if options.json:
        say(json.dumps(report))


def say(text: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Looking at processes from tests."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path


def until(condition: Callable[[], bool], seconds: float) -> float:
    """Wait for something to become true; how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"It did not happen within {seconds} s."
        time.sleep(0.05)
    return time.monotonic() - began


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and is not yet collected does not."""
    said = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(said.stdout.strip()) and not said.stdout.startswith("Z")


def none_alive(pids: Iterable[int]) -> bool:
    """Whether all have ended."""
    return not any(is_alive(pid) for pid in pids)


def children_of(pid: int) -> list[int]:
    """The processes that `pid` has started."""
    said = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = [line.split() for line in said.stdout.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def studio_environment(data_dir: Path, **more: str) -> dict[str, str]:
    """The environment of a studio of its own, away from the settings of the tests."""
    ours = ("STUDIO_", "DJANGO_", "DATABASE_URL", "BROKER_URL", "EMBEDDED_LM_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "STUDIO_DATA_DIR": str(data_dir), **more}

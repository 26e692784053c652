"""Several processes that live and die as one.

Each part runs in a process group of its own with a pipe on its standard input. The parent tells
the groups to end; and when the parent itself is killed, the pipe closes, which every part
notices: `python -m studio.supervisor -m MODULE …` is the part's side of it.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

GRACE_SECONDS = 10.0
"""From TERM to KILL."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Part:
    """One process: what people call it, and the arguments to Python that start it."""

    name: str
    arguments: Sequence[str]


class PartEnded(Exception):
    """A part ended by itself."""

    def __init__(self, name: str, status: int, log: Path) -> None:
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        super().__init__(f"The {name} {how}. Its log: {log}")
        self.name = name


class Stopped(Exception):
    """Somebody asked us to end, by Ctrl-C or a signal."""


class Supervisor:
    """Starts parts, watches them, and ends all of them when it is left.

    with Supervisor(logs=…) as supervisor:
        supervisor.start(Part("web server", ["-m", "uvicorn", …]))
        supervisor.watch()
    """

    def __init__(self, *, logs: Path, environment: Mapping[str, str] | None = None) -> None:
        self.logs = logs
        self.environment = {**os.environ, **(environment or {})}
        self._parts: dict[str, subprocess.Popen[bytes]] = {}
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Supervisor:
        self.logs.mkdir(parents=True, exist_ok=True)
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # From here on a second Ctrl-C must not leave half of the parts behind.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self.stop()
        for number, before in self._before.items():
            signal.signal(number, before)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        raise Stopped

    def log_of(self, name: str) -> Path:
        """Where a part writes what it has to say."""
        return self.logs / f"{name.replace(' ', '-')}.log"

    def start(self, part: Part, *, watches_stdin: bool = False) -> None:
        """Start a part. One that `watches_stdin` itself gets no watcher beside it."""
        log = self.log_of(part.name)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        watcher = [] if watches_stdin else ["-m", "studio.supervisor"]
        with log.open("wb") as output:
            self._parts[part.name] = subprocess.Popen(
                [sys.executable, *watcher, *part.arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=self.environment,
                process_group=0,
            )

    def check(self) -> None:
        """Raise `PartEnded` when one has ended."""
        for name, process in self._parts.items():
            status = process.poll()
            if status is not None:
                raise PartEnded(name, status, self.log_of(name))

    def watch(self, until: Callable[[], bool] = lambda: False, *, every: float = 0.1) -> None:
        """Wait until something is true; raises `PartEnded` or `Stopped` when that comes first."""
        while not until():
            self.check()
            time.sleep(every)

    def stop(self) -> None:
        """End all parts: TERM, then KILL for those that are still there after a while."""
        for process in self._parts.values():
            _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for process in self._parts.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            # Also when the first of the group has ended: it may have left children.
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._parts.clear()


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _end_with_parent() -> None:
    """Wait for the pipe on standard input to close, then end the whole process group."""
    while os.read(0, 1024):
        pass
    _signal_group(0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    _signal_group(0, signal.SIGKILL)


def main() -> None:
    """Be the module that the arguments name, and end when standard input is closed."""
    threading.Thread(target=_end_with_parent, name="supervisor", daemon=True).start()
    dash_m, module, *arguments = sys.argv[1:]
    if dash_m != "-m":
        raise SystemExit("python -m studio.supervisor -m MODULE …")
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

"""Real workers on a broker, and what they have noted."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import Celery

import studio.broker  # noqa: F401


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.05)


class Probe:
    """A broker, its producer, its workers, and what they have noted in a file."""

    def __init__(self, folder: Path, url: str, *, prefix: str = "") -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.touch()
        self.app = Celery("probe", broker=url, set_as_current=False)
        self.app.conf.broker_transport_options = {"global_keyprefix": prefix}
        self.environment = os.environ | {
            "PROBE_BROKER": url,
            "PROBE_LOG": str(self.log),
            "PROBE_PREFIX": prefix,
            # Celery's command line reads this one by itself.
            "BROKER_URL": url,
        }
        self._workers: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        """A worker in a process of its own."""
        with (self.folder / f"{name}.log").open("wb") as log:
            worker = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "tests.broker.app", "worker"),
                    *("-P", "threads", "-c", "2", "-n", name, "-l", "WARNING"),
                    *("--without-gossip", "--without-mingle", "--without-heartbeat", *options),
                ],
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self._workers.append(worker)
        return worker

    def end(self) -> None:
        """End the workers; says what they said, which pytest shows when a test has failed."""
        for worker in self._workers:
            worker.kill()
            worker.wait()
        for log in self.folder.glob("*.log"):
            sys.stdout.write(f"{log.name}:\n{log.read_text()}\n")
        self.app.close()

    def send(self, name: str, *args: object, **options: Any) -> Any:
        """Ask for a task of `tests.broker.app`."""
        return self.app.send_task(f"probe.{name}", args=args, ignore_result=True, **options)

    def lines(self) -> list[list[str]]:
        """What the workers have noted, word by word."""
        return [line.split() for line in self.log.read_text().splitlines()]

    def count(self, kind: str) -> int:
        """How many lines begin with `kind`."""
        return sum(line[0] == kind for line in self.lines())

    def answering(self) -> int:
        """How many workers answer a ping."""
        return len(self.app.control.ping(timeout=0.5) or ())

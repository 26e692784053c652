"""Several processes that live and die as one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from studio import supervisor as supervisor_module
from studio.supervisor import Part, PartEnded, Stopped, Supervisor
from tests.platform.processes import none_alive, until


def part(name: str, what: str, folder: Path) -> Part:
    return Part(name, ["-m", "tests.platform.parts", what, str(folder / f"{name}.pids")])


def pids(folder: Path, name: str) -> list[int]:
    """What a part has written about itself and its children, once it is there."""
    file = folder / f"{name}.pids"
    until(lambda: file.exists() and bool(file.read_text()), 20)
    return [int(pid) for pid in file.read_text().split()]


def test_leaving_ends_all_parts_with_their_children(tmp_path: Path) -> None:
    with Supervisor(logs=tmp_path) as parts:
        parts.start(part("one", "family", tmp_path))
        parts.start(part("two", "sleep", tmp_path))
        found = pids(tmp_path, "one") + pids(tmp_path, "two")
        assert len(found) == 3
    until(lambda: none_alive(found), 40)


def test_the_end_of_one_is_told_with_its_name_and_log(tmp_path: Path) -> None:
    with Supervisor(logs=tmp_path) as parts:
        parts.start(part("two", "sleep", tmp_path))
        found = pids(tmp_path, "two")
        parts.start(part("one", "short", tmp_path))
        with pytest.raises(PartEnded, match=r"The one ended with status 3\. Its log: .*one\.log"):
            parts.watch()
    assert "I have said why." in (tmp_path / "one.log").read_text()
    until(lambda: none_alive(found), 40)


def test_who_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "GRACE_SECONDS", 0.5)
    with Supervisor(logs=tmp_path) as parts:
        parts.start(part("one", "stubborn", tmp_path))
        found = pids(tmp_path, "one")
        began = time.monotonic()
    assert time.monotonic() - began < 30
    assert none_alive(found)


def test_a_signal_ends_the_watching(tmp_path: Path) -> None:
    with Supervisor(logs=tmp_path) as parts:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with pytest.raises(Stopped):
            parts.watch()


def test_signals_are_handled_as_before_afterwards(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Supervisor(logs=tmp_path):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_the_last_log_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text("from last time")
    with Supervisor(logs=tmp_path) as parts:
        parts.start(part("one", "sleep", tmp_path))
    assert (tmp_path / "one.log.1").read_text() == "from last time"


def test_parts_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import pathlib, time\n"
        "from studio.supervisor import Part, Supervisor\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "arguments = ['-m', 'tests.platform.parts', 'family', str(folder / 'one.pids')]\n"
        "parts = Supervisor(logs=folder).__enter__()\n"
        "parts.start(Part('one', arguments))\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        found = pids(tmp_path, "one")
        parent.kill()
    until(lambda: none_alive(found), 40)

"""Readers of binary files run in a process of their own.

The libraries that read Parquet files and workbooks are written in Rust: what a damaged or hostile
file does to them (a panic, an abort, all memory) ends a child process, and becomes a sentence.
The child sends batches through a pipe, so that it is never far ahead, and holds no secrets.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from studio.errors import Invalid

MAX_MEMORY = 2 * 1024**3
"""Bytes of memory that a child may take."""
MAX_SECONDS = 1_800
"""Seconds of processor time."""
_FOLDER = Path(__file__).with_name("children")
_STDERR = 4_000
_REASON = re.compile(r'(?:General|EOF|NYI|ArrowError|External)\("([^"\\]{3,120})')
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Child:
    """A reader that runs."""

    process: subprocess.Popen[bytes]
    output: IO[bytes]
    _stderr: IO[bytes]
    _title: str

    def finish(self) -> None:
        """Wait for its end; raises `Invalid` with the reason when that was no good one."""
        self.output.close()  # a child that still writes ends
        code = self.process.wait()
        if code:
            raise Invalid(self._why(code))

    def _why(self, code: int) -> str:
        self._stderr.seek(0, 2)
        self._stderr.seek(max(0, self._stderr.tell() - _STDERR))
        lines = self._stderr.read().decode("utf-8", "replace").strip().splitlines()
        for line in reversed(lines):
            if line.startswith('{"refused":'):
                return str(json.loads(line)["refused"])
        text = " ".join(lines)
        if any(word in text.lower() for word in ("memory", "capacity overflow")):
            return (
                f"Reading the {self._title} takes more than {MAX_MEMORY // 1024**3} GB of memory. "
                "It is damaged, or has huge cells. Export it as CSV or JSON lines."
            )
        found = _REASON.search(text)
        reason = f" ({found[1].rstrip('.')})" if found else ""
        return (
            f"The {self._title} cannot be read: it is damaged, or of a kind that is not known "
            f"here{reason}. Export it again, or as CSV."
        )


@contextmanager
def run_apart(script: str, title: str, *arguments: str) -> Iterator[Child]:
    """Run a script of `children/` for as long as the context is open."""
    limits = json.dumps({"memory": MAX_MEMORY, "seconds": MAX_SECONDS})
    command = [sys.executable, "-I", str(_FOLDER / script), limits, *arguments]
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        )
        assert process.stdout is not None
        try:
            yield Child(process, process.stdout, stderr, title)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()

"""Parts for the tests of the supervisor: `python -m tests.platform.parts WHAT FILE`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    """Write the process id into the file, then do what is asked."""
    what, file = sys.argv[1:]
    if what == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pids = [subprocess.Popen(["sleep", "60"]).pid] if what == "family" else []
    Path(file).write_text(" ".join(map(str, [*pids, os.getpid()])))
    if what == "short":
        sys.stdout.write("I have said why.\n")
        raise SystemExit(3)
    time.sleep(60)


if __name__ == "__main__":
    main()

"""Large files do not grow the web process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_hundred_megabytes_keep_the_web_process_under_300_mb() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.upload", "--megabytes", "100"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "studio.settings"},
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["web_peak_mb"] < 300, found
    assert found["kept"] == found["rows"] > 100_000

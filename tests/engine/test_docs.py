"""The code in the documentation of the library runs as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import studio.engine

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "least", "said"),
    [("engine", 8, "chain_of_thought"), ("compilers", 1, "Better than the uncompiled")],
)
def test_the_page_runs_from_top_to_bottom(
    name: str, least: int, said: str, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(snippets) >= least
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(snippets)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


def test_what_the_page_imports_and_names_is_there() -> None:
    page = (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")
    for names in re.findall(r"from studio\.engine import (.+)", page):
        assert set(names.split(", ")) <= set(studio.engine.__all__)
    for error in re.findall(r"`(\w+Error|BudgetSpent|ConstraintBroken)`", page):
        assert error in studio.engine.__all__

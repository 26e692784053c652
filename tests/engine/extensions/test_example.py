"""The example package of the documentation is installed for real, and does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.extensions.packages import ROOT, run

EXAMPLE = ROOT / "docs" / "example_extension"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example is installed, as a user does it, but offline."""
    source = tmp_path_factory.mktemp("source")
    for file in EXAMPLE.iterdir():
        if file.is_file():
            (source / file.name).write_bytes(file.read_bytes())
    site = tmp_path_factory.mktemp("site")
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--no-input"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(site), str(source)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return site


SPEC = """
import asyncio
from studio.engine import *

spec = {
    "version": 1,
    "nodes": [
        {"id": "i", "kind": "input", "name": "i", "position": {"x": 0, "y": 0},
         "fields": [{"name": "message", "type": "str", "description": ""}]},
        {"id": "s", "kind": "shout", "name": "s", "position": {"x": 0, "y": 0},
         "params": {"max_tokens": 50},
         "signature": {"instruction": "Reply.", "fields": [
             {"name": "message", "role": "input", "type": "str", "description": ""},
             {"name": "reply", "role": "output", "type": "str", "description": ""}]}},
        {"id": "o", "kind": "output", "name": "o", "position": {"x": 0, "y": 0},
         "fields": [{"name": "reply", "type": "str", "description": ""}]},
    ],
    "edges": [
        {"id": "1", "source": "i", "source_field": "message",
         "target": "s", "target_field": "message"},
        {"id": "2", "source": "s", "source_field": "reply",
         "target": "o", "target_field": "reply"},
    ],
}
lm = ScriptedLM(lambda request: "[[ ## reply ## ]]\\nhello\\n\\n[[ ## completed ## ]]")
runtime = Runtime(lm=lm)
"""


def test_the_kinds_are_in_the_tables(site: Path) -> None:
    told = run(
        site,
        "from studio.engine import *\n"
        "print(MODULES['shout'].title, NODE_KINDS['shout'].calls_lm, list(NODE_KINDS)[-2:])\n"
        "print(COMPILERS['first-k'].title, METRICS['length'].title)\n"
        "print([table.problems() for table in (MODULES, COMPILERS, METRICS, FORMATS)])\n",
    )
    assert told.splitlines() == [
        "Shout True ['shout', 'output']",
        "The first examples Length",
        "[(), (), (), ()]",
    ]


def test_a_spec_with_the_new_kind_builds_and_runs(site: Path) -> None:
    code = (
        "assert check(spec) == (), check(spec)\n"
        "answer = asyncio.run(build(spec)({'message': 'Hi'}, runtime))\n"
        "assert answer.values == {'reply': 'HELLO'}, answer\n"
        "assert [step.path for step in answer.steps] == ['s.ask']\n"
        "loaded = load_program(to_text(dump_program(spec, build(spec).candidate())))\n"
        "assert list(loaded.program.predictors) == ['s.ask']\n"
        "print('done')"
    )
    assert run(site, SPEC + code) == "done\n"


def test_a_compile_with_the_new_compiler_and_metric_runs(site: Path) -> None:
    code = (
        "program = build(spec)\n"
        "metric = make_metric('length', {'field': 'reply', 'most': 5})\n"
        "parts = [[Example({'message': f'{part} {n}', 'reply': 'HI'}) for n in range(6)]\n"
        "         for part in ('train', 'dev', 'test')]\n"
        "task = CompileTask(program=program, train=parts[0], dev=parts[1], test=parts[2],\n"
        "    metric=metric, runtime=runtime, ledger=MemoryLedger(), compiler='first-k',\n"
        "    params={'k': 2})\n"
        "async def main():\n"
        "    return [event async for event in compile_program(task)]\n"
        "events = asyncio.run(main())\n"
        "assert isinstance(events[-1], Finished)\n"
        "shown = [r for r in lm.requests if len(r.messages) == 6]\n"
        "assert shown and 'train 0' in shown[0].messages[1].content\n"
        "score = metric(parts[0][0], Prediction({'reply': 'too long'}))\n"
        "print(score.value, score.reason)\n"
    )
    assert run(site, SPEC + code) == "0.0 8 characters, 5 are allowed\n"


def test_the_code_on_the_page_runs(site: Path) -> None:
    page = (EXAMPLE.parent / "extending.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(snippets) == 1
    for snippet in snippets:
        run(site, snippet)


def test_the_page_shows_the_entry_points_of_the_example() -> None:
    page = (EXAMPLE.parent / "extending.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert shown in (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")

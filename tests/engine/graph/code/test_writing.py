"""What the code of a drawing looks like, and what cannot be written."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from studio.engine.graph.code.problems import CodeError
from studio.engine.graph.code.write import to_python
from studio.pipelines.starts import STARTS
from tests.engine.graph.test_every_kind import everything
from tests.engine.graph.test_graph import two_steps, wire


def test_it_reads_as_somebody_would_write_it() -> None:
    spec = STARTS["two-steps"].make()
    for at, node in enumerate(spec["nodes"]):
        node["position"] = {"x": 300 * at, "y": 0}
    assert to_python(spec) == (
        """from studio.engine.drawing import Drawing

pipeline = Drawing(inputs="message", at=(0, 0))

summarise = pipeline.step(
    "summarise",
    "predict",
    "message -> summary",
    instruction="Say in one short sentence what the writer wants.",
    at=(300, 0),
    message=pipeline.given.message,
)

classify = pipeline.step(
    "classify",
    "predict",
    "message, summary -> category: enum[billing, shipping, account, other]",
    instruction="Sort the message into one category.",
    at=(600, 0),
    message=pipeline.given.message,
    summary=summarise.summary,
)

pipeline.answer(at=(900, 0), summary=summarise.summary, category=classify.category)

program = pipeline.build()
"""
    )


def test_equal_drawings_have_equal_code_and_lines_stay_short() -> None:
    text = to_python(everything())
    assert text == to_python(everything())
    assert max(map(len, text.splitlines())) <= 100
    compile(text, "drawn.py", "exec")


def test_a_text_cannot_end_where_it_stands() -> None:
    spec = two_steps()
    evil = '"); import os; os.system("touch pwned")\n\'\'\'\n"""\\\r\u2028\u202e\x1b{x}'
    spec["nodes"][2]["signature"]["instruction"] = evil
    spec["nodes"][2]["name"] = evil
    text = to_python(spec)
    assert "\u202e" not in text
    assert "\x1b" not in text
    found: dict[str, Any] = {}
    done = subprocess.run(
        [sys.executable, "-c", "import ast,sys; print(len(ast.parse(sys.stdin.read()).body))"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "6\n"
    exec(compile(text.replace("program = pipeline.build()", ""), "drawn.py", "exec"), found)
    assert found["pipeline"].spec()["nodes"][2]["name"] == evil


def test_notes_and_what_is_pinned_are_written() -> None:
    spec = two_steps()
    spec["notes"] = [{"id": "t1", "text": "Ask Ada.", "position": {"x": 1, "y": 2}}]
    spec["nodes"][2] |= {"lm": "clever", "demos": [{"problem": "late", "area": "a"}]}
    text = to_python(spec)
    assert 'pipeline.note("Ask Ada.", at=(1, 2))' in text
    assert 'lm="clever",' in text
    assert 'demos=[{"problem": "late", "area": "a"}],' in text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda spec: spec["nodes"].append(spec["nodes"][1]), "Two nodes have the id “plan”"),
        (lambda spec: spec["edges"].append(wire("gone", "x", "plan", "y")), "(gone)"),
        (lambda spec: spec.update(version=2), "version 2"),
        (lambda spec: spec["nodes"][1].update(params={"x": float("nan")}), "cannot be written"),
        (lambda spec: spec["nodes"][1].update(params={"x": {1}}), "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_named(change: Any, says: str) -> None:
    spec = two_steps()
    change(spec)
    with pytest.raises(CodeError) as caught:
        to_python(spec)
    assert says in str(caught.value)


def test_what_is_no_pipeline_has_no_code() -> None:
    with pytest.raises(CodeError, match="no pipeline"):
        to_python(None)

"""Code is looked at and never run: what reads, what is refused, and at which line."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.graph import check
from studio.engine.graph.code.problems import CodeError
from studio.engine.graph.code.read import MOST_TEXT, from_python
from studio.engine.graph.code.write import to_python
from tests.engine.graph.test_graph import two_steps

HEAD = "from studio.engine.drawing import Drawing\n"
GOOD = (
    HEAD
    + """
triage = Drawing(inputs="message: str")
sort = triage.step(
    "sort", "predict", "message -> area: enum[a, b]", message=triage.given.message
)
triage.answer(area=sort.area)
program = triage.build()
"""
)


def edges(spec: dict[str, Any]) -> set[str]:
    """The wires by names."""
    names = {node["id"]: node["name"] for node in spec["nodes"]}
    return {
        f"{names[edge['source']]}.{edge['source_field']} > "
        f"{names[edge['target']]}.{edge['target_field']}"
        for edge in spec["edges"]
    }


def test_what_people_write_by_hand_reads_and_has_its_place() -> None:
    spec = from_python(GOOD)
    assert check(spec) == ()
    assert edges(spec) == {"input.message > sort.message", "sort.area > output.area"}
    assert [node["position"]["x"] for node in spec["nodes"]] == [0, 300, 600]


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace('"', "'"),
        GOOD.replace("triage", "other_name"),
        GOOD.replace("\n", "  # why\n"),
        GOOD.replace("sort = triage", "# a comment\n\nsort = triage"),
        '"""A text at the top."""\nfrom __future__ import annotations\n' + GOOD,
        GOOD.replace(HEAD, "from studio.engine import Drawing\n"),
        GOOD.replace("import Drawing", "import Drawing as D").replace("= Drawing(", "= D("),
        GOOD.replace("sort.area", 'sort["area"]'),
        GOOD.replace("message=triage.given", 'instruction="", message=triage.given'),
        GOOD.replace('"message -> area: enum[a, b]"', '"message -> " "area: enum[a, b]"'),
        GOOD.replace("program = triage.build()", "triage.build()"),
        GOOD.replace("program = triage.build()", ""),
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.encode(),
    ],
)
def test_harmless_variations_read_the_same(text: str | bytes) -> None:
    assert from_python(text) == from_python(GOOD)


def test_steps_that_come_and_go_leave_the_others_as_they_were() -> None:
    base = two_steps()
    for node in base["nodes"]:
        node["position"]["x"] = 37
    text = to_python(base).replace("program =", 'new = pipeline.step("new", "predict")\nprogram =')
    spec = from_python(text, base)
    assert spec["nodes"][:-1] == base["nodes"]
    assert spec["nodes"][-1]["id"] not in {node["id"] for node in base["nodes"]}
    assert spec["edges"] == base["edges"]
    assert from_python(text.replace('new = pipeline.step("new", "predict")', ""), spec) == base


def test_a_step_that_is_renamed_keeps_its_id_and_its_place() -> None:
    base = two_steps()
    spec = from_python(to_python(base).replace('"classify"', '"choose"'), base)
    assert [node["id"] for node in spec["nodes"]] == [node["id"] for node in base["nodes"]]
    assert [node["name"] for node in spec["nodes"]] == ["given", "plan", "choose", "answer"]
    assert spec["edges"] == base["edges"]


def test_places_that_are_left_out_come_from_the_base() -> None:
    base = two_steps()
    base["nodes"][1]["position"] = {"x": 12.5, "y": -3}
    bare = to_python(base).replace("    at=(12.5, -3),\n", "").replace("at=(0, 0)", "at=(5, 5)")
    places = {node["name"]: node["position"] for node in from_python(bare, base)["nodes"]}
    assert places["plan"] == {"x": 12.5, "y": -3}
    assert places["classify"] == {"x": 5, "y": 5}


BODY = "a = Drawing(inputs='x')\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("import os; os.system('touch pwned')", "“import os” draws nothing"),
        ("from os import system", "“from os import system” draws nothing"),
        ("from studio.engine import *", "draws nothing"),
        ("from .drawing import Drawing", "draws nothing"),
        ("__import__('os').system('touch pwned')", "cannot be called"),
        ("eval('1')", "There is no “eval” above this line"),
        ("open('pwned', 'w')", "There is no “open” above"),
        ("a.__class__.__mro__", "A line calls something"),
        ("a.__init__()", "“a.__init__” cannot be called"),
        ("a._nodes.append({})", "This cannot be called"),
        ("a.draft()", "“a.draft” cannot be called"),
        ("b = a.step('s', 'predict', x=a.given.__class__)", "“__class__” is no field"),
        ("b = a.step('s', 'predict', x=a.given._json)", "“_json” is no field"),
        ("b = a.step(f'{1}', 'predict')", "An f-string cannot stand here"),
        ("b = a.step('s' + 't', 'predict')", "A computation cannot stand here"),
        ("b = a.step('s' * 10**9, 'predict')", "A computation cannot stand here"),
        ("b = a.step(str(1), 'predict')", "A call cannot stand here"),
        ("b = a.step(['s' for x in y], 'predict')", "A loop cannot stand here"),
        ("b = a.step(lambda: 1, 'predict')", "A function cannot stand here"),
        ("b = a.step(b'x', 'predict')", "Bytes cannot stand"),
        ("b = a.step(..., 'predict')", "cannot stand in a drawing"),
        ("b = a.step(1j, 'predict')", "cannot stand in a drawing"),
        ("b = a.step('s', 'predict', **{'x': 1})", "** cannot be read"),
        ("b = a.step(*['s', 'predict'])", "A star cannot stand here"),
        ("b = a.step('s', 'predict', at=(1e999, 0))", "The number is too large"),
        ("b = a.step('s', 'predict', params={'n': 0x1" + "0" * 400 + "})", "300 digits"),
        ("b = a.step('s', 'predict', params={1: 2})", "A name in {…} is a text"),
        ("b = a.step('s', 'predict', params={'a': 1, 'a': 2})", "stands twice"),
        ("b = a.step('s', 'predict', params={**{}})", "A name in {…} is a text"),
        ("b = a.step('s', 'predict', params={'n': -'x'})", "A sign stands before a number"),
        ("b = a.step('s', 'predict', at=1, at=2)", "“at” stands twice in one call"),
        ("b = a.step('s')", "This call is not complete"),
        ("b = a.step('s', 'predict', 'a -> b -> c')", "exactly one “->”"),
        ("b = a.step('s', 'predict', 'a ->, b')", "A field's name is missing"),
        ("b = a.step('s', 'predict', instrution='x')", "neither a word that a step knows"),
        ("b = a.step('s', 'predict', at='left')", "A place is two numbers"),
        ("b = a.step('s', 'predict', extra={'id': 'n1'})", "a word of its own"),
        ("b = a.step('s', 'input')", "is no step"),
        ("b = a.step('s', 'predict', x=c.y)", "There is no “c” above this line"),
        ("b = a.step('s', 'predict', x=a)", "nor a field that is wired to it"),
        ("b = c = a.step('s', 'predict')", "A line names one variable"),
        ("b: int = 1", "This line draws nothing"),
        ("b += 1", "A computation draws nothing"),
        ("for b in a: pass", "A loop draws nothing"),
        ("while True: pass", "A loop draws nothing"),
        ("if True: pass", "A condition draws nothing"),
        ("def b(): pass", "A function draws nothing"),
        ("class B: pass", "A class draws nothing"),
        ("with a: pass", "“with” draws nothing"),
        ("(b := 1)", "A line calls something"),
        ("1 + 1", "A line calls something"),
        ("a.build(1)", "“build” is told nothing"),
        ("b = Drawing()", "There are 2 drawings"),
        ("a.step('s', 'map', parts={'body': a})", "cannot hold the drawing that it stands in"),
        ("a.wire(a.given.x, 'y')", "A wire leads from a field to a field"),
        ("a.note('x' * 2)", "A computation cannot stand here"),
        ("b = a.step('s', 'predict'", "This is no Python"),
        ("  b = 1", "This is no Python"),
        ("b = 08", "This is no Python"),
    ],
)
def test_anything_else_is_refused_with_its_line(
    line: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CodeError) as caught:
        from_python(HEAD + BODY + line + "\n")
    problem = caught.value.problems[0]
    assert says in problem.message
    assert problem.line in (3, 4)
    assert str(caught.value).startswith(f"Line {problem.line}: ")
    assert list(tmp_path.iterdir()) == [], "nothing has run"


def test_every_line_that_is_wrong_is_told_and_what_follows_from_it_is_not() -> None:
    text = HEAD + BODY + "b = a.step(1, 2, 3, 4)\na.answer(x=b.x)\nimport os\n" + "eval()\n" * 50
    with pytest.raises(CodeError) as caught:
        from_python(text)
    lines = [problem.line for problem in caught.value.problems]
    assert lines[:3] == [3, 5, 6]
    assert len(lines) == 20


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "There is no drawing"),
        ("x = 1", "A line calls something"),
        ("a\0b", "the character zero"),
        (b"\xff\xfe", "not written in UTF-8"),
        ("'\ud800'", "not written in UTF-8"),
        ("#" * (MOST_TEXT + 1), "longer than 1,000,000"),
        ("ä" * (MOST_TEXT // 2 + 1), "longer than 1,000,000"),
        ("(" * 100_000, "no Python"),
        ("[" * 150 + "]" * 150, "A line calls something"),
        ("x = " + "-" * 100_000 + "1", "nested too deeply"),
        ("x = a" + ".b" * 200_000, "nested too deeply"),
        ("x = " + "1+" * 200_000 + "1", "nested too deeply"),
        ("x = " + "f(" * 5_000 + ")" * 5_000, "no Python"),
        ("x = " + "not " * 100_000 + "1", "nested too deeply"),
        ("x = " + "lambda:" * 50_000 + "1", "nested too deeply"),
        ("x = " + "9" * 5_000, "no Python"),
        ("x = [" + "[]," * 300_000 + "]", "more brackets and commas"),
        ("if 1:\n" + "".join(" " * n + "if 1:\n" for n in range(1, 120)), "no Python"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bombs_are_refused_and_soon(text: str | bytes, says: str) -> None:
    begin = time.monotonic()
    with pytest.raises(CodeError) as caught:
        from_python(text)
    assert says in str(caught.value)
    assert time.monotonic() - begin < 20


def test_a_long_drawing_reads_soon() -> None:
    begin = time.monotonic()
    lines = [f"s{n} = a.step('s{n}', 'predict', 'x -> y', x=a.given.x)" for n in range(1_998)]
    spec = from_python(HEAD + BODY + "\n".join(lines))
    assert len(spec["nodes"]) == 1_999
    assert from_python(to_python(spec), spec) == spec
    with pytest.raises(CodeError, match="2000 nodes"):
        from_python(HEAD + BODY + "\n".join(lines * 2))
    assert time.monotonic() - begin < 60


def test_drawings_inside_drawings_have_a_bottom() -> None:
    text = HEAD + "d0 = Drawing()\n"
    for n in range(1, 8):
        text += f"d{n} = Drawing()\nd{n}.step('s', 'map', parts={{'body': d{n - 1}}})\n"
    with pytest.raises(CodeError, match="5 deep"):
        from_python(text)


def test_a_drawing_stands_in_one_place_so_that_nothing_doubles() -> None:
    text = HEAD + BODY + "b = Drawing()\nb.step('s', 'map', parts={'body': a, 'more': a})\n"
    with pytest.raises(CodeError, match="inside of “s” already"):
        from_python(text)


@pytest.mark.parametrize("base", [[], {"version": 9}, {"version": 1, "nodes": [1], "edges": []}])
def test_a_base_that_is_none_is_refused(base: Any) -> None:
    with pytest.raises(CodeError, match="is none"):
        from_python(GOOD, base)


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(0, len(GOOD)))
def test_no_text_raises_anything_else(text: str, at: int) -> None:
    for code in (text, GOOD[:at] + text + GOOD[at:], GOOD[:at] + GOOD[at + len(text) :]):
        with suppress(CodeError):
            from_python(code)

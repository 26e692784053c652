"""The Python step: a function of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from studio.engine.errors import InputError, ParseError, SandboxError, SandboxLimit, SignatureError
from studio.engine.evaluation import attempt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.modules.python_transform import PythonTransform, PythonTransformParams
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.sandbox import MontySandbox
from studio.engine.trace import Prediction


def run(
    signature: str, code: str, inputs: Mapping[str, Any], *, seconds: float = 2.0
) -> Prediction:
    """One call, in a sandbox of its own."""

    async def work() -> Prediction:
        sandbox = MontySandbox(processes=1)
        try:
            params = PythonTransformParams(code=code, seconds=seconds)
            module = PythonTransform.of(signature, params)
            return await module(inputs, Runtime(lm=ScriptedLM([]), sandbox=sandbox), "clean")
        finally:
            await sandbox.aclose()

    return asyncio.run(work())


@pytest.mark.parametrize(
    ("signature", "code", "values"),
    [
        ("x: int -> y: int", "def transform(x):\n    return x + 1", {"y": 6}),
        ("x: int -> y: int", "def transform(x):\n    return {'y': x}", {"y": 5}),
        ("x: int -> y: int", "def transform(x):\n    return '7'", {"y": 7}),
        ("x: int -> y: float", "def transform(x):\n    return x", {"y": 5.0}),
        ("x: int -> y, z: bool", "def transform(x):\n    return {'z': 1 > 0, 'y': 'a'}", None),
        ("x: int -> y, z: optional[int]", "def transform(x):\n    return {'y': 'a'}", None),
        ("x: int -> y: object", "def transform(x):\n    return {'a': x}", {"y": {"a": 5}}),
        ("x: int -> y: object", "def transform(x):\n    return {}", {"y": {}}),
        ("x: int -> y: dict[str, int]", "def transform(x):\n    return {'y': {'a': 1}}", None),
        ("x: int -> y: list[str]", "def transform(x):\n    return ('a', 'b')", {"y": ["a", "b"]}),
        ("x: int -> y: optional[str]", "def transform(x):\n    return None", {"y": None}),
        ("x: int -> y: int", "transform = lambda x: x * 2", {"y": 10}),
        ("x: int -> y: int", "def transform(**given):\n    return given['x']", {"y": 5}),
    ],
)
def test_what_it_returns_are_the_outputs(
    signature: str, code: str, values: dict[str, Any] | None
) -> None:
    found = run(signature, code, {"x": 5}).values
    expected = (
        values
        or {
            "x: int -> y, z: bool": {"y": "a", "z": True},
            "x: int -> y, z: optional[int]": {"y": "a", "z": None},
            "x: int -> y: dict[str, int]": {"y": {"a": 1}},
        }[signature]
    )
    assert found == expected


def test_its_step_has_inputs_outputs_and_what_was_printed() -> None:
    prediction = run(
        "x: int -> y: int", "def transform(x):\n    print('seen', x)\n    return 1", {"x": 5}
    )
    (step,) = prediction.steps
    assert (step.path, step.inputs, step.outputs) == ("clean", {"x": 5}, {"y": 1})
    assert (step.prompt, step.answer, step.usage.calls) == ("", "seen 5\n", 0)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def transform(x):\n    return 'many'", "y: expected int"),
        ("def transform(x):\n    return None", "y: expected int"),
        ("def transform(x):\n    return [1]", "y: expected int"),
        ("def transform(x):\n    pass", "y: expected int"),
        ("def transform(x):\n    return {'z': 1}", "y: expected int"),
    ],
)
def test_an_output_of_a_wrong_type_is_named(code: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        run("x: int -> y: int", code, {"x": 5})


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("5", "returned 5; a dict with y, z was expected"),
        ("{'y': 1, 'other': 2}", "returned a dict with y, other"),
        ("{'y': 1}", "“z” is missing"),
        ("{}", "“y” is missing"),
    ],
)
def test_several_outputs_need_a_dict_of_them(returned: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        run("x: int -> y: int, z: int", f"def transform(x):\n    return {returned}", {"x": 5})


def test_code_that_raises_says_where() -> None:
    with pytest.raises(SandboxError, match="Line 2: ZeroDivisionError"):
        run("x: int -> y", "def transform(x):\n    return str(1 / (x - 5))", {"x": 5})
    with pytest.raises(SandboxError, match="unexpected keyword argument 'x'"):
        run("x: int -> y", "def transform(other):\n    return ''", {"x": 5})
    with pytest.raises(SandboxLimit, match=r"longer than 0\.2 s"):
        run("x -> y", "def transform(x):\n    while True: pass", {"x": ""}, seconds=0.2)


def test_without_the_function_it_cannot_be_made() -> None:
    for code in ("x = 1", "", "def other(x): pass", "class transform: pass"):
        with pytest.raises(SignatureError, match=r"def transform\("):
            PythonTransform.of("x -> y", PythonTransformParams(code=code))


def test_without_a_sandbox_it_says_so() -> None:
    module = PythonTransform.of("x -> y", PythonTransformParams(code="def transform(x): return x"))
    with pytest.raises(InputError, match="no sandbox"):
        asyncio.run(module({"x": ""}, Runtime(lm=ScriptedLM([])), "clean"))


def test_a_megabyte_goes_through() -> None:
    text = "wörd " * 200_000
    found = run("x -> y", "def transform(x):\n    return x.upper()", {"x": text})
    assert found.values == {"y": text.upper()}


def test_a_field_that_is_a_word_of_python_has_a_line_after_it() -> None:
    assert run(
        "class -> y", "def transform(class_):\n    return class_", {"class": "a"}
    ).values == {"y": "a"}


def test_one_example_that_fails_is_data() -> None:
    async def work() -> list[str]:
        sandbox = MontySandbox(processes=1)
        try:
            code = "def transform(x):\n    return 10 // x"
            module = PythonTransform.of("x: int -> y: int", PythonTransformParams(code=code))
            runtime = Runtime(lm=ScriptedLM([]), sandbox=sandbox)
            program = Program.of(module, "divide")
            return [(await attempt(program, {"x": x}, runtime))[1] for x in (5, 0)]
        finally:
            await sandbox.aclose()

    good, bad = asyncio.run(work())
    assert good == ""
    assert bad.startswith("no answer: Line 2: ZeroDivisionError")

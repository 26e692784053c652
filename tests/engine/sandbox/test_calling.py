"""Calling a function that a piece of code defines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from studio.engine.errors import SandboxError, SandboxLimit, SignatureError
from studio.engine.sandbox import Limits, MontySandbox, Outcome, call, call_many
from studio.engine.sandbox.calling import require_function, variable

RATIO = "def ratio(a, b=2):\n    print('asked')\n    return a / b"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[MontySandbox]:
    """One for the file."""
    made = MontySandbox(processes=2)
    yield made
    asyncio.run(made.aclose())


class Counting:
    """Counts the runs."""

    def __init__(self, sandbox: MontySandbox) -> None:
        self.sandbox, self.runs = sandbox, 0

    async def run(self, *args: Any, **more: Any) -> Outcome:
        """As the sandbox does."""
        self.runs += 1
        return await self.sandbox.run(*args, **more)

    async def aclose(self) -> None:
        """Nothing to end."""


@pytest.mark.parametrize("arguments", [[1], (1, 2), {"a": 1}, {"a": 1, "b": 2}])
def test_arguments_go_by_name_or_in_order(sandbox: MontySandbox, arguments: Any) -> None:
    assert asyncio.run(call(sandbox, RATIO, "ratio", arguments)) == Outcome(0.5, "asked\n")


@pytest.mark.parametrize(
    "value", ["'); import os; ('", '"""', "\\", "{}", "\n\nx = 1", "東京\x00", {"a": ["'"]}]
)
def test_values_are_never_part_of_the_code(sandbox: MontySandbox, value: Any) -> None:
    assert asyncio.run(call(sandbox, "def same(x):\n    return x", "same", [value])).value == value


@pytest.mark.parametrize("ending", ["", "\n", "\n\n", "  # the end", "\n# the end", "\r\n"])
def test_lines_are_those_of_the_code(sandbox: MontySandbox, ending: str) -> None:
    with pytest.raises(SandboxError, match="Line 3: ZeroDivisionError") as e:
        asyncio.run(call(sandbox, RATIO + ending, "ratio", [1, 0]))
    assert e.value.line == 3


def test_what_is_wrong_with_the_call_itself_has_no_line(sandbox: MontySandbox) -> None:
    for code, arguments, words in (
        (RATIO, {"c": 1}, "unexpected keyword argument 'c'"),
        ("x = 1", [1], "does not define the function “ratio”"),
        ("ratio = 5", [1], "not callable"),
    ):
        with pytest.raises(SandboxError, match=words) as e:
            asyncio.run(call(sandbox, code, "ratio", arguments))
        assert e.value.line is None
        assert "Line" not in str(e.value)


@pytest.mark.parametrize("name", ["", "a b", "f()", "class", "os.system"])
def test_only_a_name_is_called(sandbox: MontySandbox, name: str) -> None:
    with pytest.raises(SandboxError, match="name of a function"):
        asyncio.run(call(sandbox, RATIO, name, []))


def test_many_calls_share_one_run(sandbox: MontySandbox) -> None:
    counting = Counting(sandbox)
    found = asyncio.run(call_many(counting, RATIO, "ratio", [[n] for n in range(100)]))
    assert found == [Outcome(n / 2) for n in range(100)]
    assert counting.runs == 1
    assert asyncio.run(call_many(counting, RATIO, "ratio", [])) == []


def test_each_failure_is_its_own(sandbox: MontySandbox) -> None:
    arguments: list[Mapping[str, Any]] = [{"a": 1}, {"a": 1, "b": 0}, {"a": 3}, {"z": 1}]
    counting = Counting(sandbox)
    found = asyncio.run(call_many(counting, RATIO, "ratio", arguments))
    assert found[0] == Outcome(0.5)
    assert found[2] == Outcome(1.5)
    first, second = found[1], found[3]
    assert isinstance(first, SandboxError)
    assert first.line == 3
    assert isinstance(second, SandboxError)
    assert second.line is None
    assert counting.runs == 3


def test_one_that_takes_too_long_does_not_take_the_others_with_it(sandbox: MontySandbox) -> None:
    code = "def wait(n):\n    while n: pass\n    return 1"
    found = asyncio.run(
        call_many(sandbox, code, "wait", [[0], [1], [0]], limits=Limits(seconds=0.2))
    )
    assert found[0] == found[2] == Outcome(1)
    assert isinstance(found[1], SandboxLimit)


def test_each_has_the_limit_on_output_to_itself(sandbox: MontySandbox) -> None:
    code = "def text(n):\n    return 'x' * n"
    found = asyncio.run(
        call_many(sandbox, code, "text", [[90], [90], [150]], limits=Limits(output_chars=100))
    )
    assert found[0] == Outcome("x" * 90)
    assert isinstance(found[2], SandboxLimit)


@pytest.mark.parametrize(
    ("code", "good"),
    [
        ("def f(x):\n    return x", True),
        ("import re\n\ndef f (\n    x,\n): return x", True),
        ("f = lambda x: x", True),
        ("f: object = len", True),
        ("def g(x):\n    def f(y): pass", False),
        ("def ff(x): pass", False),
        ("f == 1", True),
        ("# def f(x)", False),
        ("", False),
    ],
)
def test_a_definition_is_looked_for_without_running(code: str, good: bool) -> None:
    if good:
        require_function(code, "f")
        return
    with pytest.raises(SignatureError, match=r"write def f\("):
        require_function(code, "f")


def test_words_of_python_are_no_variables() -> None:
    assert variable("class") == "class_"
    assert variable("message") == "message"

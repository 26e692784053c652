"""What the sandbox gives its callers: values, errors with lines, functions, an end."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.errors import (
    LMAuthError,
    SandboxError,
    SandboxLimit,
    SandboxUnavailable,
    ToolError,
)
from studio.engine.sandbox import HostFunction, Limits, MontySandbox, Outcome, call
from tests.engine.sandbox.workers import resident_mb, worker_pids

T = TypeVar("T")


def using(work: Callable[[MontySandbox], Awaitable[T]]) -> T:
    """`work` with a sandbox that is closed after it."""

    async def run() -> T:
        sandbox = MontySandbox(processes=2)
        try:
            return await work(sandbox)
        finally:
            await sandbox.aclose()

    return asyncio.run(run())


def run(code: str, inputs: dict[str, Any] | None = None, **more: Any) -> Outcome:
    """One piece of code in a sandbox of its own."""
    return using(lambda sandbox: sandbox.run(code, inputs or {}, **more))


async def until(true: Callable[[], bool]) -> None:
    """Wait, at most three seconds."""
    for _ in range(300):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


def test_the_value_is_that_of_the_last_expression_and_prints_are_kept() -> None:
    assert run(
        "print('a', 1)\nx = y * 2\nprint('b')\n[x, None, True, 1.5, {'k': 'ü'}]", {"y": 3}
    ) == (Outcome([6, None, True, 1.5, {"k": "ü"}], "a 1\nb\n"))
    assert run("x = 5") == Outcome(None)
    assert run("import datetime\n(1, (2, datetime.date(2024, 2, 29)))") == (
        Outcome([1, [2, "2024-02-29"]])
    )
    assert run("{1: 'a'}") == Outcome({"1": "a"})


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -5, 10**30, 0.1, "", "\x00\x1b\u2028", "東京 🧪", [], {}, [[{"a": [None]}]]],
)
def test_json_goes_in_and_comes_out_as_it_was(value: Any) -> None:
    assert run("x", {"x": value}) == Outcome(value)


def test_an_error_has_its_line_type_and_message() -> None:
    code = "def f(x):\n    # a comment\n    return 1 / x\n\nf(0)"
    with pytest.raises(SandboxError, match=r"^Line 3: ZeroDivisionError: division by zero$") as e:
        run(code)
    assert e.value.line == 3
    assert not isinstance(e.value, SandboxLimit)
    with pytest.raises(SandboxError, match="Line 2: KeyError: b"):
        run("x = {}\nx['b']")
    with pytest.raises(SandboxError, match="Line 1: AssertionError"):
        run("assert 1 == 2")


def test_an_error_of_the_codes_own_is_no_limit() -> None:
    for code in (
        "raise TimeoutError('feed time limit exceeded: 2s > 1s')",
        "raise MemoryError('none')",
    ):
        with pytest.raises(SandboxError) as e:
            run(code)
        assert not isinstance(e.value, SandboxLimit)
        assert e.value.line == 1


def test_two_runs_share_nothing() -> None:
    async def work(sandbox: MontySandbox) -> None:
        await sandbox.run("import math\nleft = 5\nmath = 3\nlen = None", {})
        for code in ("left", "math"):
            with pytest.raises(SandboxError, match="NameError"):
                await sandbox.run(code, {})
        assert (await sandbox.run("import math\n[math.pi > 3, len('ab')]", {})).value == [True, 2]

    using(work)


def test_inputs_are_copies() -> None:
    given = {"x": {"list": [1]}}
    assert run("x['list'].append(2)\nx['new'] = 1\nx", given).value == {"list": [1, 2], "new": 1}
    assert given == {"x": {"list": [1]}}


def test_the_same_code_draws_the_same_numbers() -> None:
    code = "import random\n[random.random(), random.randint(0, 10**9)]"
    assert run(code) == run(code)


# Functions of ours.


async def double(value: int, times: int = 1) -> Any:
    """Doubles, after a while."""
    await asyncio.sleep(0.001)
    return value * 2**times


def plain(value: Any) -> Any:
    """What it is given, at once."""
    return value


async def refuse() -> Any:
    """Cannot do it."""
    raise ToolError("The server is closed on Sundays.")


FUNCTIONS: dict[str, HostFunction] = {"double": double, "plain": plain, "refuse": refuse}


def test_code_calls_functions_without_await() -> None:
    code = (
        "f = double\n[f(2), double(1, times=3), plain({'a': (1, 2)}), [double(n) for n in [1, 2]]]"
    )
    assert run(code, functions=FUNCTIONS).value == [4, 8, {"a": [1, 2]}, [2, 4]]


def test_the_time_of_functions_does_not_count() -> None:
    async def slow() -> str:
        await asyncio.sleep(0.4)
        return "done"

    limits = Limits(seconds=0.2)
    assert run("slow()", functions={"slow": slow}, limits=limits).value == "done"


def test_what_a_function_refuses_can_be_caught() -> None:
    code = "try:\n    refuse()\nexcept RuntimeError as e:\n    said = str(e)\nsaid"
    assert run(code, functions=FUNCTIONS).value == "The server is closed on Sundays."
    with pytest.raises(SandboxError, match="Line 2: RuntimeError: The server is closed") as e:
        run("\nrefuse()", functions=FUNCTIONS)
    assert e.value.line == 2


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("double()", "missing a required argument: 'value'"),
        ("double(1, 2, 3)", "too many positional arguments"),
        ("double(value=1, other=2)", "unexpected keyword argument 'other'"),
        ("plain('x' * 2_000_000)", "1,000,000 characters"),
        ("plain(float('nan'))", "no number"),
        ("plain({1, 2})", "no JSON"),
        ("a = []\nfor _ in range(40):\n    a = [a, a]\nplain(a)", "1,000,000 characters"),
        ("unknown(1)", "NameError"),
        ("plain.__globals__", "AttributeError"),
        ("def f():\n    return plain(1)\nsorted([1, 2], key=plain)", "cannot suspend"),
    ],
)
def test_functions_cannot_be_abused(code: str, words: str) -> None:
    with pytest.raises(SandboxError, match=words):
        run(code, functions=FUNCTIONS)


@pytest.mark.parametrize("name", ["double", "plain"])
def test_functions_are_not_called_without_end(name: str) -> None:
    with pytest.raises(SandboxLimit, match=r"more than 1,000 times"):
        run(
            f"for i in range(10**6):\n    try:\n        {name}(i)\n    except Exception: pass",
            functions={"double": plain_async, "plain": plain},
        )


async def plain_async(value: Any) -> Any:
    """What it is given."""
    return value


@pytest.mark.parametrize("answer", [float("nan"), object(), "\ud800", {1, 2}])
def test_an_answer_that_is_no_json_does_not_go_in(answer: Any) -> None:
    async def bad() -> Any:
        return answer

    with pytest.raises(SandboxError, match="What “bad” answers"):
        run("bad()", functions={"bad": bad})


@pytest.mark.parametrize("error", [LMAuthError("No key."), KeyError("a bug of ours")])
def test_what_is_not_the_codes_fault_ends_the_run_as_it_is(error: Exception) -> None:
    async def broken() -> Any:
        raise error

    def broken_at_once() -> Any:
        raise error

    async def work(sandbox: MontySandbox) -> None:
        for function in (broken, broken_at_once):
            with pytest.raises(type(error)):
                await sandbox.run(
                    "try:\n    f()\nexcept BaseException:\n    pass", {}, functions={"f": function}
                )
        assert (await sandbox.run("1", {})).value == 1

    using(work)


def test_code_may_run_code_may_run_code() -> None:
    async def work(sandbox: MontySandbox) -> None:
        async def inner(code: str) -> Any:
            return (await sandbox.run(code, {}, functions={"inner": inner})).value

        functions: dict[str, HostFunction] = {"inner": inner}
        twice = "inner('1 + 1')"
        code = f"inner({twice!r})"
        found = await asyncio.gather(
            *(sandbox.run(code, {}, functions=functions) for _ in range(40))
        )
        assert [one.value for one in found] == [2] * 40
        with pytest.raises(SandboxError, match="goes no deeper"):
            await sandbox.run(f"inner({code!r})", {}, functions=functions)

    using(work)


# Processes.


def test_processes_start_when_needed_know_nothing_and_end() -> None:
    os.environ["SANDBOX_TEST_SECRET"] = "a key"
    before = worker_pids()

    async def work() -> None:
        sandbox = MontySandbox(processes=2)
        assert worker_pids() <= before
        seen: set[int] = set()

        async def look() -> None:
            seen.update(worker_pids() - before)

        await sandbox.run("look()", {}, functions={"look": look})
        (pid,) = seen
        assert Path(f"/proc/{pid}/environ").read_bytes().strip(b"\0") == b""
        limits = Path(f"/proc/{pid}/limits").read_text()
        (files,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
        assert files.split()[3:5] == ["0", "0"]
        await sandbox.aclose()
        assert worker_pids() <= before
        assert (await sandbox.run("1", {})).value == 1
        await sandbox.aclose()

    try:
        asyncio.run(work())
    finally:
        del os.environ["SANDBOX_TEST_SECRET"]
    assert worker_pids() <= before


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_dies_or_hangs_is_replaced(signal_: signal.Signals) -> None:
    before = worker_pids()

    async def work(sandbox: MontySandbox) -> None:
        task = asyncio.create_task(
            sandbox.run("while True:\n    pass", {}, limits=Limits(seconds=0.5))
        )
        await until(lambda: bool(worker_pids() - before))
        await asyncio.sleep(0.1)
        (pid,) = worker_pids() - before
        os.kill(pid, signal_)
        with pytest.raises(SandboxLimit):
            await task
        assert (await sandbox.run("1 + 1", {})).value == 2
        assert pid not in worker_pids()

    using(work)


def test_a_cancelled_run_ends_at_once_and_so_does_its_process() -> None:
    before = worker_pids()

    async def work(sandbox: MontySandbox) -> None:
        never = asyncio.Event()
        functions: dict[str, HostFunction] = {"wait": never.wait}
        for code in ("while True:\n    pass", "wait()"):
            task = asyncio.create_task(
                sandbox.run(code, {}, functions=functions, limits=Limits(seconds=30))
            )
            await asyncio.sleep(0.1)
            task.cancel()
            start = time.perf_counter()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.perf_counter() - start < 10
            await until(lambda: worker_pids() <= before)
            assert (await sandbox.run("1", {})).value == 1
            (pid,) = worker_pids() - before
            os.kill(pid, signal.SIGKILL)  # An idle one, so that the next turn starts from none.

    using(work)


def test_a_process_that_died_while_idle_is_not_noticed() -> None:
    before = worker_pids()

    async def work(sandbox: MontySandbox) -> None:
        code = "wait()"
        await asyncio.gather(
            *(
                sandbox.run(code, {}, functions={"wait": lambda: asyncio.sleep(0.1)})
                for _ in range(4)
            )
        )
        for pid in worker_pids() - before:
            os.kill(pid, signal.SIGKILL)
        found = await asyncio.gather(*(sandbox.run("1 + 1", {}) for _ in range(4)))
        assert [one.value for one in found] == [2] * 4

    using(work)


def test_without_the_interpreter_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = tmp_path / "monty"
    empty.write_text("#!/bin/sh\nexit 3\n")
    empty.chmod(0o755)
    for program in (str(tmp_path / "nothing"), str(empty)):
        monkeypatch.setenv("MONTY_BIN", program)
        with pytest.raises(SandboxUnavailable, match="does not start"):
            run("1 + 1")


def test_the_memory_of_a_bomb_is_given_back() -> None:
    before = worker_pids()

    async def work(sandbox: MontySandbox) -> None:
        for _ in range(3):
            with pytest.raises(SandboxLimit):
                await sandbox.run("x = []\nwhile True:\n    x.append('a' * 9999)", {})
            await sandbox.run("1", {})
        assert all(resident_mb(pid) < 30 for pid in worker_pids() - before)

    using(work)


def test_closing_ends_what_runs() -> None:
    before = worker_pids()

    async def work(sandbox: MontySandbox) -> None:
        task = asyncio.create_task(
            sandbox.run("while True:\n    pass", {}, limits=Limits(seconds=30))
        )
        await until(lambda: bool(worker_pids() - before))
        await sandbox.aclose()
        with pytest.raises(SandboxUnavailable, match="closed while"):
            await task
        assert worker_pids() <= before

    using(work)


def test_the_loop_stays_free() -> None:
    async def work(sandbox: MontySandbox) -> float:
        await sandbox.run("1", {})
        longest, last, going = 0.0, time.perf_counter(), True

        async def tick() -> None:
            nonlocal longest, last
            while going:
                await asyncio.sleep(0.001)
                longest, last = max(longest, time.perf_counter() - last), time.perf_counter()

        ticking = asyncio.create_task(tick())
        with pytest.raises(SandboxLimit):
            await sandbox.run("while True:\n    pass", {}, limits=Limits(seconds=3))
        going = False
        await ticking
        return longest

    assert using(work) < 2.5


def test_one_sandbox_serves_several_loops() -> None:
    sandbox = MontySandbox(processes=1)
    assert asyncio.run(sandbox.run("1", {})).value == 1
    assert asyncio.run(sandbox.run("2", {})).value == 2
    asyncio.run(sandbox.aclose())
    asyncio.run(sandbox.aclose())


def test_many_runs_leave_nothing_behind() -> None:
    async def work(sandbox: MontySandbox) -> int:
        async def some() -> None:
            await asyncio.gather(
                *(sandbox.run("double(1)", {}, functions=FUNCTIONS) for _ in range(50))
            )

        await some()
        gc.collect()
        before = len(gc.get_objects())
        for _ in range(5):
            await some()
        gc.collect()
        return len(gc.get_objects()) - before

    assert using(work) < 500


def in_new_process(code: str) -> subprocess.CompletedProcess[str]:
    """What a program of its own does with the sandbox."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


def test_a_process_that_never_closes_ends_all_the_same() -> None:
    done = in_new_process(
        "import asyncio\nfrom studio.engine.sandbox import MontySandbox\n"
        "print(asyncio.run(MontySandbox().run('6 * 7', {})).value)"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")


def test_after_a_fork_it_refuses_instead_of_hanging() -> None:
    done = in_new_process(
        "import asyncio, os\nfrom studio.engine.sandbox import MontySandbox\n"
        "first = MontySandbox()\n"
        "print(asyncio.run(first.run('1', {})).value, flush=True)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    for sandbox in (first, MontySandbox()):\n"
        "        try:\n"
        "            asyncio.run(sandbox.run('2', {}))\n"
        "        except Exception as error:\n"
        "            print(type(error).__name__, flush=True)\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "print(asyncio.run(first.run('3', {})).value)"
    )
    assert done.stdout.split() == ["1", "SandboxUnavailable", "SandboxUnavailable", "3"]
    assert done.returncode == 0


def test_forking_first_is_well() -> None:
    done = in_new_process(
        "import asyncio, os\nfrom studio.engine.sandbox import MontySandbox\n"
        "sandbox = MontySandbox()\n"
        "pid = os.fork()\n"
        "print(asyncio.run(sandbox.run('1 + 1', {})).value, flush=True)\n"
        "if pid == 0:\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0)"
    )
    # Both write at the same time.
    assert "".join(done.stdout.split()) == "22"
    assert done.returncode == 0


# Checking without running.


@pytest.mark.parametrize(
    ("code", "line", "words"),
    [
        ("x = (", 1, "EOF"),
        ("x = 1\n\nx y\n", 3, "separated"),
        ("def f():\n    yield 1", 2, "no yield"),
        ("class A(int):\n    pass", 1, "no class inheritance"),
        ("x = 1\nif x:", 2, "indented block"),
        ("'''\n'''\ndef f(:", 3, ""),
        ("x = 1\r\ny y", 2, ""),
        ("x" * 100_001, None, "100,000"),
        ("'\ud800'", None, "UTF-8"),
        ("x\0y", 1, ""),
    ],
)
def test_a_problem_is_found_with_its_line(code: str, line: int | None, words: str) -> None:
    (problem,) = using(lambda sandbox: sandbox.check(code))
    assert problem.line == line
    assert words in problem.message


@pytest.mark.parametrize(
    "code",
    [
        "",
        "# nothing",
        "def f(x):\n\treturn x\n",
        "x = '''a\nb'''\n\n\nprint(x)",
        "while True: pass",
        "import nothing_of_this_name\n1 / 0",
        "\fwhile_true()",
    ],
)
def test_checking_runs_nothing(code: str) -> None:
    found = using(lambda sandbox: sandbox.check(code))
    assert found == () or code.startswith("\f")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda below: (
        st.lists(below) | st.dictionaries(st.text(st.characters(max_codepoint=999)), below)
    ),
    max_leaves=20,
)


def test_any_json_goes_in_and_comes_out() -> None:
    sandbox = MontySandbox(processes=1)

    @settings(max_examples=60, deadline=None)
    @given(JSON)
    def there_and_back(value: Any) -> None:
        found = asyncio.run(call(sandbox, "def f(x): return x", "f", [value])).value
        assert found == value
        assert json.dumps(found) == json.dumps(value)

    there_and_back()
    asyncio.run(sandbox.aclose())

"""Escapes and bombs: each is stopped, or does no harm."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from studio.engine.errors import SandboxError, SandboxLimit
from studio.engine.sandbox import Limits, MontySandbox, Outcome
from tests.engine.sandbox.workers import resident_mb, worker_pids

LIMITS = Limits(seconds=0.3, memory_mb=32, output_chars=5_000)
LONGEST_S = 12.0
"""From the call to the outcome: the limit, the grace, and a slow machine's dawdling."""
SECRET = "the-key-of-somebody"


@dataclass(frozen=True)
class Stopped:
    """The code raises, with these words."""

    words: str
    error: type[SandboxError] = SandboxError


@dataclass(frozen=True)
class Value:
    """The code ends with this value."""

    value: Any


@dataclass(frozen=True)
class Harmless:
    """The code may end or raise; nothing else is expected of it."""


def limit(words: str) -> Stopped:
    """The code is stopped by a limit."""
    return Stopped(words, SandboxLimit)


NO_TIME = limit("longer than 0.3 s")
NO_MEMORY = limit("more than 32 MB")
NO_ROOM = limit("")
"""Memory, or on a slow machine time."""
NO_ATTRIBUTE = Stopped("AttributeError")
NO_NAME = Stopped("NameError")
NO_MODULE = Stopped("ModuleNotFoundError")
NO_PERMISSION = Stopped("PermissionError")


@dataclass(frozen=True)
class Case:
    """A piece of code and what comes of it."""

    code: str
    expected: Stopped | Value | Harmless
    inputs: dict[str, Any] = field(default_factory=dict)


DOUBLING = "a = []\nfor _ in range(40):\n    a = [a, a]\n"
ANOTHER = "b = []\nfor _ in range(40):\n    b = [b, b]\n"

CASES = {
    # Modules of the machine.
    "subprocess": Case("import subprocess\nsubprocess.run(['id'])", NO_MODULE),
    "socket": Case("import socket\nsocket.socket()", NO_MODULE),
    "ctypes": Case("import ctypes", NO_MODULE),
    "threads": Case("import threading", NO_MODULE),
    "processes": Case("import multiprocessing", NO_MODULE),
    "signals": Case("import signal", NO_MODULE),
    "importlib": Case("import importlib\nimportlib.import_module('os')", NO_MODULE),
    "builtins": Case("import builtins", NO_MODULE),
    "garbage collector": Case("import gc\ngc.get_objects()", NO_MODULE),
    "our own package": Case("import studio.engine", NO_MODULE),
    "the sandbox's own package": Case("import pydantic_monty", NO_MODULE),
    "urllib": Case("import urllib.request", NO_MODULE),
    "sys.modules": Case("import sys\nsys.modules", NO_ATTRIBUTE),
    "a shell": Case("import os\nos.system('id')", NO_ATTRIBUTE),
    "a fork bomb": Case("import os\nwhile True:\n    os.fork()", NO_ATTRIBUTE),
    "a signal to the parent": Case("import os\nos.kill(os.getppid(), 9)", NO_ATTRIBUTE),
    "exec of a program": Case("import os\nos.execv('/bin/sh', ['sh'])", NO_ATTRIBUTE),
    # Files and the environment.
    "open": Case("open('/etc/passwd').read()", NO_PERMISSION),
    "open for writing": Case("open('/tmp/sandbox-was-here', 'w').write('x')", NO_PERMISSION),
    "a path": Case("import pathlib\npathlib.Path('/etc/passwd').read_text()", NO_PERMISSION),
    "listing": Case("import os\nos.listdir('/')", NO_PERMISSION),
    "proc environ": Case("open('/proc/self/environ').read()", NO_PERMISSION),
    "proc mem": Case("open('/proc/self/mem', 'rb').read(1)", NO_PERMISSION),
    "a device": Case("open('/dev/zero', 'rb').read()", NO_PERMISSION),
    "a file descriptor": Case("open(0).read()", Stopped("TypeError")),
    "the environment": Case("import os\nos.environ", Stopped("not supported")),
    "a variable": Case("import os\nos.getenv('SANDBOX_TEST_SECRET')", Stopped("not supported")),
    "standard input": Case("input()", NO_NAME),
    "where the file is": Case("__file__", Value("/main.py")),
    "the working folder": Case("import os\nos.getcwd()", Value("/")),
    # Ways around names.
    "__import__": Case("__import__('os')", NO_NAME),
    "__builtins__": Case("__builtins__", NO_NAME),
    "compile": Case("compile('1', '', 'eval')", NO_NAME),
    "globals": Case("globals()", NO_NAME),
    "breakpoint": Case("breakpoint()", NO_NAME),
    "eval stays inside": Case("eval(\"open('/etc/passwd')\")", NO_PERMISSION),
    "exec stays inside": Case("exec('import subprocess')", NO_MODULE),
    "subclasses": Case("().__class__.__mro__[1].__subclasses__()", NO_ATTRIBUTE),
    "subclasses of a type": Case("type(1).__base__.__subclasses__()", NO_ATTRIBUTE),
    "function globals": Case("(lambda: 1).__globals__['os']", NO_ATTRIBUTE),
    "function code": Case("(lambda: 1).__code__.co_consts", NO_ATTRIBUTE),
    "getattr chain": Case("getattr(getattr(1, '__class__'), '__mro__')", NO_ATTRIBUTE),
    "format attribute": Case("'{0.__class__.__mro__}'.format(1)", NO_ATTRIBUTE),
    "f-string attribute": Case("f'{(1).__class__}'", NO_ATTRIBUTE),
    "traceback frames": Case(
        "try:\n    1 / 0\nexcept Exception as e:\n    e.__traceback__.tb_frame", NO_ATTRIBUTE
    ),
    "a class made by type": Case("type('A', (), {'__del__': lambda self: 1})()", Harmless()),
    "a metaclass": Case("class A(type):\n    pass", Stopped("no class inheritance")),
    "a changed built-in type": Case("int.real = 5", Harmless()),
    "a changed built-in name": Case("print = open\nprint('/etc/passwd')", NO_PERMISSION),
    "a generator": Case("def f():\n    yield 1\nf().gi_frame", Stopped("no yield")),
    "a coroutine's frame": Case("async def f():\n    pass\nf().cr_frame", NO_ATTRIBUTE),
    "system exit": Case("raise SystemExit(3)", Harmless()),
    "keyboard interrupt": Case("raise KeyboardInterrupt", Stopped("KeyboardInterrupt")),
    "a deeper recursion limit": Case("import sys\nsys.setrecursionlimit(10**9)", NO_ATTRIBUTE),
    # Time.
    "endless loop": Case("while True:\n    pass", NO_TIME),
    "endless loop that catches": Case(
        "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass",
        NO_TIME,
    ),
    "endless tasks": Case(
        "import asyncio\nasync def f():\n    while True: await asyncio.sleep(0)\nawait f()",
        NO_TIME,
    ),
    "a long sleep": Case("import time\ntime.sleep(10**9)", Value(None)),
    "sleeping for ever": Case("import time\nwhile True:\n    time.sleep(1)", NO_TIME),
    "a factorial": Case("import math\nmath.factorial(10**6)", NO_TIME),
    "a power": Case("10**10**7 % 7", NO_TIME),
    "a sum": Case("sum(range(10**12))", NO_TIME),
    "a comparison of self-doubling lists": Case(f"{DOUBLING}{ANOTHER}a == b", NO_TIME),
    "a regular expression": Case("import re\nre.match('(a+)+$', 'a' * 40 + 'b')", Value(None)),
    "a regular expression that looks back": Case(
        "import re\nre.search(r'(x+)\\1+y', 'x' * 5000)", Stopped("PatternError")
    ),
    # Memory.
    "a huge number": Case("10**10**8", NO_MEMORY),
    "a huge list": Case("[0] * 10**10", NO_MEMORY),
    "a huge text": Case("'a' * 10**11", NO_MEMORY),
    "huge bytes": Case("bytes(10**10)", NO_MEMORY),
    "a huge padding": Case("'a'.ljust(10**10)", NO_MEMORY),
    "a huge format": Case("'%1000000000d' % 1", NO_MEMORY),
    "a text that doubles": Case("x = 'a'\nwhile True:\n    x += x", NO_ROOM),
    "a list that grows": Case("x = []\nwhile True:\n    x.append('a' * 1000)", NO_ROOM),
    "a dict that grows": Case(
        "d = {}\ni = 0\nwhile True:\n    d[i] = 'x' * 1000\n    i += 1", NO_ROOM
    ),
    "a product": Case("import itertools\nlist(itertools.product(range(999), repeat=4))", NO_ROOM),
    "the text of a self-doubling list": Case(f"{DOUBLING}str(a)", NO_ROOM),
    "a number of many digits": Case("int('9' * 5000)", Stopped("ValueError")),
    "memory errors caught": Case(
        "try:\n    'a' * 10**11\nexcept MemoryError:\n    pass\n'still here'", NO_MEMORY
    ),
    # Depth.
    "deep recursion": Case("def f(n):\n    return f(n + 1)\nf(0)", limit("500 calls")),
    "deep json": Case("import json\njson.loads('[' * 100000)", Stopped("JSONDecodeError")),
    "deep source": Case("(" * 5000 + ")" * 5000, Stopped("too deeply nested")),
    "long sums": Case("1+" * 40_000 + "1", Stopped("too deeply nested")),
    # Output.
    "a flood": Case("while True:\n    print('x' * 100)", limit("printed more than 5,000")),
    "a flood of errors": Case(
        "import sys\nwhile True:\n    print('x', file=sys.stderr)",
        limit("printed more than 5,000"),
    ),
    "one long line": Case("print('x' * 1_000_000)", limit("printed more than 5,000")),
    "a long value": Case("'x' * 1_000_000", limit("5,000 characters")),
    "a value that doubles itself": Case(f"{DOUBLING}a", limit("5,000 characters")),
    "a deep value": Case(
        "a = []\nfor _ in range(150):\n    a = [a]\na", limit("lists inside one another")
    ),
    "a cyclic value": Case("a = []\na.append(a)\na", Value(["[...]"])),
    "a long error": Case("raise ValueError('x' * 5_000_000)", Stopped("ValueError: xxx")),
    "a long name": Case("x" * 50_000, NO_NAME),
    "a huge int": Case("2**100_000", limit("4,000 digits")),
    "not a number": Case("float('nan')", Stopped("JSON has no number")),
    "infinity": Case("[1, float('inf')]", Stopped("JSON has no number")),
    "a set": Case("{1, 2}", Stopped("is a set, which is no JSON")),
    "a function is but a text": Case("lambda: 1", Value("<function '<lambda>' at 0xc>")),
    "an object": Case("class A:\n    pass\nA()", Stopped("is a A, which is no JSON")),
    "an exception": Case("ValueError('x')", Stopped("no JSON")),
    "bytes": Case("b'x'", Stopped("is a bytes")),
    "the built-in open": Case("open", Stopped("no JSON")),
    "a key that is no text": Case("{(1, 2): 3}", Stopped("keys are texts")),
    # Code that is no code.
    "no code": Case("", Value(None)),
    "a megabyte of code": Case("x = 1\n" * 170_000, limit("100,000 are the most")),
    "null bytes": Case("x\0y", Stopped("SyntaxError")),
    "a null byte in a text": Case("'a\0b'", Value("a\0b")),
    "lone surrogates in code": Case("'\ud800'", Stopped("UTF-8")),
    "a lone surrogate's escape": Case("'\\ud800'", Harmless()),
    "half a file": Case("def f(:", Stopped("Line 1: SyntaxError")),
    # Inputs.
    "lone surrogates in inputs": Case("x", Stopped("lone surrogate"), {"x": "\ud800"}),
    "nan in inputs": Case("x", Stopped("no JSON"), {"x": float("nan")}),
    "objects in inputs": Case("x", Stopped("no JSON"), {"x": object()}),
    "huge inputs": Case("x", limit("8,000,000 are the most"), {"x": "y" * 9_000_000}),
    "a strange name": Case("1", Stopped("name of a variable"), {"a b": 1}),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[MontySandbox]:
    """One for all: what one case does must not reach the next."""
    os.environ["SANDBOX_TEST_SECRET"] = SECRET
    made = MontySandbox(processes=2)
    yield made
    asyncio.run(made.aclose())
    del os.environ["SANDBOX_TEST_SECRET"]


async def outcome(sandbox: MontySandbox, case: Case) -> Outcome | SandboxError:
    """What came of it."""
    try:
        return await sandbox.run(case.code, case.inputs, limits=LIMITS)
    except SandboxError as error:
        return error


def check(case: Case, found: Outcome | SandboxError) -> None:
    """Whether it is as expected, and tells nothing of this machine."""
    match case.expected:
        case Value(value):
            assert found == Outcome(value)
        case Stopped(words, error):
            assert isinstance(found, error)
            assert isinstance(found, SandboxLimit) == (error is SandboxLimit)
            assert words in str(found)
    said = str(found)
    assert len(said) < 2_000
    assert SECRET not in said
    assert "Traceback" not in said
    for path in (os.getcwd(), "/site-packages", "/usr/", "/root"):
        assert path not in said


@pytest.mark.parametrize("name", list(CASES))
def test_it_is_stopped_or_harmless(sandbox: MontySandbox, name: str) -> None:
    start = time.perf_counter()
    found = asyncio.run(outcome(sandbox, CASES[name]))
    assert time.perf_counter() - start < LONGEST_S
    check(CASES[name], found)


def test_after_all_of_them_at_once_everything_is_as_before() -> None:
    before = worker_pids()
    ours = resident_mb(os.getpid())
    made = MontySandbox(processes=2)

    async def run() -> None:
        found = await asyncio.gather(*(outcome(made, case) for case in CASES.values()))
        for case, one in zip(CASES.values(), found, strict=True):
            check(case, one)
        assert (await made.run("x + 1", {"x": 1})).value == 2
        workers = worker_pids() - before
        assert 1 <= len(workers) <= 4
        assert all(resident_mb(pid) < 60 for pid in workers)
        await made.aclose()

    asyncio.run(run())
    assert worker_pids() <= before
    assert resident_mb(os.getpid()) < ours + 150
    assert not os.path.exists("/tmp/sandbox-was-here")

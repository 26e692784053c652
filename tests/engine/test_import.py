"""One import for everything, and a quick one."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

import studio.engine

HEAVY = (
    "aiohttp",
    "celery",
    "django",
    "importlib.metadata",
    "json_repair",
    "jsonschema",
    "kombu",
    "litellm",
    "mcp",
    "psycopg",
    "pydantic",
    "pydantic_monty",
    "redis",
    "regex",
)
ORDINARY = (
    "asyncio, ctypes, decimal, email.message, http.server, logging.config, multiprocessing.pool, "
    "sqlite3, unittest.mock, xml.dom.minidom"
)
"""Of the standard library: how long it takes says how fast the machine is just now."""
LIMIT = 4.0
"""Times what `ORDINARY` takes; one heavy import would be thirty times as much."""

ASK = "from studio.engine import Predict, Program, Runtime, evaluate"


def _python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    ).stdout


def _seconds(statement: str) -> float:
    clock = "time.process_time()"
    return float(_python(f"import time; start = {clock}; {statement}; print({clock} - start)"))


@pytest.mark.parametrize("statement", ["import studio.engine", ASK])
def test_the_import_is_quick(statement: str) -> None:
    """Beside ordinary modules, in turn, so that a slow or busy machine is slow for both."""
    pairs = [(_seconds(statement), _seconds(f"import {ORDINARY}")) for _ in range(5)]
    assert median(ours / ordinary for ours, ordinary in pairs) <= LIMIT


@pytest.mark.parametrize("statement", [ASK, "from studio.engine import *"])
def test_nothing_heavy_is_imported(statement: str) -> None:
    code = f"import sys; {statement}\nprint(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    assert _python(code).split() == []


def test_every_name_resolves_and_is_listed() -> None:
    assert sorted(studio.engine.__all__) == sorted(set(studio.engine.__all__))
    for name in studio.engine.__all__:
        assert getattr(studio.engine, name) is not None
        assert name in dir(studio.engine)


def test_what_editors_see_is_what_there_is() -> None:
    tree = ast.parse(Path(studio.engine.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen: dict[str, str] = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        seen |= {alias.name: node.module or "" for alias in node.names}
    assert set(seen) == set(studio.engine.__all__)
    for name, home in seen.items():
        assert getattr(importlib.import_module(home), name) is getattr(studio.engine, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Predictt'"):
        getattr(studio.engine, "Predictt")  # noqa: B009  a literal would be an error of types

"""The tables take in what packages bring, and nothing that is broken."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from studio.engine.compilers import COMPILERS
from studio.engine.extensions import Table, has_attributes, is_kind
from studio.engine.formats import FORMATS
from studio.engine.graph import NODE_KINDS
from studio.engine.metrics import METRICS
from studio.engine.modules import MODULES
from tests.engine.extensions.packages import install, run


@dataclass(frozen=True)
class Kind:
    """What stands in the table of these tests."""

    name: str
    params: Any = None


@dataclass
class NoParams:
    """Params without any."""


class Dist:
    """A package that is installed."""

    def __init__(self, name: str) -> None:
        self.name = name


class Point(EntryPoint):
    """An entry point whose object is at hand."""

    def load(self) -> Any:
        """The object, or what importing it raises."""
        found = OBJECTS[self.value]
        return found() if callable(found) and not isinstance(found, type) else found


def _fail(error: BaseException) -> Callable[[], Any]:
    def load() -> Any:
        raise error

    return load


class Nasty:
    """Raises whatever it is asked."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("no")


OBJECTS: dict[str, Any] = {
    "good": Kind("good", NoParams),
    "better": Kind("better", NoParams),
    "old": Kind("old", NoParams),
    "reserved": Kind("reserved", NoParams),
    "misnamed": Kind("other", NoParams),
    "no-params": Kind("no-params", 5),
    "not-a-kind": 5,
    "nasty": Nasty(),
    "missing": _fail(ModuleNotFoundError("No module named 'gone'")),
    "broken": _fail(SyntaxError("invalid syntax\nin two lines")),
    "exits": _fail(SystemExit(3)),
}


def _table(monkeypatch: pytest.MonkeyPatch, *entries: tuple[str, str, str]) -> Table[Kind]:
    points = []
    for name, value, package in entries:
        point = Point(name, value, "studio.things")
        vars(point)["dist"] = Dist(package)
        points.append(point)

    def entry_points(*, group: str) -> EntryPoints:
        assert group == "studio.things"
        return EntryPoints(points)

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    builtin = [Kind("old", NoParams), Kind("older", NoParams)]
    return Table("studio.things", builtin, is_kind(Kind), reserved=["reserved"])


def test_packages_stand_behind_what_is_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    table = _table(monkeypatch, ("good", "good", "b"), ("better", "better", "a"))
    assert table["good"] is OBJECTS["good"]
    assert list(table) == ["old", "older", "better", "good"]
    assert len(table) == 4
    assert table.problems() == ()
    assert "gone" not in table
    with pytest.raises(KeyError):
        table["gone"]


def test_nothing_is_read_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    table = _table(monkeypatch)
    monkeypatch.setattr("importlib.metadata.entry_points", None)
    assert table["old"].name == "old"
    assert "older" in table
    assert list(table.builtin) == ["old", "older"]
    assert "old" in repr(table)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("old", "that name is taken by the studio itself; it needs another one"),
        ("reserved", "that name is taken by the studio itself; it needs another one"),
        ("misnamed", "it calls itself “other”; both names must be the same"),
        ("no-params", "its params are no dataclass"),
        ("not-a-kind", "it is an int, and a Kind is needed"),
        ("nasty", "nasty cannot be looked at (RuntimeError: no)"),
        ("missing", "missing cannot be imported (ModuleNotFoundError: No module named 'gone')"),
        ("broken", "broken cannot be imported (SyntaxError: invalid syntax in two lines)"),
        ("exits", "exits cannot be imported (SystemExit: 3)"),
    ],
)
def test_what_is_broken_is_told_by_name_and_the_rest_works(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, told: str
) -> None:
    table = _table(monkeypatch, (name, name, "acme"), ("good", "good", "fine"))
    with caplog.at_level(logging.WARNING):
        assert list(table) == ["old", "older", "good"]
    (problem,) = table.problems()
    assert (problem.package, problem.entry) == ("acme", name)
    assert problem.message == f"studio.things: “{name}” of the package acme is left out: {told}."
    assert caplog.messages == [problem.message]


def test_of_two_packages_with_one_name_the_second_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = _table(monkeypatch, ("good", "good", "zeta"), ("good", "good", "alpha"))
    assert list(table) == ["old", "older", "good"]
    (problem,) = table.problems()
    assert problem.package == "zeta"
    assert "the package alpha brings one of that name already" in problem.message


def test_a_package_that_stands_twice_on_the_path_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    table = _table(monkeypatch, ("good", "good", "acme"), ("good", "good", "acme"))
    assert list(table) == ["old", "older", "good"]
    assert table.problems() == ()


def test_a_package_may_look_into_the_table_while_it_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = _table(monkeypatch, ("good", "looks", "acme"))

    def looks() -> Kind:
        assert list(table) == ["old", "older"]
        assert "gone" not in table
        return Kind("good", NoParams)

    monkeypatch.setitem(OBJECTS, "looks", looks)
    assert list(table) == ["old", "older", "good"]


def test_threads_see_the_whole_table_and_import_once(monkeypatch: pytest.MonkeyPatch) -> None:
    table = _table(monkeypatch, ("good", "slow", "acme"))
    started, go, loads = threading.Event(), threading.Event(), []

    def slow() -> Kind:
        loads.append(1)
        started.set()
        assert go.wait(10)
        return Kind("good", NoParams)

    monkeypatch.setitem(OBJECTS, "slow", slow)
    seen: list[list[str]] = []
    threads = [threading.Thread(target=lambda: seen.append(list(table))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert started.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
    assert seen == [["old", "older", "good"]] * 4
    assert loads == [1]


def test_formats_are_checked_by_their_attributes() -> None:
    wrong = has_attributes(name=str, continues=bool, renderer=callable)

    class Good:
        name = "good"
        continues = False

        def renderer(self) -> None:
            """Nothing."""

    assert wrong(Good()) == ""
    assert "“continues” is missing" in wrong(Kind("x", NoParams))
    assert "“name” is missing" in wrong(object())


def test_built_in_entries_are_imported_one_by_one() -> None:
    homes = {"gone": ".no_such_module:X"}
    table: Table[Any] = Table("studio.none", homes, has_attributes(), package="tests.engine")
    assert "gone" in table
    with pytest.raises(ModuleNotFoundError):
        table["gone"]


@pytest.mark.parametrize("table", [MODULES, METRICS, FORMATS], ids=lambda table: table.group)
def test_built_in_entries_belong_where_they_stand(table: Table[Any]) -> None:
    for name, entry in table.builtin.items():
        assert entry.name == name
        assert table[name] is entry


TABLES: dict[str, Mapping[str, Any]] = {
    "modules": MODULES,
    "metrics": METRICS,
    "formats": FORMATS,
    "compilers": COMPILERS,
    "nodes": NODE_KINDS,
}


@pytest.mark.parametrize("family", TABLES)
def test_every_table_is_a_mapping_by_name(family: str) -> None:
    table = TABLES[family]
    assert len(table) == len(list(table)) > 1
    assert all(name in table and table[name].name == name for name in table)
    assert [kind.name for kind in table.values()] == list(table.keys())
    assert "no such thing" not in table
    assert table.get("no such thing") is None
    with pytest.raises(KeyError):
        table["no such thing"]


def test_the_kinds_of_nodes_are_the_ends_and_the_modules() -> None:
    assert list(NODE_KINDS) == ["input", *MODULES, "output"]
    assert all(NODE_KINDS[name].calls_lm == kind.calls_lm for name, kind in MODULES.items())
    assert not NODE_KINDS["input"].calls_lm


BROKEN = """
import studio.engine
raise ImportError("its library is not installed")
"""
TAKES = """
from dataclasses import replace
from studio.engine import MODULES
EVIL = replace(MODULES["predict"], title="Evil")
NUMBER = 5
"""


def test_a_broken_installed_package_breaks_nothing(tmp_path: Path) -> None:
    groups = ("studio.modules", "studio.compilers", "studio.metrics", "studio.formats")
    install(tmp_path, "acme-broken", BROKEN, {group: {"x": "acme_broken:X"} for group in groups})
    names = {"predict": "acme_evil:EVIL", "number": "acme_evil:NUMBER", "gone": "acme_evil:GONE"}
    install(tmp_path, "acme-evil", TAKES, {"studio.modules": names})
    code = (
        "import json, sys, studio.engine as e\n"
        "assert 'acme_broken' not in sys.modules\n"
        "tables = e.MODULES, e.COMPILERS, e.METRICS, e.FORMATS\n"
        "assert e.MODULES['predict'].title == 'Predict' and 'acme_evil' not in sys.modules\n"
        "assert all(list(table) == list(table.builtin) for table in tables)\n"
        "found = [problem for table in tables for problem in table.problems()]\n"
        "print(json.dumps([[one.package, one.entry, one.message] for one in found]))"
    )
    told = run(tmp_path, code)
    problems = json.loads(told.partition("\n")[0])
    assert [(package, entry) for package, entry, _ in problems] == [
        ("acme-evil", "gone"),
        ("acme-evil", "number"),
        ("acme-evil", "predict"),
        ("acme-broken", "x"),
        ("acme-broken", "x"),
        ("acme-broken", "x"),
        ("acme-broken", "x"),
    ]
    for _, _, message in problems:
        assert message in told.partition("\n")[2]


FORMAT = """
from dataclasses import replace
from studio.engine import FORMATS
LOUD = replace(FORMATS["chat"], name="loud", summary="Chat, under another name.")
"""


def test_a_format_of_a_package_is_one_that_a_runtime_may_name(tmp_path: Path) -> None:
    install(tmp_path, "acme-loud", FORMAT, {"studio.formats": {"loud": "acme_loud:LOUD"}})
    code = (
        "import asyncio\n"
        "from studio.engine import *\n"
        "lm = ScriptedLM(['[[ ## reply ## ]]\\nhi'])\n"
        "program = Program.of(Predict.of('message -> reply'))\n"
        "call = program({'message': 'x'}, Runtime(lm=lm, format='loud'))\n"
        "print(asyncio.run(call).values, list(FORMATS)[-1])"
    )
    assert run(tmp_path, code) == "{'reply': 'hi'} loud\n"


def test_importing_the_whole_engine_reads_no_package(tmp_path: Path) -> None:
    groups = ("studio.modules", "studio.compilers", "studio.metrics", "studio.formats")
    install(tmp_path, "acme-wire", "X = 5", {group: {"x": "acme_wire:X"} for group in groups})
    code = (
        "import pkgutil, importlib, sys, studio.engine\n"
        "for found in pkgutil.walk_packages(studio.engine.__path__, 'studio.engine.'):\n"
        "    importlib.import_module(found.name)\n"
        "assert 'acme_wire' not in sys.modules\n"
    )
    run(tmp_path, code)

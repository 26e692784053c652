"""What other packages add: entry points under `studio.modules`, `studio.compilers` and others.

A package says in its `pyproject.toml`

    [project.entry-points."studio.modules"]
    shout = "studio_shout:SHOUT"

and from then on `MODULES["shout"]` is there, on the canvas, in the forms and in the API. Nothing
is looked for while the engine is imported: the first use of a name that is not built in, or the
first walk over the whole table, reads what is installed.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

log = logging.getLogger(__name__)


class Named(Protocol):
    """What stands in a table: it knows the name under which it stands there."""

    @property
    def name(self) -> str:
        """The key in the table."""


N = TypeVar("N", bound=Named)


@dataclass(frozen=True, slots=True)
class ExtensionProblem:
    """An entry of a package that could not be taken into a table."""

    package: str
    """The package that brings it, as its installer knows it."""
    entry: str
    """The entry's name."""
    message: str
    """What is wrong, and the way out, in a sentence."""


class Table(Mapping[str, N]):
    """The built-in entries, then those of installed packages, in the order of their names.

    An entry of a package never stands in for a built-in one. One that cannot be imported, or is
    not what the table holds, is left out; it is told in the log and by `problems`, and all others
    work. May be used from several threads.
    """

    def __init__(
        self,
        group: str,
        builtin: Mapping[str, str] | Iterable[N],
        wrong: Callable[[Any], str],
        *,
        package: str = "",
        reserved: Iterable[str] = (),
    ) -> None:
        """`group` names the entry points; `wrong` says why an object does not belong here.

        `builtin` are the entries themselves, or for each name where it is (`.module:OBJECT`, below
        `package`): then only what is asked for is imported. Names that are `reserved` are refused
        like those of built-in entries.
        """
        self.group = group
        self._package = package
        self._homes = dict(builtin) if isinstance(builtin, Mapping) else {}
        self._ready: dict[str, N] = {}
        if not isinstance(builtin, Mapping):
            self._ready = {entry.name: entry for entry in builtin}
        self._names = (*self._homes, *self._ready)
        self._reserved = frozenset((*self._names, *reserved))
        self._found: Mapping[str, N] | None = None
        self._problems: tuple[ExtensionProblem, ...] = ()
        self._wrong = wrong
        self._lock = RLock()
        self._reading = False

    def __getitem__(self, name: str) -> N:
        if name in self._ready:
            return self._ready[name]
        if name in self._homes:
            return self._ready.setdefault(name, self._import(name))
        return self._extensions()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names or name in self._extensions()

    def __iter__(self) -> Iterator[str]:
        yield from self._names
        yield from self._extensions()

    def __len__(self) -> int:
        return len(self._names) + len(self._extensions())

    def __repr__(self) -> str:
        return f"Table({self.group!r}: {', '.join((*self._names, *(self._found or ())))})"

    @property
    def builtin(self) -> Mapping[str, N]:
        """The entries that come with the engine; looks for no packages."""
        return {name: self[name] for name in self._names}

    def problems(self) -> tuple[ExtensionProblem, ...]:
        """What was left out, and why."""
        self._extensions()
        return self._problems

    def _import(self, name: str) -> N:
        module, _, attribute = self._homes[name].partition(":")
        entry: N = getattr(import_module(module, self._package or None), attribute)
        return entry

    def _extensions(self) -> Mapping[str, N]:
        return self._read() if self._found is None else self._found

    def _read(self) -> Mapping[str, N]:
        with self._lock:
            if self._found is not None:
                return self._found
            if self._reading:
                # A package looks into the table while it is imported for it.
                return {}
            self._reading = True
            try:
                found, problems = self._installed()
            finally:
                self._reading = False
            for problem in problems:
                log.warning("%s", problem.message)
            self._problems = tuple(problems)
            self._found = found
            return found

    def _installed(self) -> tuple[dict[str, N], list[ExtensionProblem]]:
        # Costs as much as the rest of the engine, and most programs never come here.
        from importlib.metadata import entry_points

        found: dict[str, N] = {}
        owners: dict[str, str] = {}
        problems: list[ExtensionProblem] = []
        points = sorted(entry_points(group=self.group), key=lambda point: (point.name, _of(point)))
        for point in points:
            package = _of(point)
            entry, reason = self._load(point)
            if entry is not None and point.name in owners:
                if owners[point.name] == package:
                    continue  # one package that stands on the path twice
                reason = (
                    f"the package {owners[point.name]} brings one of that name already; "
                    "uninstall one of the two"
                )
            if entry is None or reason:
                message = f"{self.group}: “{point.name}” of the package {package} is left out: "
                problems.append(ExtensionProblem(package, point.name, f"{message}{reason}."))
                continue
            owners[point.name] = package
            found[point.name] = entry
        return found, problems

    def _load(self, point: EntryPoint) -> tuple[N | None, str]:
        """The entry, or why there is none."""
        if point.name in self._reserved:
            return None, "that name is taken by the studio itself; it needs another one"
        try:
            entry = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001  somebody else's code: told below
            text = " ".join(str(error).split())[:300].rstrip(".")
            return None, f"{point.value} cannot be imported ({type(error).__name__}: {text})"
        try:
            reason = self._wrong(entry)
        except Exception as error:  # noqa: BLE001  as above: an object that fails when asked
            reason = f"{point.value} cannot be looked at ({type(error).__name__}: {error})"
        if reason:
            return None, reason
        if entry.name != point.name:
            return None, f"it calls itself “{entry.name}”; both names must be the same"
        return entry, ""


def is_kind(wanted: type[Any]) -> Callable[[Any], str]:
    """The check of tables that hold instances of `wanted` with `params`, a dataclass."""

    def wrong(entry: Any) -> str:
        if not isinstance(entry, wanted):
            return f"it is {_a(type(entry).__name__)}, and {_a(wanted.__name__)} is needed"
        params = entry.params
        if not isinstance(params, type) or not dataclasses.is_dataclass(params):
            return "its params are no dataclass"
        return ""

    return wrong


def has_attributes(**wanted: type[Any] | Callable[[Any], bool]) -> Callable[[Any], str]:
    """The check of tables whose entries keep a protocol: an attribute's type, or `callable`."""

    def wrong(entry: Any) -> str:
        for name, test in wanted.items():
            value = getattr(entry, name, None)
            fits = isinstance(value, test) if isinstance(test, type) else test(value)
            if not fits:
                return f"its “{name}” is missing, or not what it must be"
        return ""

    return wrong


def _of(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "(unknown)"


def _a(name: str) -> str:
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"

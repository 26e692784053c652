"""From Python that draws a pipeline back to its spec; the code is looked at and never run.

What is read: the import of `Drawing`; `x = Drawing(…)`; `y = x.step(…)`, `x.node(…)`,
`x.answer(…)`, `x.wire(…)`, `x.note(…)`; `x.build()` and `x.spec()` at the end. Values are plain:
texts, numbers, True, False, None, lists, tuples, dicts with texts as keys; fields are
`y.name` or `y["name"]`, inputs `x.given.name`. Comments and texts that stand alone are skipped.
"""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from studio.engine.drawing import Drawing, Placed, Port
from studio.engine.errors import EngineError
from studio.engine.fields import shorten
from studio.engine.graph.code.keep import keep
from studio.engine.graph.code.problems import CodeError, CodeProblem
from studio.engine.graph.code.values import plain_value, refuse
from studio.engine.graph.columns import lay_out
from studio.engine.graph.shape import shape_problem

MOST_TEXT = 1_000_000
"""Bytes of code."""
MOST_TOLD = 20
"""Problems of one text."""
_MOST_MARKS = 400_000
"""Brackets and commas: more than any drawing needs, and few enough to be parsed at once."""
_MOST_LINES = 80_000
"""Lines, and statements that share one: each costs as much as several marks."""
_MOST_BRACES = 80_000
"""Of objects, and of texts that would be computed."""

_HOMES = ("studio.engine.drawing", "studio.engine")
_METHODS: dict[str, Callable[..., Any]] = {
    "step": Drawing.step,
    "node": Drawing.node,
    "answer": Drawing.answer,
    "wire": Drawing.wire,
    "note": Drawing.note,
    "build": Drawing.build,
    "spec": Drawing.spec,
}
_ENDINGS = ("build", "spec")
_STATEMENTS: dict[type[ast.AST], str] = {
    ast.For: "A loop",
    ast.AsyncFor: "A loop",
    ast.While: "A loop",
    ast.If: "A condition",
    ast.FunctionDef: "A function",
    ast.AsyncFunctionDef: "A function",
    ast.ClassDef: "A class",
    ast.With: "“with”",
    ast.Try: "“try”",
    ast.Delete: "“del”",
    ast.AugAssign: "A computation",
    ast.Raise: "“raise”",
    ast.Assert: "“assert”",
    ast.Match: "“match”",
    ast.Global: "“global”",
}


class _Broken:
    """What a variable holds whose line could not be read: told once, there."""


class _FollowsError(Exception):
    """A line cannot be read because one above it could not."""


_CLASS, _RESULT, _BROKEN = object(), object(), _Broken()


def from_python(text: str | bytes, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The spec that the code draws.

    With `base`, an earlier drawing, what is still the same keeps its ids, its order and, where
    the code tells none, its place; else ids are new and nodes stand in columns. Raises
    `CodeError` with each problem and its line.
    """
    tree = _parse(_decode(text))
    reader = _Reader()
    drawing = reader.read(tree)
    spec = drawing.draft()
    if base is not None:
        problem = shape_problem(base)
        if problem is not None:
            raise CodeError(f"The drawing that the code changes is none: {problem.message}")
        try:
            spec = keep(spec, base)
        except RecursionError:
            raise CodeError("A value of the drawing is nested too deeply.") from None
    lay_out(spec)
    problem = shape_problem(spec)
    if problem is not None:
        raise CodeError(problem.message)
    return spec


def _decode(text: str | bytes) -> str:
    if len(text) > MOST_TEXT:
        raise CodeError(f"The code is longer than {MOST_TEXT:,} characters.")
    try:
        # A text of JSON may hold what is no character, which no file of Python can.
        data = text.encode() if isinstance(text, str) else text
        if len(data) > MOST_TEXT:
            raise CodeError(f"The code is longer than {MOST_TEXT:,} bytes.")
        read = data.decode("utf-8-sig")
    except UnicodeError:
        raise CodeError("The code is not written in UTF-8.") from None
    if "\0" in read:
        line = read[: read.index("\0")].count("\n") + 1
        raise _at(line, "The code holds the character zero: remove it.")
    if sum(map(read.count, "([{,.+-~")) > _MOST_MARKS:
        raise CodeError("The code has more brackets and commas than any drawing.")
    if read.count("\n") + read.count(";") > _MOST_LINES:
        raise CodeError(f"The code has more than {_MOST_LINES:,} lines.")
    if read.count("{") > _MOST_BRACES:
        raise CodeError(f"The code has more than {_MOST_BRACES:,} braces.")
    return read


def _parse(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that do not escape anything
            return ast.parse(text)
    except SyntaxError as error:
        line = min(error.lineno or 1, text.count("\n") + 1)
        raise _at(line, f"This is no Python: {error.msg}.") from None
    except (RecursionError, MemoryError):
        raise CodeError("The code is nested too deeply to be read.") from None
    except ValueError as error:
        raise CodeError(f"This is no Python: {error}.") from None


class _Reader:
    """Goes through the statements, and draws what they say."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self.drawings: list[tuple[Drawing, int]] = []
        """Each with its line."""
        self.problems: list[CodeProblem] = []

    def read(self, tree: ast.Module) -> Drawing:
        """The outermost drawing. Raises `CodeError` with every line that is not understood."""
        for statement in tree.body:
            try:
                self._statement(statement)
            except CodeError as error:
                self._forget(statement)
                self.problems += error.problems
            except _FollowsError:
                self._forget(statement)
            if len(self.problems) >= MOST_TOLD:
                break
        if not self.problems:
            outermost = [(drawing, at) for drawing, at in self.drawings if not drawing.is_part]
            if len(outermost) == 1:
                return outermost[0][0]
            self.problems.append(_how_many(outermost))
        raise CodeError(_sum_up(self.problems), problems=self.problems)

    def _forget(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    self.known[target.id] = _BROKEN

    def _statement(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.ImportFrom):
            self._import(statement)
        elif isinstance(statement, ast.Assign):
            target = statement.targets[0]
            if len(statement.targets) > 1 or not isinstance(target, ast.Name):
                raise refuse(statement, "A line names one variable: write sort = triage.step(…).")
            self.known[target.id] = self._call(statement.value)
        elif isinstance(statement, ast.Expr):
            text = statement.value
            if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
                self._call(statement.value)
        elif isinstance(statement, ast.Import):
            name = shorten(statement.names[0].name)
            raise refuse(statement, f"“import {name}” draws nothing: {_IMPORT}")
        else:
            what = _STATEMENTS.get(type(statement), "This line")
            raise refuse(statement, f"{what} draws nothing: write each step as a line of its own.")

    def _import(self, statement: ast.ImportFrom) -> None:
        if statement.module == "__future__":
            return
        for name in statement.names:
            if statement.module not in _HOMES or name.name != "Drawing" or statement.level:
                home = shorten(statement.module or ".")
                message = f"“from {home} import {shorten(name.name)}” draws nothing: {_IMPORT}"
                raise refuse(statement, message)
            self.known[name.asname or name.name] = _CLASS

    def _call(self, node: ast.expr) -> Any:
        if not isinstance(node, ast.Call):
            raise refuse(node, "A line calls something: write sort = triage.step(…).")
        words = self._words(node)
        if isinstance(node.func, ast.Name):
            if self._look_up(node.func) is not _CLASS:
                raise refuse(node, f"“{shorten(node.func.id)}” cannot be called: {_CALLS}")
            made = self._run(Drawing, node, [], words)
            self.drawings.append((made, node.lineno))
            return made
        if not isinstance(node.func, ast.Attribute) or not isinstance(node.func.value, ast.Name):
            raise refuse(node, f"This cannot be called: {_CALLS}")
        owner, method = self._look_up(node.func.value), node.func.attr
        if not isinstance(owner, Drawing) or method not in _METHODS:
            name = f"{node.func.value.id}.{method}"
            raise refuse(node, f"“{shorten(name)}” cannot be called: {_CALLS}")
        if method in _ENDINGS:
            if node.args or node.keywords:
                raise refuse(node, f"“{method}” is told nothing: write {method}().")
            return _RESULT
        return self._run(_METHODS[method], node, [owner], words)

    def _run(
        self, method: Callable[..., Any], node: ast.Call, before: list[Any], words: dict[str, Any]
    ) -> Any:
        """One of our own methods, with values that were read: it fills a drawing, and no more."""
        values = [*before, *map(self._value, node.args)]
        try:
            inspect.signature(method).bind(*values, **words)
        except TypeError as error:
            raise refuse(node, f"This call is not complete, or has too much: {error}.") from None
        try:
            return method(*values, **words)
        except EngineError as error:
            raise refuse(node, str(error)) from None

    def _words(self, node: ast.Call) -> dict[str, Any]:
        words: dict[str, Any] = {}
        for word in node.keywords:
            if word.arg is None:
                raise refuse(word.value, "** cannot be read: write each word out.")
            if word.arg in words:
                raise refuse(word.value, f"“{shorten(word.arg)}” stands twice in one call.")
            words[word.arg] = self._value(word.value, word.arg)
        return words

    def _value(self, node: ast.expr, word: str = "") -> Any:
        if isinstance(node, ast.Dict) and word in ("parts", "wires"):
            return {
                self._key(key or value): self._value(value)
                for key, value in zip(node.keys, node.values, strict=True)
            }
        if isinstance(node, ast.Name):
            found = self._look_up(node)
            if isinstance(found, Drawing):
                return found
            raise refuse(node, f"“{shorten(node.id)}” is no value: name one of its fields.")
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            return self._port(node)
        return plain_value(node)

    def _key(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        raise refuse(node, "A name in {…} is a text in quotes.")

    def _port(self, node: ast.Attribute | ast.Subscript) -> Port:
        """`sort.area`, `sort["area"]` or `triage.given.message`."""
        owner = node.value
        if (
            isinstance(owner, ast.Attribute)
            and owner.attr == "given"
            and isinstance(owner.value, ast.Name)
        ):
            drawing = self._look_up(owner.value)
            if isinstance(drawing, Drawing):
                try:
                    return drawing.given[self._field(node)]
                except EngineError as error:
                    raise refuse(node, str(error)) from None
        elif isinstance(owner, ast.Name):
            placed = self._look_up(owner)
            if isinstance(placed, Placed):
                return placed[self._field(node)]
        raise refuse(node, "This is no field of a step: write sort.area or triage.given.message.")

    def _field(self, node: ast.Attribute | ast.Subscript) -> str:
        if isinstance(node, ast.Subscript):
            return self._key(node.slice)
        if node.attr.startswith("_"):
            raise refuse(
                node, f'“{shorten(node.attr)}” is no field: write ["{shorten(node.attr)}"].'
            )
        return node.attr

    def _look_up(self, node: ast.Name) -> Any:
        if node.id not in self.known:
            raise refuse(node, f"There is no “{shorten(node.id)}” above this line.")
        found = self.known[node.id]
        if isinstance(found, _Broken):
            raise _FollowsError
        return found


_IMPORT = "the only import is “from studio.engine.drawing import Drawing”."
_CALLS = "write Drawing(…), or step, node, answer, wire or note of a drawing."


def _how_many(outermost: list[tuple[Drawing, int]]) -> CodeProblem:
    if not outermost:
        return CodeProblem(1, 'There is no drawing: write pipeline = Drawing(inputs="message").')
    return CodeProblem(
        outermost[1][1],
        f"There are {len(outermost)} drawings of which none is inside another: keep one, or give "
        'the others to a step as parts={"body": …}.',
    )


def _at(line: int, message: str) -> CodeError:
    problems = [CodeProblem(line, message)]
    return CodeError(_sum_up(problems), problems=problems)


def _sum_up(problems: list[CodeProblem]) -> str:
    first = problems[0]
    where = f"Line {first.line}: " if first.line else ""
    rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{where}{first.message}{rest}"

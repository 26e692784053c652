"""Plain values out of a syntax tree: nothing in it is run."""

from __future__ import annotations

import ast
import math
from typing import Any

from studio.engine.graph.code.problems import CodeError, CodeProblem

_DEEPEST = 70
_WORDS: dict[type[ast.AST], str] = {
    ast.JoinedStr: "An f-string",
    ast.BinOp: "A computation",
    ast.BoolOp: "A computation",
    ast.Compare: "A comparison",
    ast.IfExp: "A condition",
    ast.Lambda: "A function",
    ast.Call: "A call",
    ast.ListComp: "A loop",
    ast.SetComp: "A loop",
    ast.DictComp: "A loop",
    ast.GeneratorExp: "A loop",
    ast.Await: "A wait",
    ast.Starred: "A star",
    ast.Set: "A set",
    ast.NamedExpr: "An assignment in the midst of a line",
    ast.Name: "A variable",
    ast.Attribute: "A field",
    ast.Subscript: "A field",
}


def refuse(node: ast.AST, message: str) -> CodeError:
    """The error for what stands at a line."""
    line = getattr(node, "lineno", 0)
    return CodeError(message, problems=(CodeProblem(line, message),))


def plain_value(node: ast.expr, depth: int = 0) -> Any:
    """A text, number, True, False, None, list, tuple or dict, as it is written there.

    Raises `CodeError` with the line of anything else.
    """
    if depth > _DEEPEST:
        raise refuse(node, f"A value is nested more than {_DEEPEST} deep.")
    if isinstance(node, ast.Constant):
        return _constant(node)
    if isinstance(node, ast.List):
        return [plain_value(item, depth + 1) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(plain_value(item, depth + 1) for item in node.elts)
    if isinstance(node, ast.Dict):
        return _dict(node, depth)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        return _signed(node)
    what = _WORDS.get(type(node), "This")
    raise refuse(
        node, f"{what} cannot stand here: write a plain text, number, list or {{…}} instead."
    )


def _constant(node: ast.Constant) -> Any:
    value = node.value
    if isinstance(value, float) and not math.isfinite(value):
        raise refuse(node, "The number is too large.")
    if isinstance(value, int) and value.bit_length() > 1_024:
        raise refuse(node, "The number has more than 300 digits.")
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    what = "Bytes" if isinstance(value, bytes) else "This"
    raise refuse(node, f"{what} cannot stand in a drawing: write a text or a number.")


def _signed(node: ast.UnaryOp) -> int | float:
    number = _constant(node.operand) if isinstance(node.operand, ast.Constant) else None
    if not isinstance(number, (int, float)) or isinstance(number, bool):
        raise refuse(node, "A sign stands before a number: write -1.")
    return -number if isinstance(node.op, ast.USub) else number


def _dict(node: ast.Dict, depth: int) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise refuse(key or value, "A name in {…} is a text in quotes.")
        if key.value in read:
            raise refuse(key, f"“{key.value[:80]}” stands twice in the same {{…}}.")
        read[key.value] = plain_value(value, depth + 1)
    return read

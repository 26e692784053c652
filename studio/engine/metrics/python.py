"""Python: your own function says what an answer is worth; it runs in the sandbox."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from dataclasses import field as param
from typing import Any

from studio.engine.errors import EngineError, MetricError, SandboxError, SandboxLimit
from studio.engine.example import Example
from studio.engine.metrics.base import MetricKind, Score, shown
from studio.engine.metrics.judging import said
from studio.engine.runtime import Runtime
from studio.engine.sandbox.base import CodeProblem, Sandbox
from studio.engine.trace import Prediction

LONGEST_CODE = 20_000

EXAMPLE_CODE = """\
def score(example, prediction):
    # Both are dicts: field name -> value.
    # Answer a number from 0 to 1, True or False,
    # (number, "the reason"), or None: nobody can say.
    expected, answered = example["answer"], prediction["answer"]
    if exact_match(expected, answered):
        return 1.0, "the same text"
    return token_f1(expected, answered), "shared words"
"""

# In the sandbox's small Python; the same as `normal.normalise`, `ExactMatch` and `TokenF1`.
HELPERS = {
    "normalise": """
def normalise(text):
    words = []
    for word in str(text).casefold().split():
        if not word.isalnum():
            word = _studio_bare(word)
        if word and word not in ("a", "an", "the"):
            words.append(word)
    return " ".join(words)
def _studio_bare(word):
    kept, last = "", len(word) - 1
    for at in range(len(word)):
        char = word[at]
        if char.isalnum() or (
            0 < at < last and char != "_" and word[at - 1].isdecimal() and word[at + 1].isdecimal()
        ):
            kept += char
    return kept
""",
    "exact_match": """
def exact_match(expected, answered):
    if isinstance(expected, list) and not isinstance(answered, list):
        return any([exact_match(each, answered) for each in expected])
    if expected == answered or str(expected) == str(answered):
        return True
    plain = normalise(expected)
    return plain != "" and plain == normalise(answered)
""",
    "token_f1": """
def token_f1(expected, answered):
    wanted, found = normalise(expected).split(), normalise(answered).split()
    if not wanted or not found:
        return 1.0 if wanted == found else 0.0
    left = {}
    for word in wanted:
        left[word] = left.get(word, 0) + 1
    shared = 0
    for word in found:
        if left.get(word, 0) > 0:
            left[word] = left[word] - 1
            shared += 1
    return 2 * shared / (len(wanted) + len(found))
""",
}
"""What the code may call, as Python that runs beside it."""

_ENDING = """
def _studio_out(answer):
    if isinstance(answer, (tuple, list)):
        return [_studio_number(item) for item in answer]
    return _studio_number(answer)
def _studio_number(value):
    if isinstance(value, float) and value - value != 0:
        return {"_studio_float": str(value)}
    return value
_studio_out(score(_studio_example, _studio_prediction))"""
"""Calls the author's function; what is no finite number leaves the sandbox as its name."""

_ADVICE = (
    ("took longer", "Look for a loop that never ends."),
    ("memory", "Look for a list or a text that only grows."),
    ("printed", "Print less; what is printed is kept nowhere."),
    ("inside one another", "Look for a function that calls itself without an end."),
)
"""By a word of a limit's sentence: where to look."""


@dataclass(frozen=True, kw_only=True)
class PythonParams:
    """What people may set."""

    code: str = param(
        metadata={
            "label": "Code",
            "help": "Python with a function score(example, prediction) that answers a number from "
            "0 to 1, True or False, a number and a reason, or None when nobody can say.",
            "required": True,
            "widget": "code",
        }
    )

    def __post_init__(self) -> None:
        read_code(self.code)


@dataclass(frozen=True)
class Python:
    """What the author's `score` answers."""

    program: str
    sandbox: Sandbox
    lines: int
    """Of the author's code, which stands first in the program."""

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return "Python metric"

    async def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; raises `MetricError` with the line of the code that failed."""
        inputs = {
            "_studio_example": dict(example.values),
            "_studio_prediction": dict(prediction.values),
        }
        try:
            outcome = await self.sandbox.run(self.program, inputs)
        except SandboxError as error:
            raise MetricError(self._explained(error)) from error
        return read_score(_numbers(outcome.value))

    def _explained(self, error: SandboxError) -> str:
        """What went wrong, in the author's terms: their lines, their function."""
        told = str(error).replace("The code's value", "What score() answered")
        if error.line is not None and error.line > self.lines:
            told = told.removeprefix(f"Line {error.line}: ")
            told = f"A helper that score() called failed: {told}"
        if isinstance(error, SandboxLimit):
            told = " ".join([told, *(advice for word, advice in _ADVICE if word in told)])
        return told


def line_of(error: BaseException | None) -> int | None:
    """The line of the author's code that an error of a metric comes from, where it has one."""
    while error is not None:
        if isinstance(error, SandboxError) and error.line is not None:
            return error.line
        error = error.__cause__
    return None


def read_score(answer: Any) -> Score:
    """The score that the code means; raises `MetricError` when it means none."""
    value, reason = answer, ""
    if isinstance(answer, (list, tuple)) and len(answer) == 2 and isinstance(answer[1], str):
        value, reason = answer[0], said(answer[1])
    if value is None:
        return Score.unscored(
            reason or "score() answered nothing (None): the row is unscored and counts nowhere"
        )
    if isinstance(value, (bool, int, float)):
        if not math.isfinite(value):
            raise MetricError(
                f"score() answered {value}, which is no number from 0 to 1: look for a division "
                "or a logarithm that has no result"
            )
        if not 0 <= value <= 1:
            raise MetricError(
                f"score() answered {value:g}, and a score lies between 0 and 1: divide it by the "
                "most that it can be"
            )
        return Score(float(value), reason or f"the code answered {value}")
    what = f"the text {shown(value)}" if isinstance(value, str) else shown(value)
    raise MetricError(
        f"score() answered {what} instead of a number from 0 to 1, True or False, a number and a "
        "reason, or None"
    )


def _numbers(answer: Any) -> Any:
    """The answer with the numbers back that JSON has no way to write."""
    if isinstance(answer, dict) and set(answer) == {"_studio_float"}:
        return float(answer["_studio_float"])
    return [_numbers(item) for item in answer] if isinstance(answer, list) else answer


def find_problem(code: str) -> CodeProblem | None:
    """Why the code cannot be a metric's, with the line where that is; found without running it."""
    if len(code) > LONGEST_CODE:
        return CodeProblem(f"it is longer than {LONGEST_CODE:,} characters.")
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        return CodeProblem(f"{error.msg}.", error.lineno)
    except (ValueError, RecursionError, MemoryError):
        return CodeProblem("it cannot be read as Python.")
    score = _functions(tree).get("score")
    if score is None:
        return CodeProblem("it has no function score(example, prediction).")
    given = score.args
    if not len(given.args) - len(given.defaults) <= 2 <= len(given.args) or given.kwonlyargs:
        return CodeProblem(
            "the function score takes two values: example and prediction.", score.lineno
        )
    return None


def read_code(code: str) -> set[str]:
    """The names that the code defines; raises `EngineError` when it cannot be a metric's."""
    problem = find_problem(code)
    if problem is not None:
        where = f"line {problem.line}: " if problem.line else ""
        raise EngineError(f"Code: {where}{problem.message}")
    return set(_functions(ast.parse(code)))


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _make(params: PythonParams, runtime: Runtime | None) -> Python:
    assert runtime is not None
    assert runtime.sandbox is not None
    # The author's code stands first, so that the line of an error is the author's; helpers that
    # the author has of the same name are left out.
    helpers = [text for name, text in HELPERS.items() if name not in read_code(params.code)]
    program = "\n".join([params.code, *helpers, _ENDING])
    return Python(program, runtime.sandbox, len(params.code.splitlines()))


PYTHON = MetricKind(
    name="python",
    title="Python",
    sentence="Your own function score(example, prediction), run in the sandbox.",
    params=PythonParams,
    make=_make,
    needs=frozenset({"sandbox"}),
)

"""Python: your own function says what an answer is worth; it runs in the sandbox."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from dataclasses import field as param
from typing import Any

from studio.engine.errors import EngineError, MetricError, SandboxError
from studio.engine.example import Example
from studio.engine.metrics.base import MetricKind, Score, shown
from studio.engine.metrics.judging import said
from studio.engine.runtime import Runtime
from studio.engine.sandbox.base import Sandbox
from studio.engine.trace import Prediction

LONGEST_CODE = 20_000

EXAMPLE_CODE = """\
def score(example, prediction):
    # Both are dicts: field name -> value. Answer a number from 0 to 1, True or False,
    # (number, "the reason"), or None when nobody can say.
    # normalise(text), token_f1(expected, answered) and exact_match(expected, answered) are there.
    right = exact_match(example["answer"], prediction["answer"])
    return right, "the same text" if right else "another text"
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
            raise MetricError(str(error)) from error
        return read_score(outcome.value)


def read_score(answer: Any) -> Score:
    """The score that the code means; raises `MetricError` when it means none."""
    value, reason = answer, ""
    if isinstance(answer, (list, tuple)) and len(answer) == 2 and isinstance(answer[1], str):
        value, reason = answer[0], said(answer[1])
    if value is None:
        return Score.unscored(reason or "the code answered None")
    if isinstance(value, (bool, int, float)) and math.isfinite(value):
        return Score(float(value), reason or f"the code answered {value}")
    raise MetricError(
        f"score() answered {shown(answer)} instead of a number from 0 to 1, True or False, a "
        "number and a reason, or None"
    )


def read_code(code: str) -> set[str]:
    """The names that the code defines; raises `EngineError` when it cannot be a metric's."""
    if len(code) > LONGEST_CODE:
        raise EngineError(f"Code: it is longer than {LONGEST_CODE:,} characters.")
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise EngineError(f"Code: line {error.lineno}: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError):
        raise EngineError("Code: it cannot be read as Python.") from None
    defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if "score" not in defined:
        raise EngineError("Code: it has no function score(example, prediction).")
    given = defined["score"].args
    if not len(given.args) - len(given.defaults) <= 2 <= len(given.args) or given.kwonlyargs:
        raise EngineError("Code: the function score takes two values: example and prediction.")
    return set(defined)


def _make(params: PythonParams, runtime: Runtime | None) -> Python:
    assert runtime is not None
    assert runtime.sandbox is not None
    # The author's code stands first, so that the line of an error is the author's; helpers that
    # the author has of the same name are left out.
    helpers = [text for name, text in HELPERS.items() if name not in read_code(params.code)]
    ending = "score(_studio_example, _studio_prediction)"
    return Python("\n".join([params.code, *helpers, ending]), runtime.sandbox)


PYTHON = MetricKind(
    name="python",
    title="Python",
    sentence="Your own function score(example, prediction), run in the sandbox.",
    params=PythonParams,
    make=_make,
    needs=frozenset({"sandbox"}),
)

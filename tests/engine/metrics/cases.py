"""One metric of every kind, for the contract suite; and a judge that can only compare.

Add a `Case` for a new kind to `CASES`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from studio.engine.fields import FieldType
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.runtime import Runtime
from studio.engine.sandbox.base import Sandbox
from tests.engine.retrieval.fakes import WordsEmbedder

CODE = """\
def score(example, prediction):
    if "answer" not in prediction:
        return 0, 'the answer has no “answer”'
    if example.get("answer") is None:
        return None, 'the example has no “answer” to compare with'
    expected, got = example["answer"], prediction["answer"]
    return exact_match(expected, got), 'expected “' + str(expected)[:80] + '”, got “' + str(got)[:80] + '”'
"""  # noqa: E501

PARTS = json.dumps(
    [
        {"kind": "exact_match", "params": {"field": "answer"}, "weight": 2, "gate": 1},
        {"kind": "token_f1", "params": {"field": "answer"}},
    ]
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """How a kind is made, so that it compares “answer” with the expected one."""

    params: Mapping[str, Any] = field(default_factory=lambda: {"field": "answer"})
    compares: bool = True
    """Whether it needs a gold value."""
    graded: bool = False
    """Whether “account” is not altogether wrong where “billing” is expected."""
    judges: bool = False
    """Whether an LM says it, in its own words."""
    symmetric: bool = True
    """Whether expected and answered may change places."""


CASES: dict[str, Case] = {
    "exact_match": Case(symmetric=False),  # a gold list is a choice
    "token_f1": Case(symmetric=False),
    "contains": Case(symmetric=False),
    "regex": Case(params={"field": "answer", "pattern": "^billing$"}, compares=False),
    "numeric": Case(params={"field": "answer"}, symmetric=False),
    "json_equality": Case(params={"field": "answer", "partial": True}),
    "rouge_l": Case(symmetric=False),
    "edit_similarity": Case(graded=True, symmetric=False),
    "embedding_similarity": Case(symmetric=False),
    "passage_match": Case(symmetric=False),
    "lm_judge": Case(
        params={"field": "answer", "rubric": "It is the same.", "reference": "answer"},
        judges=True,
        symmetric=False,
    ),
    "semantic_f1": Case(judges=True, symmetric=False),
    "complete_and_grounded": Case(
        params={"field": "answer", "context": "answer"}, judges=True, symmetric=False
    ),
    "python": Case(params={"code": CODE}, symmetric=False),
    "composite": Case(params={"parts": PARTS}, symmetric=False),
}
BETWEEN_TEXTS = (
    "exact_match",
    "token_f1",
    "json_equality",
    "rouge_l",
    "edit_similarity",
    "embedding_similarity",
)
"""Kinds for which two texts may change places."""


def say_whether_same(request: Request) -> str:
    """Right if the last of the inputs stands in the one before it."""
    prompt = read_prompt(request)
    # Formats may put a backslash before what looks like their own layout.
    said, known = (
        text.replace("\\", "").strip() for text in (prompt.inputs[-1], prompt.inputs[-2])
    )
    right = said in known
    words = {
        "float": "1" if right else "0",
        "enum": "yes" if right else "no",
        "int": "5" if right else "1",
        "list": '["one idea"]',
    }
    text = FieldType("str")
    return prompt.answer(
        {
            name: words.get(prompt.types.get(name, text).kind, "I compared the two.")
            for name in prompt.open
        }
    )


def judging_runtime(sandbox: Sandbox | None = None) -> Runtime:
    """With everything that any metric needs."""
    return Runtime(lm=ScriptedLM(say_whether_same), embedder=WordsEmbedder(), sandbox=sandbox)


@contextmanager
def open_sandbox() -> Iterator[Sandbox]:
    """The real one."""
    import asyncio

    from studio.engine.sandbox.monty import MontySandbox

    sandbox = MontySandbox()
    try:
        yield sandbox
    finally:
        asyncio.run(sandbox.aclose())

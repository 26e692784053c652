"""One module of every kind, as a node makes it, for the contract suite.

Add a builder for a new kind to `CASES`: a function without arguments that gives a `Case`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.engine.fields import FieldType, write_value
from studio.engine.lm.base import LM
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import Answer
from studio.engine.messages import Request, ToolSpec
from studio.engine.modules import MODULES, Module, Predict
from studio.engine.modules.subpipeline import Subpipeline
from studio.engine.params import read_params
from studio.engine.program import INPUT, Node, Program, Wire
from studio.engine.retrieval.base import Passage
from studio.engine.retrieval.fulltext import FullText
from studio.engine.runtime import Runtime
from studio.engine.sandbox.monty import MontySandbox
from studio.engine.signature import Signature


def plausible(type_: FieldType) -> Any:
    """A value of the type."""
    match type_.kind:
        case "int":
            return 3
        case "float":
            return 0.5
        case "bool":
            return True
        case "date":
            return "2024-02-29"
        case "enum":
            return type_.labels[0]
        case "list":
            assert type_.item is not None
            return [plausible(type_.item)]
        case "dict":
            assert type_.item is not None
            return {"key": plausible(type_.item)}
        case "optional":
            assert type_.item is not None
            return plausible(type_.item)
        case "object":
            return {}
    return "fine"


def answer_anything(request: Request) -> Answer:
    """A readable answer to any prompt of the engine's: a plausible value for each open field."""
    prompt = read_prompt(request)
    text = FieldType("str")
    values = {}
    for name in prompt.open:
        type_ = prompt.types.get(name, text)
        values[name] = write_value(type_, plausible(type_))
    return prompt.answer(values)


def plain_runtime(lm: LM) -> Runtime:
    """For modules that need nothing but an LM."""
    return Runtime(lm=lm)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One module of a kind, and what it is asked."""

    kind: str
    signature: Signature
    inputs: Mapping[str, Any]
    """Good inputs."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """JSON, as a node holds it."""
    parts: Mapping[str, Module] = field(default_factory=dict)
    runtime: Callable[[LM], Runtime] = plain_runtime
    """With the tools, collections or sandbox that the module needs."""
    answer: Callable[[Request], Answer] = answer_anything
    """What the LM says to its prompts, so that the module comes to a good end."""
    text_input: str = ""
    """The name of an input of type str that takes any text; empty: there is none."""
    reads_answers: bool = True
    """Whether an answer that nobody can read ends in one more try, then `ParseError`."""

    @property
    def module(self) -> Module:
        """As a node makes it."""
        kind = MODULES[self.kind]
        return kind.make(self.signature, read_params(kind.params, self.params), self.parts)


def predict() -> Case:
    """Several types out of two inputs."""
    return Case(
        kind="predict",
        signature=Signature.parse(
            "message, hint -> count: int, area: enum[a, b], notes: list[str]"
        ),
        inputs={"message": "hello", "hint": "none"},
        text_input="message",
    )


def chain_of_thought() -> Case:
    """Reasoning, then a label."""
    return Case(
        kind="chain_of_thought",
        signature=Signature.parse("message -> area: enum[a, b]"),
        inputs={"message": "hello"},
        text_input="message",
    )


def constraint() -> Case:
    """A check that is content with everything."""
    return Case(
        kind="constraint",
        signature=Signature.parse("message -> area: enum[a, b], note"),
        inputs={"message": "hello"},
        params={"check": "len(note) < 20", "retries": 1},
        runtime=lambda lm: Runtime(lm=lm, sandbox=MontySandbox(processes=1)),
        text_input="message",
    )


def map_over() -> Case:
    """Three items, one after the other."""
    return Case(
        kind="map",
        signature=Signature.parse("messages: list[str], hint -> areas: list[enum[a, b]]"),
        inputs={"messages": ["one", "two", "three"], "hint": "none"},
        params={"concurrency": 1},
        text_input="hint",
    )


def branch() -> Case:
    """Two pipelines, of which one asks the LM twice."""
    return Case(
        kind="branch",
        signature=Signature.parse("message, urgent: bool -> area: enum[a, b]"),
        inputs={"message": "hello", "urgent": True},
        parts={
            "yes": chained("message -> problem", "problem -> area: enum[a, b]"),
            "otherwise": chained("message, urgent: bool -> area: enum[a, b]"),
        },
        text_input="message",
    )


def router() -> Case:
    """One question, then one of two pipelines."""
    return Case(
        kind="router",
        signature=Signature.parse("message -> answer"),
        inputs={"message": "hello"},
        params={"cases": ["billing", "all the rest"]},
        parts={"billing": chained("message -> answer"), "otherwise": chained("message -> answer")},
        text_input="message",
    )


def subpipeline() -> Case:
    """Two steps in a pipeline that does not look at one of its inputs."""
    return Case(
        kind="subpipeline",
        signature=Signature.parse("message, hint -> area: enum[a, b]"),
        inputs={"message": "hello", "hint": "none"},
        parts={"body": chained("message -> problem", "problem -> area: enum[a, b]")},
        text_input="message",
    )


def convert() -> Case:
    """Lines out of a text."""
    return Case(
        kind="convert",
        signature=Signature.parse("text -> lines: list[str]"),
        inputs={"text": "one\ntwo"},
        params={"rule": "split_lines"},
        reads_answers=False,
        text_input="text",
    )


def chained(*signatures: str) -> Subpipeline:
    """Steps `step1`, `step2` …, each one on what the last one answers."""
    modules = [Predict.of(text) for text in signatures]
    source, layers = INPUT, []
    for number, module in enumerate(modules, start=1):
        wires = {field.name: Wire(source, field.name) for field in module.signature.inputs}
        source = f"step{number}"
        layers.append((Node(source, module, wires),))
    return Subpipeline(
        Program(
            modules[0].signature.inputs,
            modules[-1].signature.outputs,
            tuple(layers),
            {field.name: Wire(source, field.name) for field in modules[-1].signature.outputs},
        )
    )


class Clock:
    """A tool that needs no arguments."""

    spec = ToolSpec("clock", "Tells the time.", {"type": "object", "properties": {}})

    async def __call__(self, arguments: Mapping[str, Any]) -> str:
        """See `Tool.__call__`."""
        return "It is ten past ten."


def react() -> Case:
    """An agent that asks its one tool twice."""
    return Case(
        kind="react",
        signature=Signature.parse("message, hint -> area: enum[a, b]"),
        inputs={"message": "hello", "hint": "none"},
        params={"tools": ["clock"], "max_steps": 2},
        runtime=lambda lm: Runtime(lm=lm, tools={"clock": Clock()}),
        text_input="message",
    )


def multi_chain_comparison() -> Case:
    """Three attempts at once, and a comparison."""
    return Case(
        kind="multi_chain_comparison",
        signature=Signature.parse("message -> area: enum[a, b]"),
        inputs={"message": "hello"},
        text_input="message",
        reads_answers=False,
    )


def best_of_n() -> Case:
    """Two attempts, since the judge is never content."""
    return Case(
        kind="best_of_n",
        signature=Signature.parse("message -> area: enum[a, b]"),
        inputs={"message": "hello"},
        params={"n": 2, "rubric": "It is short.", "step": "predict"},
        text_input="message",
    )


def refine() -> Case:
    """An attempt, advice, and another attempt."""
    return Case(
        kind="refine",
        signature=Signature.parse("message -> area: enum[a, b], note"),
        inputs={"message": "hello"},
        params={"n": 2, "rubric": "It is short."},
        text_input="message",
    )


def majority() -> Case:
    """Three samples at once."""
    return Case(
        kind="majority",
        signature=Signature.parse("message -> area: enum[a, b], notes: list[str]"),
        inputs={"message": "hello"},
        params={"samples": 3, "field": "area"},
        text_input="message",
        reads_answers=False,
    )


def answer_with_code(request: Request) -> Answer:
    """As `answer_anything`, with code that runs."""
    prompt = read_prompt(request)
    text = FieldType("str")
    values = {}
    for name in prompt.open:
        type_ = prompt.types.get(name, text)
        values[name] = write_value(type_, plausible(type_))
        if name == "code":
            values[name] = "print(len(message))\n2 + 3"
    return prompt.answer(values)


def program_of_thought() -> Case:
    """Code that runs at once, and an answer from its output."""
    return Case(
        kind="program_of_thought",
        signature=Signature.parse("message -> count: int, area: enum[a, b]"),
        inputs={"message": "hello"},
        runtime=lambda lm: Runtime(lm=lm, sandbox=MontySandbox()),
        answer=answer_with_code,
        text_input="message",
    )


def code_act() -> Case:
    """One piece of code, then the answer."""
    return Case(
        kind="code_act",
        signature=Signature.parse("message -> count: int, area: enum[a, b]"),
        inputs={"message": "hello"},
        runtime=lambda lm: Runtime(lm=lm, sandbox=MontySandbox()),
        answer=answer_with_code,
        text_input="message",
    )


def python() -> Case:
    """Two outputs out of a function."""
    return Case(
        kind="python",
        signature=Signature.parse("message, times: int -> loud, count: int"),
        inputs={"message": "hello", "times": 2},
        params={
            "code": "def transform(message, times):\n"
            "    return {'loud': message.upper() * times, 'count': len(message)}"
        },
        runtime=lambda lm: Runtime(lm=lm, sandbox=MontySandbox()),
        text_input="message",
        reads_answers=False,
    )


def template() -> Case:
    """A text with a list in it."""
    return Case(
        kind="template",
        signature=Signature.parse("message, notes: list[str] -> text"),
        inputs={"message": "hello", "notes": ["one", "two"]},
        params={"template": "About {message}:\n{notes}\n{{end}}"},
        text_input="message",
        reads_answers=False,
    )


def retrieve() -> Case:
    """A collection of two passages."""
    passages = [Passage(id="1", text="hello there"), Passage(id="2", title="T", text="good bye")]

    def runtime(lm: LM) -> Runtime:
        return Runtime(lm=lm, retrievers={"notes": FullText.build(passages)})

    return Case(
        kind="retrieve",
        signature=Signature.parse("query -> passages: list[str], details: list[object]"),
        inputs={"query": "hello"},
        params={"collection": "notes", "k": 2},
        runtime=runtime,
        text_input="query",
        reads_answers=False,
    )


def knn_demos() -> Case:
    """Reasoning, then a label."""
    return Case(
        kind="knn_demos",
        signature=Signature.parse("message -> area: enum[a, b]"),
        inputs={"message": "hello"},
        params={"step": "chain_of_thought"},
        text_input="message",
    )


CASES: dict[str, Callable[[], Case]] = {
    "predict": predict,
    "chain_of_thought": chain_of_thought,
    "multi_chain_comparison": multi_chain_comparison,
    "react": react,
    "best_of_n": best_of_n,
    "refine": refine,
    "majority": majority,
    "constraint": constraint,
    "map": map_over,
    "branch": branch,
    "router": router,
    "subpipeline": subpipeline,
    "retrieve": retrieve,
    "knn_demos": knn_demos,
    "program_of_thought": program_of_thought,
    "code_act": code_act,
    "python": python,
    "template": template,
    "convert": convert,
}

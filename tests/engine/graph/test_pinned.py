"""Demos that people pin to a step: where they stand, what is refused, what they give away."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from studio.engine.compilers.near import NearDuplicates
from studio.engine.compilers.teaching import _outline
from studio.engine.example import Candidate, Demo, Example, PredictorState
from studio.engine.formats import FORMATS
from studio.engine.graph import build, check, spec_hash
from studio.engine.graph.pinned import may_be_pinned
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.modules import MODULES
from studio.engine.modules.inside import named_lms, pinned_demos, pinned_inputs, takes_demos
from studio.engine.params import read_params
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.saving.dspy_export import export_dspy
from studio.engine.saving.messages import export_messages, finetuning_rows
from studio.engine.saving.programs import dump_program, load_program
from tests.builders import make_edge, make_field, make_spec
from tests.engine.graph.test_every_kind import CASE
from tests.engine.test_rehearsal import drawing, end, step

PINNED = {"message": "My card was eaten.", "category": "billing"}
OTHER = {"message": "The box is wet.", "category": "shipping"}
OWN = {"message": "Where is the van?", "category": "shipping"}

NEEDS: Mapping[str, dict[str, Any]] = {
    "constraint": {"check": "True"},
    "best_of_n": {"rubric": "It is right."},
    "refine": {"rubric": "It is right.", "n": 1},
    "knn_demos": {"k": 1},
    "react": {"tools": ["search"]},
    "code_act": {},
}


def spec_of(kind: str, *demos: dict[str, Any], **params: Any) -> dict[str, Any]:
    """The sample drawing with a step of that kind, and demos pinned to it."""
    spec = make_spec(kind=kind)
    spec["nodes"][1]["params"] = {**NEEDS.get(kind, {}), **params}
    spec["nodes"][1]["demos"] = list(demos)
    return spec


def answer(request: Request) -> str:
    """Whatever is asked for, in the layout of the prompt."""
    prompt = read_prompt(request)
    values = {"category": "billing", "score": "1.0"}
    return prompt.answer({name: values.get(name, "because") for name in prompt.open})


def asked(program: Program, message: str = "Hello?", **runtime: Any) -> list[Request]:
    """What the LM was asked in one run."""
    lm = ScriptedLM(answer)
    asyncio.run(program({"message": message}, Runtime(lm=lm, **runtime)))
    return lm.requests


def shown(request: Request) -> list[str]:
    """The messages of the demos, in order."""
    text = request.prompt or "\n".join(turn.content for turn in request.messages[:-1])
    present = [demo["message"] for demo in (PINNED, OTHER, OWN) if demo["message"] in text]
    return sorted(present, key=text.index)


def with_own(program: Program, *demos: dict[str, Any], nearest: int = 0) -> Program:
    """The program as a compiler would set it: its first predictor with demos of its own."""
    states = dict(program.candidate().states)
    path = next(iter(pinned_demos(program)), next(iter(states)))
    own = tuple(Demo(values=values) for values in demos)
    states[path] = replace(states[path], demos=own, nearest=nearest)
    return program.apply(Candidate(states))


@pytest.mark.parametrize(
    "kind",
    [
        "predict",
        "chain_of_thought",
        "knn_demos",
        "majority",
        "best_of_n",
        "refine",
        "constraint",
        "multi_chain_comparison",
    ],
)
def test_pinned_demos_stand_first_whatever_a_compiler_chooses(kind: str) -> None:
    from studio.engine.sandbox.monty import MontySandbox

    sandbox = MontySandbox() if kind == "constraint" else None
    program = build(spec_of(kind, PINNED, OTHER))
    first = asked(program, sandbox=sandbox)[0]
    assert shown(first) == [PINNED["message"], OTHER["message"]]
    compiled = asked(with_own(program, OWN), sandbox=sandbox)[0]
    assert shown(compiled) == [PINNED["message"], OTHER["message"], OWN["message"]]
    # A state that has no demos, or another instruction, takes nothing away.
    bare = with_own(program)
    assert shown(asked(bare, sandbox=sandbox)[0]) == [PINNED["message"], OTHER["message"]]


@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_they_stand_in_every_format(format_: str) -> None:
    program = with_own(build(spec_of("predict", PINNED)), OWN)
    assert shown(asked(program, format=format_)[0]) == [PINNED["message"], OWN["message"]]


def test_they_stand_before_the_nearest_ones() -> None:
    program = with_own(build(spec_of("predict", PINNED)), OWN, OTHER, nearest=1)
    assert shown(asked(program, "Is the van here?")[0]) == [PINNED["message"], OWN["message"]]


def test_the_head_is_rendered_once() -> None:
    program = with_own(build(spec_of("predict", PINNED)), OWN)
    lm = ScriptedLM(answer)
    runtime = Runtime(lm=lm)
    for message in ("One.", "Two."):
        asyncio.run(program({"message": message}, runtime))
    first, second = lm.requests
    assert first.messages[0] is second.messages[0]
    assert first.messages[1] is second.messages[1]


def test_a_constraint_shows_them_when_it_asks_again() -> None:
    from studio.engine.sandbox.monty import MontySandbox

    program = build(spec_of("constraint", PINNED, check="False", retries=1, otherwise="pass"))
    first, again = asked(program, sandbox=MontySandbox())
    assert shown(first) == shown(again) == [PINNED["message"]]


def test_reasoning_may_be_missing_and_may_be_there() -> None:
    thought = {**OTHER, "reasoning": "Wet boxes come by mail."}
    program = build(spec_of("chain_of_thought", PINNED, thought))
    text = "\n".join(turn.content for turn in asked(program)[0].messages)
    assert "Wet boxes come by mail." in text
    assert shown(asked(program)[0]) == [PINNED["message"], OTHER["message"]]


@pytest.mark.parametrize(
    "kind",
    [
        "react",
        "program_of_thought",
        "code_act",
        "retrieve",
        "template",
        "python",
        "convert",
        "map",
    ],
)
def test_a_kind_that_asks_otherwise_shows_none(kind: str) -> None:
    spec = spec_of(kind, PINNED)
    if kind in ("retrieve", "template", "python", "convert", "map"):
        signatures = {
            "retrieve": ("str", "list[str]", {"collection": "c"}),
            "template": ("str", "str", {"template": "{{ message }}"}),
            "python": ("str", "str", {"code": "def transform(message):\n    return message"}),
            "convert": ("str", "int", {}),
            "map": ("list[str]", "list[str]", {}),
        }
        given, answered, params = signatures[kind]
        name = "passages" if kind == "retrieve" else "category"
        node = spec["nodes"][1]
        node["signature"]["fields"] = [
            make_field("message", given, role="input"),
            make_field(name, answered, role="output"),
        ]
        node["params"] = params
        spec["nodes"][0]["fields"] = [make_field("message", given)]
        spec["nodes"][2]["fields"] = [make_field("category", answered)]
        spec["edges"][1] = make_edge("e2", "n2", name, "n3", "category")
    bare = copy.deepcopy(spec)
    bare["nodes"][1]["demos"] = []
    assert not check(bare)
    (problem,) = check(spec)
    assert problem.code == "no-demos"
    assert problem.node == "n2"
    assert "shows no pinned demos: remove them, or use Predict." in problem.message


def test_what_is_drawn_inside_is_asked_there() -> None:
    inner = drawing(
        [
            end("input", "message"),
            step("ask", "message", "category"),
            end("output", "category"),
        ],
        "input.message ask.message",
        "ask.category output.category",
    )
    spec = spec_of("subpipeline", PINNED)
    fields = spec["nodes"][1]["signature"]["fields"]
    fields[1] = make_field("category", role="output")
    spec["nodes"][2]["fields"] = [make_field("category")]
    spec["nodes"][1]["parts"] = {"body": inner}
    (problem,) = check(spec)
    assert problem.code == "no-demos"
    assert "pin the demos to a step in there" in problem.message
    spec["nodes"][1]["demos"] = []
    inner["nodes"][1]["demos"] = [PINNED, {"message": 1, "category": 2, "x": 3}]
    problems = check(spec)
    assert {(one.code, one.node, one.inside, one.field) for one in problems} == {
        ("bad-demo", "n2", ("body", "ask"), "x")
    }
    del inner["nodes"][1]["demos"][1]
    program = build(spec)
    assert {path: len(demos) for path, demos in pinned_demos(program).items()} == {
        "classify.ask": 1
    }
    assert pinned_inputs(program) == [{"message": PINNED["message"]}]
    assert shown(asked(program)[0]) == [PINNED["message"]]


@pytest.mark.parametrize(
    ("demo", "field", "sentence"),
    [
        ({**PINNED, "mood": "bad"}, "mood", "There is no field “mood”. Fields are message, rea"),
        ({**PINNED, "category": "weather"}, "category", "category: expected enum[billing, ship"),
        ({"message": ["a"], "category": "billing"}, "message", "message: expected"),
        ({"message": "Only a question."}, "category", "It has no output: write what is right in"),
        ({}, "category", "It has no output"),
    ],
)
def test_a_demo_that_does_not_fit_is_told(demo: dict[str, Any], field: str, sentence: str) -> None:
    (problem,) = check(spec_of("chain_of_thought", PINNED, demo))[:1]
    assert (problem.code, problem.node, problem.field) == ("bad-demo", "n2", field)
    assert problem.message.startswith("classify, demo 2: ")
    assert sentence in problem.message


def test_every_demo_that_does_not_fit_is_told() -> None:
    problems = check(spec_of("predict", {**PINNED, "a": 1, "b": 2}, {"category": "x"}))
    assert [(one.field, one.message.split(":")[0]) for one in problems] == [
        ("a", "classify, demo 1"),
        ("b", "classify, demo 1"),
        ("category", "classify, demo 2"),
    ]


# What it gives away


def of(message: str, **more: Any) -> Example:
    return Example({"message": message, "category": "billing", **more})


def test_an_example_that_a_pinned_demo_tells_is_not_scored() -> None:
    examples = [of("My card was eaten."), of("my card  was eaten"), of("Something else.")]
    program = build(spec_of("chain_of_thought", PINNED))
    near = NearDuplicates(program, examples)
    assert near.not_own(program.candidate(), examples) == [examples[2]]
    # Whatever else a candidate has among its demos.
    own = with_own(program, {"message": "Something else.", "category": "billing"})
    assert near.not_own(own.candidate(), examples) == []
    plain = build(spec_of("chain_of_thought"))
    assert NearDuplicates(plain, examples).not_own(plain.candidate(), examples) == examples


def renamed(demo: dict[str, Any], *inputs: str) -> Program:
    """`question` and more → sort(text) → answer, with a demo pinned to sort."""
    spec = drawing(
        [
            end("input", "question", *inputs),
            step("sort", "text", "label", demos=[demo]),
            step("answer", " ".join(["label", *inputs]), "answer"),
            end("output", "answer"),
        ],
        "input.question sort.text",
        "sort.label answer.label",
        *(f"input.{name} answer.{name}" for name in inputs),
        "answer.answer output.answer",
    )
    return build(spec)


def test_a_step_under_other_names_is_read_through_its_wires() -> None:
    program = renamed({"text": "My card was eaten.", "label": "billing"})
    assert pinned_inputs(program) == [{"question": "My card was eaten."}]
    examples = [Example({"question": text}) for text in ("my card was eaten", "Hello")]
    near = NearDuplicates(program, examples)
    assert near.not_own(program.candidate(), examples) == [examples[1]]


def test_a_demo_that_says_some_of_the_inputs_gives_away_what_is_told_apart_by_them() -> None:
    program = renamed({"text": "My card was eaten.", "label": "billing"}, "language")
    examples = [
        Example({"question": question, "language": language})
        for question in ("My card was eaten.", "Hello", "Good day")
        for language in ("en", "de")
    ]
    near = NearDuplicates(program, examples)
    assert near.not_own(program.candidate(), examples) == examples[2:]


def test_a_demo_that_says_what_many_examples_share_gives_none_away() -> None:
    spec = drawing(
        [
            end("input", "question", "language"),
            step("greet", "language", "greeting", demos=[{"language": "en", "greeting": "Hi"}]),
            step("answer", "question greeting", "answer"),
            end("output", "answer"),
        ],
        "input.language greet.language",
        "input.question answer.question",
        "greet.greeting answer.greeting",
        "answer.answer output.answer",
    )
    program = build(spec)
    examples = [Example({"question": f"Number {n}?", "language": "en"}) for n in range(4)]
    near = NearDuplicates(program, examples)
    assert near.not_own(program.candidate(), examples) == examples


def test_another_steps_demo_says_nothing_of_the_inputs() -> None:
    program = renamed({"text": "x", "label": "y"})
    spec = drawing(
        [
            end("input", "question"),
            step("plan", "question", "steps"),
            step("answer", "steps", "answer", demos=[{"steps": "a", "answer": "b"}]),
            end("output", "answer"),
        ],
        "input.question plan.question",
        "plan.steps answer.steps",
        "answer.answer output.answer",
    )
    assert pinned_inputs(build(spec)) == []
    assert pinned_inputs(program) == [{"question": "x"}]


# Where prompts are shown and taken elsewhere


def test_they_are_part_of_every_export() -> None:
    spec = spec_of("predict", PINNED)
    program = build(spec)
    candidate = with_own(program, OWN).candidate()
    for taken in (candidate, program.candidate(), None):
        said = export_messages(program, taken)["predictors"]["classify"]["messages"]
        assert said[1]["content"].endswith(PINNED["message"])
    rows = list(finetuning_rows(program, candidate))
    assert [row["messages"][1]["content"].count("card was eaten") for row in rows] == [1, 0]
    code = export_dspy(program, candidate)
    text = code["program.json"]
    assert text.index("My card was eaten.") < text.index("Where is the van?")
    loaded = load_program(dump_program(spec, candidate))
    assert loaded.candidate == candidate
    assert shown(asked(loaded.program)[0]) == [PINNED["message"], OWN["message"]]


def test_the_members_of_an_ensemble_show_them_all() -> None:
    program = build(spec_of("predict", PINNED))
    both = Candidate.ensemble([program.candidate(), with_own(program, OWN).candidate()])
    said = export_messages(program, both)["predictors"]
    assert all("card was eaten" in str(one["messages"]) for one in said.values())
    assert [shown(request)[0] for request in asked(program.apply(both))] == [PINNED["message"]] * 2


def test_another_demo_makes_another_program() -> None:
    bare, pinned = spec_of("predict"), spec_of("predict", PINNED)
    del bare["nodes"][1]["demos"]
    assert spec_hash(bare) == spec_hash(spec_of("predict"))
    assert spec_hash(bare) != spec_hash(pinned)
    # What a teacher with other demos did is not what this one would do.
    assert _outline(build(bare)) != _outline(build(pinned))
    # They are no part of what a compiler sets.
    assert build(bare).candidate() == build(pinned).candidate()
    assert build(pinned).candidate().states["classify"] == PredictorState(
        instruction="Sort the message into one category."
    )


# A step's own LM


def test_lms_are_named_by_path_at_every_level() -> None:
    inner = drawing(
        [
            end("input", "message"),
            step("ask", "message", "draft"),
            step("mend", "draft", "category", lm="careful"),
            end("output", "category"),
        ],
        "input.message ask.message",
        "ask.draft mend.draft",
        "mend.category output.category",
    )
    spec = spec_of("best_of_n")
    spec["nodes"][1] |= {"lm": "fast", "parts": {"body": inner}}
    spec["nodes"][1]["signature"]["fields"][1] = make_field("category", role="output")
    spec["nodes"][2]["fields"] = [make_field("category")]
    program = build(spec)
    named = named_lms(program)
    assert named == {"classify": "fast", "classify.step.mend": "careful"}
    lms = {name: ScriptedLM(answer, name=name) for name in ("run", "fast", "careful")}
    runtime = Runtime(lm=lms["run"], lms={path: lms[slug] for path, slug in named.items()})
    asyncio.run(program({"message": "Hi"}, runtime))
    assert {name: len(lm.requests) > 0 for name, lm in lms.items()} == {
        "run": False,
        "fast": True,
        "careful": True,
    }
    assert len(lms["careful"].requests) == 1


def test_a_steps_own_lm_may_be_asked_in_the_format_that_suits_it() -> None:
    mine = ScriptedLM(answer, default_format="xml")
    runs = ScriptedLM(answer, default_format="chat")
    program = build(spec_of("predict"))
    for own, layout in ((True, "xml"), (False, "json")):
        runtime = Runtime(lm=runs, lms={"classify": mine}, format="json", own_formats=own)
        asyncio.run(program({"message": "m"}, runtime))
        assert read_prompt(mine.requests[-1]).layout == layout
    asyncio.run(program({"message": "m"}, Runtime(lm=runs, format="json", own_formats=True)))
    assert read_prompt(runs.requests[-1]).layout == "json"


@pytest.mark.parametrize("kind", [kind for kind, case in CASE.items() if not case.parts])
def test_the_table_of_kinds_says_what_the_modules_do(kind: str) -> None:
    case = CASE[kind]
    params = read_params(MODULES[kind].params, case.params)
    module = MODULES[kind].make(case.signature, params, case.parts)
    assert may_be_pinned(kind) == (takes_demos(module, case.signature) is not None)

"""A program, run partly and watched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from studio.engine.errors import GraphError, InputError, LMTimeout
from studio.engine.graph import build
from studio.engine.graph.excerpt import excerpt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request, Usage
from studio.engine.program import Program
from studio.engine.rehearsal import NodeNews, Plan, Rehearsal, rehearse
from studio.engine.runtime import Runtime
from tests.builders import make_edge, make_field

Spec = dict[str, Any]


def step(id: str, inputs: str, output: str, **more: Any) -> Spec:
    """A Predict with one output, all of its fields texts."""
    name, _, type_ = output.partition(":")
    fields = [make_field(one, role="input") for one in inputs.split()]
    return {
        "id": id,
        "kind": "predict",
        "name": id,
        "position": {"x": 0, "y": 0},
        "signature": {
            "fields": [*fields, make_field(name, type_ or "str", role="output")],
            "instruction": f"Do {id}.",
        },
        "params": {},
        **more,
    }


def end(kind: str, *names: str) -> Spec:
    """The input or the output of a pipeline."""
    return {
        "id": kind,
        "kind": kind,
        "name": kind,
        "position": {"x": 0, "y": 0},
        "fields": [make_field(name) for name in names],
    }


def drawing(nodes: list[Spec], *wires: str) -> Spec:
    """A spec; a wire is written `plan.steps draft.steps`."""
    ends = [[part.split(".") for part in wire.split()] for wire in wires]
    edges = [make_edge(f"e{n}", *one, *other) for n, (one, other) in enumerate(ends)]
    return {"version": 1, "nodes": nodes, "edges": edges}


def fork() -> Spec:
    """`question` → plan → draft; `question` → facts; draft and facts → answer."""
    return drawing(
        [
            end("input", "question", "style"),
            step("plan", "question", "steps"),
            step("draft", "steps style", "text"),
            step("facts", "question", "facts"),
            step("answer", "text facts", "answer"),
            end("output", "answer"),
        ],
        "input.question plan.question",
        "plan.steps draft.steps",
        "input.style draft.style",
        "input.question facts.question",
        "draft.text answer.text",
        "facts.facts answer.facts",
        "answer.answer output.answer",
    )


def done_by(request: Request) -> str:
    """Which step asks: each of them is told to do its name."""
    system = request.messages[0].content
    return next(name for name in ("plan", "draft", "facts", "answer") if f"Do {name}." in system)


OUTPUT = {"plan": "steps", "draft": "text", "facts": "facts", "answer": "answer"}


def lm(fails: str = "") -> ScriptedLM:
    """Answers `<step> said`; the step `fails` gets no answer."""

    def answer(request: Request) -> Any:
        name = done_by(request)
        if name == fails:
            return LMTimeout(f"{name} took too long.")
        return f"[[ ## {OUTPUT[name]} ## ]]\n{name} said\n\n[[ ## completed ## ]]"

    return ScriptedLM(answer)


INPUTS = {"question": "Why?", "style": "short"}


def run(
    program: Program,
    inputs: Mapping[str, Any] = INPUTS,
    *,
    model: ScriptedLM | None = None,
    hear: Callable[[NodeNews], None] = lambda news: None,
    listener: Callable[[str, str], None] | None = None,
    **options: Any,
) -> Rehearsal:
    """One rehearsal."""
    runtime = Runtime(lm=model or lm(), listener=listener)
    return asyncio.run(rehearse(program, inputs, runtime, hear=hear, **options))


def states(found: Rehearsal) -> dict[str, str]:
    """The state of each node at the end."""
    return {name: news.state for name, news in found.nodes.items()}


def test_a_whole_run_says_what_the_program_says_and_how_each_node_went() -> None:
    heard: list[tuple[str, str]] = []
    program = build(fork())
    found = run(program, hear=lambda news: heard.append((news.name, news.state)))
    direct = asyncio.run(program(INPUTS, Runtime(lm=lm())))
    assert found.outputs == direct.values == {"answer": "answer said"}
    assert found.steps == direct.steps
    assert found.error is None
    assert set(states(found).values()) == {"done"}
    plan = found.nodes["plan"]
    assert plan.outputs == {"steps": "plan said"}
    assert plan.usage.calls == 1
    assert found.nodes["plan"].seconds >= 0
    # First how each begins; then every node runs before it is done, and none before its sources.
    assert heard[:4] == [(name, "waiting") for name in program_order(program)]
    for name in OUTPUT:
        assert heard.index((name, "running")) < heard.index((name, "done"))
    assert heard.index(("plan", "done")) < heard.index(("draft", "running"))
    assert heard.index(("facts", "running")) < heard.index(("plan", "done"))


def program_order(program: Program) -> list[str]:
    return [place.name for place in program.places]


def test_up_to_a_node_only_what_it_needs_is_run() -> None:
    model = lm()
    found = run(build(fork()), until="draft", model=model)
    assert states(found) == {
        "facts": "skipped",
        "plan": "done",
        "draft": "done",
        "answer": "skipped",
    }
    assert found.outputs == {"text": "draft said"}
    assert [done_by(request) for request in model.requests] == ["plan", "draft"]


def test_given_values_take_the_place_of_a_node_and_of_what_only_it_needs() -> None:
    model = lm()
    found = run(build(fork()), model=model, given={"draft": {"text": "My own words."}})
    assert states(found) == {
        "facts": "done",
        "plan": "skipped",
        "draft": "given",
        "answer": "done",
    }
    assert found.nodes["draft"].outputs == {"text": "My own words."}
    asked = next(one for one in model.requests if done_by(one) == "answer")
    assert "My own words." in asked.messages[-1].content
    assert found.outputs == {"answer": "answer said"}


def test_one_node_alone_on_given_values() -> None:
    model = lm()
    given = {"draft": {"text": "d"}, "facts": {"facts": "f"}, "plan": {"steps": 7}}
    found = run(build(fork()), {}, model=model, until="answer", given=given)
    assert found.outputs == {"answer": "answer said"}
    assert len(model.requests) == 1
    # Nobody takes what the plan would give, so its value is not even looked at.
    assert states(found)["plan"] == "skipped"


def test_only_the_inputs_that_are_needed_have_to_be_there() -> None:
    program = build(fork())
    assert [field.name for field in Plan.of(program, {}, "plan").inputs] == ["question"]
    assert run(program, {"question": "Why?"}, until="plan").outputs == {"steps": "plan said"}
    assert run(program, {"question": "?", "style": object()}, until="plan").error is None
    with pytest.raises(InputError, match="“style” is missing"):
        run(program, {"question": "Why?"}, until="draft")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"until": "nobody"}, "no step “nobody”. Steps are facts, plan, draft, answer"),
        ({"given": {"nobody": {}}}, "no step “nobody”"),
        ({"given": {"plan": {"stops": "x"}}}, "plan has no output “stops”. Its outputs are steps"),
        ({"given": {"plan": {"steps": ["x"]}}}, "plan: steps: expected"),
        ({"given": {"plan": {}}}, "plan: its output “steps” is needed and not given"),
        ({"given": {"plan": {"steps": "x"}}, "until": "plan"}, "plan is to run, and its outputs"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(
    options: dict[str, Any], sentence: str
) -> None:
    model = lm()
    with pytest.raises(InputError) as caught:
        run(build(fork()), model=model, **options)
    assert sentence in str(caught.value)
    assert not model.requests


def test_given_values_are_typed_as_their_fields() -> None:
    spec = fork()
    spec["nodes"][1] = step("plan", "question", "steps:list[str]")
    spec["nodes"][2]["signature"]["fields"][0]["type"] = "list[str]"
    program = build(spec)
    found = run(program, given={"plan": {"steps": ["one", "two"]}}, until="draft")
    assert found.nodes["plan"].outputs == {"steps": ["one", "two"]}
    with pytest.raises(InputError, match=r"^plan: steps: expected"):
        run(program, given={"plan": {"steps": {"one": 1}}}, until="draft")


def test_a_failure_is_told_and_the_rest_is_kept() -> None:
    found = run(build(fork()), model=lm(fails="plan"))
    assert states(found) == {
        "facts": "done",
        "plan": "failed",
        "draft": "skipped",
        "answer": "skipped",
    }
    assert isinstance(found.error, LMTimeout)
    assert found.nodes["plan"].error == "plan took too long."
    assert found.nodes["draft"].error == "Skipped because plan failed."
    # Not “because draft was skipped”: the reason is what one can do something about.
    assert found.nodes["answer"].error == "Skipped because plan failed."
    assert found.nodes["facts"].outputs == {"facts": "facts said"}
    assert [one.path for one in found.steps] == ["facts"]
    assert found.outputs == {}


def test_parallel_branches_run_at_the_same_time() -> None:
    both = asyncio.Event()
    arrived: list[str] = []

    class Meeting(ScriptedLM):
        """Lets nobody go before plan and facts are both asking."""

        async def complete(self, request: Request) -> Any:
            if done_by(request) in ("plan", "facts"):
                arrived.append(done_by(request))
                if len(arrived) == 2:
                    both.set()
                await asyncio.wait_for(both.wait(), 10)
            return await super().complete(request)

    base = lm()
    model = Meeting(base._answer)
    assert run(build(fork()), model=model).error is None


def test_what_is_no_engine_error_ends_it_all() -> None:
    def broken(request: Request) -> str:
        raise RuntimeError("a defect")

    heard: dict[str, str] = {}
    with pytest.raises(RuntimeError, match="a defect"):
        run(
            build(fork()),
            model=ScriptedLM(broken),
            hear=lambda news: heard.__setitem__(news.name, news.state),
        )
    assert heard["answer"] == "waiting"


def test_a_cancelled_rehearsal_has_told_what_was_done() -> None:
    heard: dict[str, NodeNews] = {}

    class Slow(ScriptedLM):
        """Never answers the draft."""

        async def complete(self, request: Request) -> Any:
            if done_by(request) == "draft":
                await asyncio.sleep(3600)
            return await super().complete(request)

    async def cancelled() -> None:
        runtime = Runtime(lm=Slow(lm()._answer))
        work = asyncio.create_task(
            rehearse(
                build(fork()),
                INPUTS,
                runtime,
                hear=lambda news: heard.__setitem__(news.name, news),
            )
        )
        async with asyncio.timeout(10):
            while heard.get("draft") is None or heard["draft"].state != "running":
                await asyncio.sleep(0.01)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(cancelled())
    assert heard["plan"].outputs == {"steps": "plan said"}
    assert heard["answer"].state == "waiting"


def test_inside_of_parts_steps_and_text_are_told_by_path() -> None:
    inner = drawing(
        [
            end("input", "question"),
            step("plan", "question", "steps"),
            end("output", "steps"),
        ],
        "input.question plan.question",
        "plan.steps output.steps",
    )
    spec = fork()
    spec["nodes"][1] = step("plan", "question", "steps", kind="subpipeline", parts={"body": inner})
    heard: list[tuple[str, str]] = []
    found = run(
        build(spec), until="plan", listener=lambda path, piece: heard.append((path, piece))
    )
    assert [one.path for one in found.nodes["plan"].steps] == ["plan.plan"]
    assert {path for path, _ in heard} == {"plan.plan"}
    assert found.nodes["plan"].usage != Usage()


# A part of a drawing that is not finished


def unfinished() -> Spec:
    """The fork, with a draft that nobody has described yet and a dangling answer."""
    spec = fork()
    spec["nodes"][2]["signature"] = {"fields": [], "instruction": ""}
    spec["edges"] = [edge for edge in spec["edges"] if edge["target"] != "output"]
    return spec


def test_a_sound_part_of_an_unfinished_drawing_runs() -> None:
    spec = unfinished()
    with pytest.raises(GraphError):
        build(spec)
    part = excerpt(spec, until="facts")
    assert part.until == "facts"
    assert [node["name"] for node in part.spec["nodes"]] == ["input", "facts"]
    found = run(part.program, {"question": "Why?"}, until=part.until)
    assert found.outputs == {"facts": "facts said"}
    assert run(part.program, {"question": "Why?"}).outputs == found.outputs


def test_a_node_that_is_given_needs_its_fields_only() -> None:
    spec = fork()
    spec["nodes"][2]["params"] = {"temperature": "hot"}
    spec["nodes"][2]["kind"] = "template"
    with pytest.raises(GraphError):
        build(spec)
    given = {"draft": {"text": "My words."}}
    part = excerpt(spec, given=given)
    assert "draft" not in [node["name"] for node in part.spec["nodes"]]
    found = run(part.program, {"question": "Why?"}, given=given)
    assert states(found) == {"facts": "done", "draft": "given", "answer": "done"}
    assert found.outputs == {"answer": "answer said"}
    with pytest.raises(InputError, match="draft: text: expected"):
        run(part.program, {"question": "Why?"}, given={"draft": {"text": [1]}})


def test_the_problems_of_the_part_are_told_and_no_others() -> None:
    spec = unfinished()
    with pytest.raises(GraphError) as caught:
        excerpt(spec, until="answer")
    assert "answer cannot run yet: draft: A signature needs" in str(caught.value)
    assert {problem.node for problem in caught.value.problems} == {"draft"}
    # With the draft given it still is not known what it gives.
    with pytest.raises(GraphError):
        excerpt(spec, until="answer", given=["draft"])


def test_an_end_is_found_by_id_and_by_name() -> None:
    spec = fork()
    spec["nodes"][3]["id"] = "n7"
    for edge in spec["edges"]:
        for at in ("source", "target"):
            edge[at] = "n7" if edge[at] == "facts" else edge[at]
    assert excerpt(spec, until="n7").until == "facts"
    assert excerpt(spec, until="facts").program.outputs[0].name == "facts"
    whole = excerpt(spec, until="output")
    assert whole.until == ""
    assert run(whole.program).outputs == {"answer": "answer said"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"until": "nobody"}, "There is no step “nobody” in the pipeline. Steps are plan, draft"),
        ({"until": "plan.body.ask"}, "inside of another step cannot be run alone"),
        ({"until": "input"}, "Nothing runs up to the input"),
        ({"given": ["nobody"]}, "There is no step “nobody”"),
        ({"given": ["input"]}, "There is no step “input”"),
        ({"until": "plan", "given": ["plan"]}, "choose one of both"),
    ],
)
def test_a_part_that_is_not_there(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        excerpt(fork(), **options)
    assert sentence in str(caught.value)


def test_circles_and_strangers_are_told() -> None:
    spec = fork()
    spec["edges"].append(make_edge("back", "answer", "answer", "plan", "question"))
    spec["edges"] = [edge for edge in spec["edges"] if edge["id"] != "e0"]
    with pytest.raises(GraphError) as caught:
        excerpt(spec, until="draft")
    assert "cycle" in {problem.code for problem in caught.value.problems}
    with pytest.raises(GraphError):
        excerpt({"version": 7}, until="x")
    wire = make_edge("lost", "nowhere", "x", "plan", "question")
    with pytest.raises(GraphError) as caught:
        excerpt({**fork(), "edges": [wire]}, until="plan")
    assert "unknown-node" in {problem.code for problem in caught.value.problems}

"""A drawing as one text of DSPy code: it runs in the real DSPy, or is refused by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from studio.engine.drawing import Drawing
from studio.engine.errors import GraphError, StateError
from studio.engine.graph import empty_spec
from studio.engine.saving.dspy_code import to_dspy
from studio.pipelines.starts import STARTS

DRIVER = '''
import json, sys, types

def tool(query: str) -> str:
    """Looks it up."""
    return "Ada"

tool.__name__ = "python"

def main():
    import dspy

    results = {}
    for name, task in json.load(sys.stdin).items():
        module = types.ModuleType(name)
        exec(compile(task["code"], name, "exec"), module.__dict__)
        lm = dspy.utils.DummyLM(task["answers"])
        given = {"tools": {"python": tool}} if task.get("tools") else {}
        other = dspy.utils.DummyLM(task.get("others", []))
        given |= {"lms": {"clever": other}} if task.get("others") else {}
        with dspy.context(lm=lm):
            prediction = module.Pipeline(**given)(**task["inputs"])
        said = [call["messages"] for call in [*lm.history, *other.history]]
        results[name] = {"outputs": dict(prediction), "calls": said}
    print(json.dumps(results))

main()
'''


def pinned() -> dict[str, Any]:
    """Two steps: one with a demo, one with a language model of its own."""
    triage = Drawing(inputs="message")
    plan = triage.step(
        "plan",
        "chain_of_thought",
        "message -> gist",
        demos=[{"message": "It's “late”", "reasoning": "hm", "gist": "late"}],
        message=triage.given.message,
    )
    reply = triage.step("reply", "predict", "gist -> text", lm="clever", gist=plan.gist)
    triage.answer(text=reply.text)
    return triage.spec()


TASKS: dict[str, dict[str, Any]] = {
    "classify": {
        "spec": STARTS["classify"].make(),
        "inputs": {"message": "Where is it?"},
        "answers": [{"category": "shipping"}],
        "outputs": {"category": "shipping"},
    },
    "two-steps": {
        "spec": STARTS["two-steps"].make(),
        "inputs": {"message": "Where is it?"},
        "answers": [{"summary": "A parcel is lost."}, {"category": "shipping"}],
        "outputs": {"summary": "A parcel is lost.", "category": "shipping"},
    },
    "agent": {
        "spec": STARTS["agent"].make(),
        "tools": True,
        "inputs": {"question": "Who?"},
        "answers": [
            {"next_thought": "t", "next_tool_name": "python", "next_tool_args": '{"query": "x"}'},
            {"next_thought": "t", "next_tool_name": "finish", "next_tool_args": "{}"},
            {"reasoning": "seen", "answer": "Ada"},
        ],
        "outputs": {"answer": "Ada"},
    },
    "pinned": {
        "spec": pinned(),
        "inputs": {"message": "Hello"},
        "answers": [{"reasoning": "r", "gist": "a greeting"}],
        "others": [{"text": "Hello to you"}],
        "outputs": {"text": "Hello to you"},
    },
}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the real DSPy made of the texts; one process, because it takes seconds to import."""
    home = tmp_path_factory.mktemp("dspy")
    tasks = {
        name: {**task, "spec": None, "code": to_dspy(task["spec"])} for name, task in TASKS.items()
    }
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=json.dumps(tasks),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={
            **{key: value for key, value in os.environ.items() if key in ("PATH", "LANG")},
            "HOME": str(home),
            "DSPY_CACHEDIR": str(home / "cache"),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        },
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", TASKS)
def test_the_code_runs_in_dspy(live: dict[str, Any], name: str) -> None:
    assert live[name]["outputs"] == TASKS[name]["outputs"]


def test_pinned_demos_go_with_it(live: dict[str, Any]) -> None:
    said = live["pinned"]["calls"][0]
    assert [turn["role"] for turn in said] == ["system", "user", "assistant", "user"]
    assert "It's “late”" in said[1]["content"]
    assert "[[ ## gist ## ]]\nlate" in said[2]["content"]


def test_it_is_one_text_that_loads_nothing() -> None:
    code = to_dspy(STARTS["classify"].make())
    assert "program.json" not in code
    assert "Sort the message into one category." in code


def test_steps_that_dspy_lacks_are_refused_by_name() -> None:
    with pytest.raises(StateError, match="The step “search” is of a kind"):
        to_dspy(_with_collection(STARTS["rag"].make()))


def test_what_does_not_build_has_no_code() -> None:
    with pytest.raises(GraphError, match="has no fields yet"):
        to_dspy(empty_spec())


def _with_collection(spec: dict[str, Any]) -> dict[str, Any]:
    for node in spec["nodes"]:
        if node["kind"] == "retrieve":
            node["params"] = {**node["params"], "collection": "notes"}
    return spec

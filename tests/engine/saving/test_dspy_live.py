"""What we export runs in the real DSPy; what the real DSPy saved comes in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.engine.graph import build
from studio.engine.modules.chain_of_thought import chain_of_thought
from studio.engine.modules.predict import Predict
from studio.engine.modules.react import ReAct, ReActParams
from studio.engine.program import Program
from studio.engine.saving.dspy_export import export_dspy
from studio.engine.saving.dspy_state import read_dspy_state
from studio.engine.saving.files import read_file, write_file
from studio.engine.signature import Signature
from tests.engine.saving import dspy_driver
from tests.engine.saving.builders import SPECS, compiled, serial

TASKS: dict[str, dict[str, Any]] = {
    "single": {"inputs": {"message": "Hello “you”"}, "answers": [{"text": "Hi"}]},
    "serial": {
        "inputs": {"message": "Where is it?"},
        "answers": [
            {"reasoning": "hm", "problem": "lost", "tags": '["parcel", "late"]'},
            {"area": "it's else", "urgency": "4"},
        ],
    },
    "parallel": {
        "inputs": {"message": "Great"},
        "answers": [{"mood": "True"}, {"words": "[5]"}],
    },
}


AGENT = Program.of(
    ReAct.of(
        Signature.parse("question -> answer", "Find it “out”."),
        ReActParams(tools=("search", "look-up"), max_steps=4),
    ),
    "agent",
)
AGENT_TASK = {
    "tools": ["search", "look-up"],
    "inputs": {"question": "Who?"},
    "answers": [
        {
            "next_thought": "search",
            "next_tool_name": "search",
            "next_tool_args": '{"query": "Ada"}',
        },
        {"next_thought": "done", "next_tool_name": "finish", "next_tool_args": "{}"},
        {"reasoning": "seen", "answer": "Ada"},
    ],
}


class Live:
    """What the other process did."""

    def __init__(self, folder: Path) -> None:
        self.exported, self.saved = folder / "exported", folder / "saved"
        self.saved.mkdir()
        texts = {
            name: export_dspy(build(make()), compiled(make())) for name, make in SPECS.items()
        }
        texts["agent"] = export_dspy(AGENT)
        for name, files in texts.items():
            place = self.exported / name
            place.mkdir(parents=True)
            for file, text in files.items():
                write_file(place / file, text)
            write_file(place / "task.json", json.dumps({**TASKS, "agent": AGENT_TASK}[name]))
        done = subprocess.run(
            [sys.executable, dspy_driver.__file__, str(self.exported), str(self.saved)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={
                **{key: value for key, value in os.environ.items() if key in ("PATH", "LANG")},
                "HOME": str(folder),
                "DSPY_CACHEDIR": str(folder / "cache"),
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            },
        )
        assert done.returncode == 0, done.stderr[-3000:]
        self.results = json.loads(done.stdout)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Live:
    """One process for all tests of this file: DSPy takes seconds to import."""
    return Live(tmp_path_factory.mktemp("dspy"))


def _prose(text: str) -> str:
    """Without the indentation that DSPy adds to instructions."""
    return "\n".join(line.strip() for line in text.splitlines())


@pytest.mark.parametrize("name", SPECS)
def test_an_exported_program_says_our_instructions_and_demos_in_order(
    live: Live, name: str
) -> None:
    candidate = compiled(SPECS[name]())
    program = build(SPECS[name]())
    calls = live.results[name]["calls"]
    assert len(calls) == len(program.predictors)
    for messages, (path, signature) in zip(calls, program.predictors.items(), strict=True):
        state = candidate.states[path]
        assert _prose(state.instruction) in _prose(messages[0]["content"])
        assert [turn["role"] for turn in messages[1:]] == ["user", "assistant"] * 2 + ["user"]
        for number, demo in enumerate(state.demos):
            for turn, fields in ((1, signature.inputs), (2, signature.outputs)):
                said = messages[2 * number + turn]["content"]
                for field in fields:
                    value = demo.values[field.name]
                    shown = json.dumps(value) if isinstance(value, list) else str(value)
                    assert f"[[ ## {field.name} ## ]]\n{shown}" in said


def test_values_flow_through_the_wires_of_an_exported_program(live: Live) -> None:
    assert live.results["single"]["outputs"] == {"text": "Hi"}
    assert live.results["parallel"]["outputs"] == {"mood": True, "words": [5]}
    serial_ = live.results["serial"]
    assert serial_["outputs"] == {"area": "it's else", "urgency": 4}
    assert serial_["kinds"] == {"plan": "ChainOfThought", "classify": "Predict"}
    asked = serial_["calls"][1][-1]["content"]
    assert "[[ ## problem ## ]]\nlost" in asked
    assert '[[ ## tags ## ]]\n["parcel", "late"]' in asked
    first = serial_["calls"][0]
    assert "[[ ## hint ## ]]\nNone" in first[-1]["content"]
    assert "what they wrote" in first[0]["content"]
    assert (
        "exactly match (no extra characters) one of: billing; it's else"
        in (serial_["calls"][1][0]["content"])
    )


@pytest.mark.parametrize("name", SPECS)
def test_what_dspy_saves_of_an_exported_program_comes_back(live: Live, name: str) -> None:
    program = build(SPECS[name]())
    for file in ("program.json", "again.json"):
        imported = read_dspy_state(program, read_file(live.exported / name / file))
        assert imported.notes == ()
        for path, state in compiled(SPECS[name]()).states.items():
            found = imported.candidate.states[path]
            assert found.instruction == state.instruction
            assert [demo.values for demo in found.demos] == [demo.values for demo in state.demos]
            assert [demo.bootstrapped for demo in found.demos] == [False, True]


def test_a_bare_predict_of_dspy_comes_in(live: Live) -> None:
    program = Program.of(Predict.of(Signature.parse("question -> answer")), "reply")
    imported = read_dspy_state(program, read_file(live.saved / "bare.json"))
    state = imported.candidate.states["reply"]
    assert state.instruction == "Answer."
    assert [demo.values for demo in state.demos] == [
        {"question": "1+1?", "answer": "2"},
        {"question": "?", "answer": "!"},
    ]
    assert imported.notes == ()


def test_a_bare_chain_of_thought_of_dspy_comes_in(live: Live) -> None:
    program = Program.of(chain_of_thought(Signature.parse("question -> answer", "Ours.")), "reply")
    imported = read_dspy_state(program, read_file(live.saved / "thinking.json"))
    state = imported.candidate.states["reply"]
    assert state.instruction == "Ours.", "DSPy's default sentence is no instruction"
    assert state.demos[0].bootstrapped
    assert state.demos[0].values["reasoning"] == "because"


def test_a_program_of_dspy_comes_in(live: Live) -> None:
    imported = read_dspy_state(build(serial()), read_file(live.saved / "search.json"))
    plan, classify = (imported.candidate.states[name] for name in ("plan", "classify"))
    assert (plan.instruction, classify.instruction) == ("Plan.", "Classify.")
    assert [demo.bootstrapped for demo in plan.demos] == [False, True]
    assert plan.demos[0].values == {"message": "m", "problem": "p"}
    assert classify.demos[0].values["urgency"] == 3
    told = "\n".join(imported.notes)
    assert "gpt-4o-mini" in told
    assert "where it goes" in told
    assert len(imported.notes) == 2


def test_an_exported_agent_calls_tools(live: Live) -> None:
    agent = live.results["agent"]
    assert agent["kinds"] == {"agent": "ReAct"}
    assert agent["outputs"] == {"reasoning": "seen", "answer": "Ada"}
    assert len(agent["calls"]) == 3
    for messages in agent["calls"]:
        assert "Find it “out”." in messages[0]["content"]
    assert "(2) look-up" in agent["calls"][0][0]["content"]
    assert "search knows Ada" in agent["calls"][1][-1]["content"]


def test_an_agent_of_dspy_comes_in(live: Live) -> None:
    imported = read_dspy_state(AGENT, read_file(live.saved / "agent.json"))
    asked, extracted = (imported.candidate.states[f"agent.{name}"] for name in ("next", "extract"))
    assert asked.instruction == "Find out."
    assert asked.demos[0].values == {
        "question": "q",
        "trajectory": "[[ ## thought_0 ## ]]",
        "thought": "look",
        "tool": "search",
        "arguments": {"query": "x"},
    }
    assert extracted.demos[0].values["reasoning"] == "r"
    assert imported.notes == ()

"""Code for DSPy: nothing in a spec can become code of its own."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import StateError
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.fields import FieldType
from studio.engine.graph import build
from studio.engine.modules.base import WithoutLM
from studio.engine.modules.predict import Predict, PredictParams
from studio.engine.modules.react import ReAct, ReActParams
from studio.engine.program import Node, Program, Wire
from studio.engine.saving.dspy_export import export_dspy
from studio.engine.signature import Field, Signature
from tests.engine.saving.builders import SPECS, candidates, compiled, parallel, serial

NASTY = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("\"'\\\n{}()#"), max_size=60
)
FOREIGN = [
    '"""',
    "'''",
    '\n\nimport os\nos.system("x")\n',
    "\\",
    "\\'",
    "{given}",
    "\u2028x\r",
    "\ud800",
]


def _constants(code: str) -> list[str]:
    """Every text that stands in the code as a literal."""
    return [
        node.value
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _skeleton(code: str) -> str:
    """The code without its literals."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = 0
    return ast.dump(tree)


def _program(instruction: str, description: str, label: str, default: Any) -> Program:
    fields = (
        Field(name="message", role="input", description=description, default=default),
        Field(
            name="area",
            role="output",
            description=description,
            type=FieldType("enum", labels=(f"{label}1", f"{label}2")),
        ),
    )
    return Program.of(Predict.of(Signature(fields, instruction)), "reply")


@given(NASTY | st.sampled_from(FOREIGN), NASTY | st.sampled_from(FOREIGN), NASTY, NASTY)
def test_whatever_a_spec_says_stands_in_literals(
    instruction: str, description: str, label: str, default: str
) -> None:
    instruction, description = f"I{instruction}I", f"D{description}D"
    code = export_dspy(_program(instruction, description, label, default))["program.py"]
    assert code.replace("…", "").isascii()
    constants = _constants(code)
    assert instruction in constants
    assert constants.count(description) == 2
    assert f"{label}2" in constants
    assert any(
        text[:1] == "{" and json.loads(text) == {"message": default} for text in constants[1:]
    )
    assert _skeleton(code) == _skeleton(export_dspy(_program("I", "D", "x", "y"))["program.py"])


@given(st.data(), st.sampled_from(sorted(SPECS)))
def test_any_candidate_is_exported_and_changes_only_literals(
    data: st.DataObject, name: str
) -> None:
    spec = SPECS[name]()
    candidate = data.draw(candidates(spec))
    texts = export_dspy(build(spec), candidate)
    assert _skeleton(texts["program.py"]) == _skeleton(export_dspy(build(spec))["program.py"])
    state = json.loads(texts["program.json"])
    for path, ours in candidate.states.items():
        saved = state[f"steps['{path}'].predict" if path == "plan" else f"steps['{path}']"]
        assert len(saved["demos"]) == len(ours.demos)
        assert saved["signature"]["instructions"] == (
            ours.instruction.strip() or build(spec).predictors[path].task
        )


def test_the_code_is_what_one_would_write() -> None:
    code = export_dspy(build(serial()), compiled(serial()))["program.py"]
    assert "'plan': dspy.ChainOfThought(" in code
    assert "'classify': dspy.Predict(" in code
    assert "(Optional[str], dspy.InputField())" in code
    assert """(Literal['billing', "it's else"], dspy.OutputField())""" in code
    assert (
        "made['classify'] = self.steps['classify'](**{'problem': made['plan']['problem']" in code
    )
    assert "reasoning" not in code


def test_types_constraints_and_parameters() -> None:
    fields: list[dict[str, Any]] = [
        {"name": "day", "role": "input", "type": "date"},
        {"name": "sizes", "role": "input", "type": "dict[str, float]"},
        {"name": "any", "role": "input", "type": "object"},
        {
            "name": "code",
            "role": "output",
            "type": "code[python]",
            "constraints": {"pattern": "x"},
        },
        {
            "name": "n",
            "role": "output",
            "type": "optional[int]",
            "constraints": {"min": 1, "max": 9},
        },
        {"name": "tags", "role": "output", "type": "list[str]", "constraints": {"max_length": 3}},
    ]
    params = PredictParams(temperature=0.5, max_tokens=99)
    program = Program.of(Predict.of(Signature.from_fields(fields), params), "reply")
    code = export_dspy(program)["program.py"]
    for part in (
        "'day': (datetime.date, dspy.InputField())",
        "'sizes': (dict[str, float], dspy.InputField())",
        "'any': (dict[str, Any], dspy.InputField())",
        "'code': (str, dspy.OutputField())",
        "'n': (Optional[int], dspy.OutputField(ge=1, le=9))",
        "'tags': (list[str], dspy.OutputField(max_length=3))",
        "temperature=0.5,",
        "max_tokens=99,",
    ):
        assert part in code


@pytest.mark.parametrize(
    "type_", ["image", "document", "history", "list[image]", 'object[{"type": "object"}]']
)
def test_types_without_an_equal_are_refused(type_: str) -> None:
    fields: list[dict[str, Any]] = [
        {"name": "x", "role": "input", "type": type_},
        {"name": "y", "role": "output", "type": "str"},
    ]
    program = Program.of(Predict.of(Signature.from_fields(fields)), "look")
    with pytest.raises(StateError, match=r"“look”, field “x”.*as messages"):
        export_dspy(program)


@pytest.mark.parametrize("name", ["signature", "lm", "config", "instructions", "self"])
def test_names_that_dspy_keeps_are_refused(name: str) -> None:
    with pytest.raises(StateError, match=f"“{name}”, a name that DSPy keeps.*{name}_text"):
        export_dspy(Program.of(Predict.of(f"{name} -> y"), "reply"))
    with pytest.raises(StateError, match=f"“{name}”"):
        export_dspy(Program.of(Predict.of(f"x -> {name}"), "reply"))


class Upper(WithoutLM):
    """A kind of step that DSPy does not have."""

    signature = Signature.parse("x -> y")

    async def __call__(self, inputs: Any, runtime: Any, path: str) -> Any:
        """Not called."""


def test_kinds_without_an_equal_are_refused_by_name() -> None:
    program = Program.of(Predict.of("x -> y"), "reply")
    upper = Node("loud", Upper(), {"x": Wire("reply", "y")})
    with pytest.raises(StateError, match=r"“loud” is of a kind \(Upper\).*export it as messages"):
        export_dspy(replace(program, layers=(*program.layers, (upper,))))


def test_names_that_could_be_code_are_refused() -> None:
    with pytest.raises(StateError, match="is not a name"):
        export_dspy(Program.of(Predict.of("x -> y"), "a'] = 1 #"))


def test_a_candidate_of_another_program_is_refused() -> None:
    with pytest.raises(StateError, match="does not belong"):
        export_dspy(build(parallel()), compiled(serial()))


def test_values_of_demos_that_are_no_fields_stay_here() -> None:
    program = Program.of(Predict.of("x -> y"), "reply")
    demo = Demo(values={"x": "1", "y": "2", "secret": "3"})
    candidate = Candidate({"reply": PredictorState(instruction="", demos=(demo,))})
    saved = json.loads(export_dspy(program, candidate)["program.json"])
    assert saved["steps['reply']"]["demos"] == [{"x": "1", "y": "2"}]


def test_what_was_compiled_for_an_agent_does_not_go_with_it() -> None:
    agent = ReAct.of(Signature.parse("x -> y"), ReActParams(tools=("search",)))
    program = Program.of(agent, "agent")
    state = program.candidate().states
    other = replace(state["agent.extract"], instruction="Another.")
    with pytest.raises(StateError, match="“agent”: DSPy's ReAct asks with other fields"):
        export_dspy(program, Candidate({**state, "agent.extract": other}))
    told = replace(state["agent.next"], instruction='Say """ it.')
    code = export_dspy(program, Candidate({**state, "agent.next": told}))["program.py"]
    assert 'Say """ it.' in _constants(code)

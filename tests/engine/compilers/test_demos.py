"""What becomes a demo, and of which predictor."""

from __future__ import annotations

from dataclasses import replace

from studio.engine.compilers.demos import (
    bootstrapped_demos,
    gold_value,
    labelled_demo,
    with_demos,
)
from studio.engine.example import Candidate, Example
from studio.engine.fields import STR
from studio.engine.messages import Usage
from studio.engine.modules import MODULES, Predict, chain_of_thought
from studio.engine.modules.subpipeline import Subpipeline
from studio.engine.params import read_params
from studio.engine.program import INPUT, Node, Program, Wire
from studio.engine.signature import Signature
from studio.engine.trace import Step
from tests.engine.compilers.builders import ENUM, make_examples, one_step, two_steps

EXAMPLE = Example({"message": "hello", "label": "red"})


def test_a_labelled_demo_holds_inputs_and_outputs_and_its_source() -> None:
    demo = labelled_demo(one_step(), "classify", EXAMPLE)
    assert demo is not None
    assert demo.values == EXAMPLE.values
    assert (demo.source, demo.bootstrapped) == (EXAMPLE.id, False)


def test_a_step_whose_input_or_outputs_no_example_knows_gets_none() -> None:
    program = two_steps()
    assert labelled_demo(program, "shorten", EXAMPLE) is None
    assert labelled_demo(program, "classify", EXAMPLE) is None
    full = Example({**EXAMPLE.values, "summary": "hi"})
    first = labelled_demo(program, "shorten", full)
    second = labelled_demo(program, "classify", full)
    assert first is not None
    assert second is not None
    assert first.values == {"message": "hello", "summary": "hi"}
    assert second.values == {"summary": "hi", "label": "red"}


def test_reasoning_may_be_missing() -> None:
    program = Program.of(chain_of_thought(f"message -> label: {ENUM}"), "think")
    demo = labelled_demo(program, "think", EXAMPLE)
    assert demo is not None
    assert "reasoning" not in demo.values


def test_fields_are_followed_along_their_wires() -> None:
    predict = Predict.of(f"text -> colour: {ENUM}")
    ends = one_step()
    program = Program(
        ends.inputs,
        ends.outputs,
        ((Node("paint", predict, {"text": Wire(INPUT, "message")}),),),
        {"label": Wire("paint", "colour")},
    )
    demo = labelled_demo(program, "paint", EXAMPLE)
    assert demo is not None
    assert demo.values == {"text": "hello", "colour": "red"}


def test_a_value_that_does_not_fit_its_type_is_no_demo() -> None:
    assert labelled_demo(one_step(), "classify", Example({"message": "x", "label": "??"})) is None


def test_labelled_demos_stand_before_bootstrapped_ones() -> None:
    program, examples = one_step(), make_examples(0, 3)
    step = Step(
        path="classify",
        inputs={"message": "seen"},
        outputs={"label": "blue"},
        prompt="",
        answer="",
        scores={},
        usage=Usage(),
    )
    trace = bootstrapped_demos([step], examples[2], "as expected")
    state = with_demos(program, examples[:2], [trace]).states["classify"]
    assert [demo.bootstrapped for demo in state.demos] == [False, False, True]
    assert state.demos[2].values == {"message": "seen", "label": "blue"}
    assert (state.demos[2].source, state.demos[2].reason) == (examples[2].id, "as expected")


def test_demos_in_place_of_others_are_all_shown() -> None:
    program = one_step()
    state = replace(program.candidate().states["classify"], nearest=4, instruction="Look.")
    start = Candidate({"classify": state})
    found = with_demos(program, make_examples(0, 6), (), start).states["classify"]
    assert (len(found.demos), found.nearest, found.instruction) == (6, 0, "Look.")


def nested() -> Program:
    """subject, kind -> colour, through a pipeline inside that has other names for all of them."""
    predict = Predict.of(f"text, of -> label: {ENUM}")
    inner = Program(
        tuple(
            replace(field, name=name)
            for field, name in zip(predict.signature.inputs, "mk", strict=True)
        ),
        tuple(replace(field, name="answer") for field in predict.signature.outputs),
        ((Node("paint", predict, {"text": Wire(INPUT, "m"), "of": Wire(INPUT, "k")}),),),
        {"answer": Wire("paint", "label")},
    )
    outer = Subpipeline(inner)
    return Program(
        tuple(
            replace(field, name=name)
            for field, name in zip(inner.inputs, ("subject", "kind"), strict=True)
        ),
        tuple(replace(field, name="colour") for field in inner.outputs),
        ((Node("inside", outer, {"m": Wire(INPUT, "subject"), "k": Wire(INPUT, "kind")}),),),
        {"colour": Wire("inside", "answer")},
    )


def test_fields_are_followed_into_pipelines_inside() -> None:
    example = Example({"subject": "hello", "kind": "word", "colour": "red", "label": "blue"})
    demo = labelled_demo(nested(), "inside.paint", example)
    assert demo is not None
    assert demo.values == {"text": "hello", "of": "word", "label": "red"}


def test_an_example_says_nothing_of_one_item_of_a_map() -> None:
    kind = MODULES["map"]
    signature = Signature.parse("words: list[str], hint -> labels: list[str]")
    module = kind.make(signature, read_params(kind.params, {"step": "predict"}), {})
    example = Example({"words": "a text", "hint": "h", "labels": "red"})
    program = Program.of(module, "each")
    assert gold_value(program, "each.step", signature["hint"], example) == "h"
    for name in ("words", "labels"):
        assert (
            gold_value(program, "each.step", replace(signature[name], type=STR), example) is None
        )
    assert labelled_demo(program, "each.step", example) is None


def test_fields_are_followed_into_modules_made_of_modules() -> None:
    kind = MODULES["constraint"]
    signature = Signature.parse(f"text -> label: {ENUM}")
    module = kind.make(signature, read_params(kind.params, {"check": "True"}), {})
    program = Program(
        one_step().inputs,
        tuple(replace(field, name="colour") for field in signature.outputs),
        ((Node("sure", module, {"text": Wire(INPUT, "message")}),),),
        {"colour": Wire("sure", "label")},
    )
    example = Example({"message": "hello", "colour": "red"})
    demo = labelled_demo(program, "sure.step", example)
    assert demo is not None
    assert demo.values == {"text": "hello", "label": "red"}


def stepped(text: str, *, discarded: bool = False) -> Step:
    """A step of `classify`."""
    return Step(
        path="classify",
        inputs={"message": text},
        outputs={"label": "red"},
        prompt="",
        answer="",
        scores={},
        usage=Usage(),
        discarded=discarded,
    )


def test_of_several_steps_at_one_place_the_example_decides_which_is_shown() -> None:
    steps = [stepped(str(number)) for number in range(4)]
    shown = []
    for example in make_examples(0, 60):
        demo = bootstrapped_demos(steps, example, "")["classify"]
        assert demo == bootstrapped_demos(steps, example, "")["classify"]
        shown.append(demo.values["message"])
    assert set(shown) == {"0", "1", "2", "3"}


def test_what_was_not_taken_is_never_shown() -> None:
    steps = [stepped("a", discarded=True), stepped("b"), stepped("c", discarded=True)]
    for example in make_examples(0, 20):
        demos = bootstrapped_demos(steps, example, "")
        assert demos["classify"].values["message"] == "b"
    assert bootstrapped_demos(steps[:1], EXAMPLE, "") == {}

"""Orders and own examples."""

from __future__ import annotations

from collections import Counter

from studio.engine.compilers.selecting import (
    balanced,
    inputs_key,
    label_of,
    own_keys,
    stratified,
    unique,
    without,
)
from studio.engine.example import Candidate, Demo, Example, PredictorState
from studio.engine.modules import Predict
from studio.engine.program import Program
from tests.engine.compilers.builders import LABELS, make_examples, one_step

PROGRAM = one_step()


def lopsided() -> list[Example]:
    """60 red, 30 green, 10 blue, one kind after the other."""
    labels = ["red"] * 60 + ["green"] * 30 + ["blue"] * 10
    return [
        Example({"message": f"message {number}", "label": label})
        for number, label in enumerate(labels)
    ]


def count(examples: list[Example]) -> Counter[str]:
    return Counter(label_of(PROGRAM, example) for example in examples)


def test_every_beginning_of_a_stratified_order_looks_like_the_whole() -> None:
    order = stratified(PROGRAM, lopsided(), "seed")
    assert sorted(example.id for example in order) == sorted(item.id for item in lopsided())
    for size in (20, 50):
        counts = count(order[:size])
        for label, share in (("red", 0.6), ("green", 0.3), ("blue", 0.1)):
            assert abs(counts[label] - share * size) <= 1.5


def test_the_seed_decides_the_order() -> None:
    examples = make_examples(0, 30)
    first, again, other = (stratified(PROGRAM, examples, seed) for seed in ("1", "1", "2"))
    assert first == again != other


def test_balanced_takes_each_label_equally_often_and_keeps_the_order() -> None:
    examples = lopsided()
    chosen = balanced(PROGRAM, examples, 9)
    assert count(chosen) == dict.fromkeys(LABELS, 3)
    reds = [example for example in chosen if label_of(PROGRAM, example) == "red"]
    assert reds == examples[:3]


def test_balanced_makes_up_for_what_is_there_and_never_takes_it_again() -> None:
    examples = lopsided()
    have = examples[:3]
    chosen = balanced(PROGRAM, examples, 6, have=have)
    assert count(chosen) == {"green": 3, "blue": 3}
    assert not {example.id for example in have} & {example.id for example in chosen}


def test_balanced_gives_all_there_is_when_more_is_asked_for() -> None:
    assert len(balanced(PROGRAM, lopsided(), 500)) == 100
    assert balanced(PROGRAM, lopsided(), 0) == []


def test_own_examples_are_known_by_id_by_inputs_and_by_what_a_demo_shows() -> None:
    train = make_examples(0, 5)
    demos = (
        Demo(values=train[0].values, source=train[0].id),
        Demo(values={"message": "written by hand", "label": "red"}),
    )
    candidate = Candidate({"classify": PredictorState(instruction="", demos=demos)})
    own = own_keys(PROGRAM, candidate, train)
    other_label = Example({"message": "MESSAGE  number 0", "label": "blue"})
    by_hand = Example({"message": "Written by hand", "label": "green"})
    new = Example({"message": "message number 77", "label": "red"})
    assert without(PROGRAM, [*train[:2], other_label, by_hand, new], own) == [train[1], new]


def test_of_examples_with_the_same_inputs_the_first_stays() -> None:
    twice = [
        Example({"message": "Hello there", "label": "red"}),
        Example({"message": "hello  there", "label": "blue"}),
        Example({"message": "other", "label": "red"}),
    ]
    assert unique(PROGRAM, twice) == [twice[0], twice[2]]


def test_examples_without_inputs_are_told_apart_by_their_content() -> None:
    bare = [Example({"label": "red"}), Example({"label": "blue"}), Example({"label": "red"})]
    assert unique(PROGRAM, bare) == bare[:2]


def test_an_optional_input_that_is_missing_is_a_value_like_others() -> None:
    program = Program.of(Predict.of("message, hint: optional[str] -> label"))
    bare = {"message": "Hello"}
    assert inputs_key(program, bare) == inputs_key(program, {"message": "hello", "hint": None})
    assert inputs_key(program, bare) != inputs_key(program, {**bare, "hint": "x"})
    assert inputs_key(program, {"hint": "x"}) == inputs_key(program, {}) == ""

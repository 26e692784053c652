"""The parts of a compile's data: nothing stands in two places, nor does nearly the same."""

from __future__ import annotations

import pytest

from studio.engine.compilers.splitting import Parts
from studio.engine.errors import CompileError
from studio.engine.example import Example
from tests.engine.compilers.builders import learner, make_examples, make_world, writes


def of(*texts: str, label: str = "red") -> list[Example]:
    return [Example({"message": text, "label": label}) for text in texts]


def parts(train: list[Example], dev: list[Example], test: list[Example], limit: int = 0) -> Parts:
    return Parts.of(make_world(writes(learner), train=train, dev=dev, test=test).task, limit)


TRAIN = of("Where is my new card now?", "I want to close my account", "Change my postal address")
DEV = of("Why was I charged twice today?", "How do I top up by cheque?")


def test_what_is_like_train_or_dev_cannot_confirm_and_is_counted() -> None:
    own = of("Is there a limit for top ups?", "Which countries do you support?")
    like = of(
        "where is my new crad now", "HOW DO I TOP-UP BY CHEQUE", "i want to close my acount!"
    )
    found = parts(TRAIN, DEV, [*own, *like, *TRAIN[2:], *own[:1]])
    assert {item.id for item in found.test} == {item.id for item in own}
    assert found.notes == (
        "5 of 7 test examples stand twice, on dev or in train, or nearly so, and are left out.",
    )


def test_dev_examples_that_are_like_training_ones_stay() -> None:
    dev = [*DEV, *of("where is my new card now")]
    found = parts(TRAIN, dev, make_examples(0, 5))
    assert {item.id for item in found.dev} == {item.id for item in dev}
    assert not found.notes


def test_what_calibrates_is_like_nothing_on_dev_or_test() -> None:
    found = parts(TRAIN, of("where is my new card now"), make_examples(0, 5))
    assert list(found.train_only) == TRAIN[1:]
    assert len(found.train) == 3


def test_a_dev_example_beyond_the_limit_may_confirm() -> None:
    dev = make_examples(0, 9)
    assert len(parts(TRAIN, dev, dev, limit=4).test) == 5


def test_training_examples_that_stand_twice_are_one() -> None:
    found = parts([*TRAIN, *of("CHANGE my postal address")], DEV, make_examples(0, 5))
    assert list(found.train) == TRAIN
    assert found.notes == ("1 of 4 train examples stand twice and are left out.",)


@pytest.mark.parametrize(
    "test", [DEV, TRAIN, of("i want to close my acount!", "how do I top up by cheque")]
)
def test_when_nothing_is_left_to_confirm_on_it_says_so(test: list[Example]) -> None:
    with pytest.raises(CompileError, match="nothing is left to confirm the result on"):
        parts(TRAIN, DEV, test)


@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_an_empty_part_is_named(part: str) -> None:
    given = {"train": TRAIN, "dev": DEV, "test": make_examples(0, 5), part: []}
    with pytest.raises(CompileError, match=f"no {part} examples"):
        parts(given["train"], given["dev"], given["test"])

"""Examples that are nearly the same."""

from __future__ import annotations

import csv
import io
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.compilers import COMPILERS
from studio.engine.compilers.events import CandidateMade, CandidateScored
from studio.engine.compilers.near import NearDuplicates
from studio.engine.compilers.selecting import own_keys, without
from studio.engine.example import Candidate, Demo, Example, PredictorState
from studio.engine.lm.prompt_reader import Prompt
from studio.engine.modules import Predict
from studio.engine.program import Program
from tests.engine.compilers.builders import (
    LABELS,
    chance,
    make_examples,
    make_world,
    one_step,
    run,
    writes,
)

PROGRAM = one_step()
BANKING77 = Path(__file__).parents[4] / "shared" / "data" / "banking77"
WORDS = [
    "account",
    "activate",
    "address",
    "amount",
    "arrive",
    "balance",
    "bank",
    "because",
    "before",
    "card",
    "cash",
    "change",
    "charge",
    "cheque",
    "close",
    "cost",
    "country",
    "declined",
    "delivery",
    "deposit",
    "exchange",
    "expire",
    "freeze",
    "hello",
    "identity",
    "limit",
    "machine",
    "merchant",
    "money",
    "order",
    "passcode",
    "payment",
    "pending",
    "phone",
    "please",
    "receive",
    "refund",
    "salary",
    "statement",
    "stolen",
    "support",
    "transfer",
    "travel",
    "twice",
    "unblock",
    "verify",
    "virtual",
    "wallet",
    "withdraw",
]


def of(text: Any, label: str = "red") -> Example:
    return Example({"message": text, "label": label})


def near(one: Any, other: Any, program: Program = PROGRAM) -> bool:
    """Whether they are, which does not depend on which comes first."""
    first = one if isinstance(one, Example) else of(one)
    second = other if isinstance(other, Example) else of(other, "blue")
    found = not NearDuplicates(program, [first]).not_like([first], [second])
    assert found != bool(NearDuplicates(program).not_like([second], [first]))
    return found


def mistyped(text: str, rng: random.Random) -> str:
    """With a typo in a long word, in other case, with other punctuation and spaces."""
    words = text.split()
    place = max(range(len(words)), key=lambda place: len(words[place]))
    word = words[place]
    cut = rng.randint(1, len(word) - 2)
    words[place] = rng.choice(
        [
            word[:cut] + word[cut + 1 :],
            word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :],
            word[:cut] + "x" + word[cut:],
        ]
    )
    return rng.choice(["  ", " "]).join(words).upper() + rng.choice(["", "!", " ?", "…"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I activate my card?", "how do i activate my card"),
        ("How do I activate my card?", "“How do I  activate my card”"),
        ("How do I activate my card?", "How do I actvate my card?"),
        ("How do I activate my card?", "How do I acitvate my card"),
        ("How do I activate my card?", "How do I activate my cards?"),
        ("Is there an auto top-up option?", "is there an auto top up option"),
        ("My top-up isn't working.", "my topup isnt working"),
        ("I can not find my PIN", "i cannot find my pin"),
        ("Refund", "refund!"),
        ("Ｈｅｌｌｏ there", "hello there"),
        ("Straße gesperrt", "STRASSE gesperrt"),
        ("I was charged 5.50 on 2024-03-01 twice", "i was charged 5.50 on 2024-03-01, twice."),
        (
            "The transfer keeps failing, I tried to send some money to friends this morning "
            "but it keeps getting rejected for some reason, please help me",
            "The transfer keeps failing. I tried to send some money to my friends this morning "
            "but it keeps getting rejected for some reason, please help me!",
        ),
        ("我要取消我的订单", "我要取消我的订单。"),
    ],
)
def test_another_way_of_writing_is_nearly_the_same(one: str, other: str) -> None:
    assert near(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I activate my card?", "How can I get my new card to work?"),
        ("How do I activate my card?", "How do I block my card?"),
        ("How do I order a virtual card?", "How do I order a disposable virtual card?"),
        ("How do I top up my card?", "How do I top up using my card?"),
        ("Does Anna owe Bernard money?", "Does Bernard owe Anna money?"),
        ("I can pay by card now", "I can't pay by card now"),
        ("message number 12", "message number 13"),
        ("I paid 1.5 for this thing here", "I paid 15 for this thing here"),
        ("The answer to it is -5 degrees", "The answer to it is 5 degrees"),
        ("What is 2 + 3 of these", "What is 2 - 3 of these"),
        ("Jon Smith", "John Smith"),
        ("cancel my card", "cancel my cards"),
        ("it is legal in every country", "it is illegal in every country"),
        ("a moral story for all", "amoral story for all of us"),
        ("The movie was great 😀", "The movie was great 😡"),
        ("我要取消我的订单", "我要查看我的订单"),
        ("yes", "no"),
        ("", "word"),
    ],
)
def test_other_words_and_other_numbers_make_another_example(one: str, other: str) -> None:
    assert not near(one, other)


def test_a_long_text_may_differ_in_a_few_words_and_in_no_number() -> None:
    rng = random.Random(1)
    words = [rng.choice(WORDS) for _ in range(1_500)]
    text = " ".join(words)
    assert len(text) > 9_000
    typos = [*words]
    for place in range(0, 1_500, 60):
        typos[place] = "something"
    assert near(text, " ".join(typos))
    assert near(text, text.replace(" ", "\n").upper())
    assert not near(text, f"{text} 7")
    assert not near(text, " ".join(rng.sample(words, len(words))))
    assert not near(text, " ".join(rng.choice(WORDS) for _ in range(1_500)))


@pytest.mark.parametrize("size", [100, 126, 128, 130, 160])
def test_where_texts_get_long_nothing_is_lost(size: int) -> None:
    rng = random.Random(size)
    words = [f"{rng.choice(WORDS)}{rng.choice('abcdefgh')}" for _ in range(size)]
    assert near(" ".join(words), " ".join([*words, "and", "so", "on"]))


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_texts_can_be_compared(one: str, other: str) -> None:
    near(one, other)
    assert near(one, f" {one} ")


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=6, max_size=40), st.integers(0, 1_000))
def test_a_typo_case_and_punctuation_never_make_another_example(
    words: list[str], seed: int
) -> None:
    text = " ".join([*words, "passcode"])
    assert near(text, mistyped(text, random.Random(seed)))


def test_other_inputs_than_texts_have_to_be_equal() -> None:
    program = Program.of(
        Predict.of("message, tags: list[str], count: int, code: code[python] -> label")
    )
    text = "How do I activate my new card?"
    base = {"message": text, "tags": ["a", "B"], "count": 3, "code": "x = 1", "label": "l"}
    example = Example(base)
    assert near(example, Example({**base, "message": text.upper(), "label": "m"}), program)
    assert near(example, Example({**base, "tags": ["A", "b"]}), program)
    for change in ({"tags": ["a"]}, {"count": 4}, {"code": "x = 2"}, {"tags": ["B", "a"]}):
        assert not near(example, Example({**base, **change}), program)


def test_each_text_is_compared_by_itself() -> None:
    program = Program.of(Predict.of("question, context -> answer"))
    long = " ".join(WORDS)
    one = Example({"question": "Who?", "context": long})
    assert near(
        one, Example({"question": "who", "context": long.replace("hello", "helo")}), program
    )
    # A shared context does not make two questions one.
    assert not near(one, Example({"question": "When?", "context": long}), program)


def test_an_optional_input_may_be_missing() -> None:
    program = Program.of(Predict.of("message, hint: optional[str] -> label"))
    one, other = Example({"message": "hello", "label": "a"}), Example({"message": "Hello."})
    assert near(one, other, program)
    assert not near(one, Example({"message": "hello", "hint": "x"}), program)


def with_demos(*demos: Demo) -> Candidate:
    return Candidate({"classify": PredictorState(instruction="", demos=demos)})


def test_what_is_like_a_demo_is_the_candidates_own() -> None:
    train = [
        of("Where is my new card, please?"),
        of("I want to close my account"),
        of("third one"),
    ]
    scored = [
        of("where is my new crad please"),
        of("i want to close my acount"),
        of("Third one."),
        of("written by hand"),
        of("edited by a person"),
        of("something else"),
    ]
    candidate = with_demos(
        Demo(values=train[0].values, source=train[0].id),
        Demo(values={"message": "Written by hand!", "label": "red"}),
        # Its values were changed: the example that it came from is its own all the same.
        Demo(values={"message": "Edited by a  person", "label": "red"}, source=train[1].id),
    )
    near = NearDuplicates(PROGRAM, train)
    assert near.not_own(candidate, scored) == [scored[2], scored[5]]
    assert near.not_own(candidate, train) == [train[2]]
    assert near.not_own(with_demos(), scored) == scored


def test_the_demo_of_a_later_step_counts_by_where_it_came_from() -> None:
    train = [of("Where is my new card, please?"), of("I want to close my account")]
    demo = Demo(values={"summary": "card", "label": "red"}, source=train[0].id)
    near = NearDuplicates(PROGRAM, train)
    scored = [of("where is my new card please"), of("card")]
    assert near.not_own(with_demos(demo), scored) == [scored[1]]
    elsewhere = Demo(values={"summary": "card", "label": "red"}, source="of another dataset")
    assert near.not_own(with_demos(elsewhere), scored) == scored


def test_what_was_equal_before_is_still_the_candidates_own() -> None:
    train = make_examples(0, 30)
    scored = [*train[:20], *(of(str(item.values["message"]).upper()) for item in train)]
    demos = [Demo(values=item.values, source=item.id) for item in train[5:15]]
    candidate = with_demos(*demos)
    own = own_keys(PROGRAM, candidate, train)
    assert NearDuplicates(PROGRAM, train).not_own(candidate, scored) == without(
        PROGRAM, scored, own
    )


def test_it_finds_what_comparing_all_pairs_finds() -> None:
    rng = random.Random(5)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(1, 12))) for _ in range(40)]
    texts += [mistyped(text, rng) for text in texts[:20] if len(text) > 9]
    examples = [of(text) for text in texts]
    together = NearDuplicates(PROGRAM, examples[:20])
    for one in examples:
        left = together.not_like([one], examples)
        gone = {item.id for item in examples} - {item.id for item in left}
        assert gone == {item.id for item in examples if item == one or near(one, item)}


@pytest.mark.skipif(not BANKING77.is_dir(), reason="needs the shared data beside the project")
def test_on_real_questions_near_duplicates_are_no_paraphrases() -> None:
    train, test = (
        [
            Example({"text": row["text"], "category": row["category"]})
            for row in csv.DictReader(
                io.StringIO((BANKING77 / f"{name}.csv").read_text(encoding="utf-8"))
            )
        ]
        for name in ("train", "test")
    )
    train, test = train[:2_000], test[:800]
    program = Program.of(Predict.of("text -> category"))
    found = NearDuplicates(program, train)
    pairs = [
        (one, other)
        for one in test
        if len(found.not_like([one], train)) < len(train)
        for other in train
        if not found.not_like([one], [other])
    ]
    # A few of two thousand and eight hundred, and they mean the same.
    assert 4 <= len(pairs) <= 20
    assert all(one.values["category"] == other.values["category"] for one, other in pairs)


MESSAGES = [
    f"{first} {second} {third} my {WORDS[number % 49]} {WORDS[(7 * number + 3) % 49]} now"
    for number, (first, second, third) in enumerate(
        (first, second, third)
        for first in ("please", "kindly", "quickly", "simply")
        for second in ("help", "tell", "show", "send")
        for third in ("understand", "remember", "recognise", "reconsider", "replace")
    )
]


def copier(prompt: Prompt) -> str:
    """Knows nothing: the label of the demo with nearly the same message, else one at random."""
    text = prompt.inputs[-1]
    for demo in prompt.demos:
        if near(demo.text, text):
            return demo.outputs["label"]
    return LABELS[int(3 * chance("copier", text, len(prompt.demos)))]


@pytest.mark.parametrize("compiler", COMPILERS)
def test_an_lm_that_can_only_copy_scores_as_chance_when_dev_is_train_with_typos(
    compiler: str,
) -> None:
    rng = random.Random(2)
    train = [of(text, LABELS[int(3 * chance("gold", text))]) for text in MESSAGES]
    dev = [
        of(mistyped(str(item.values["message"]), rng), str(item.values["label"])) for item in train
    ]
    world = make_world(
        writes(copier), compiler=compiler, train=train, dev=dev, test=make_examples(0, 20)
    )
    events = run(world.task)
    scored = [event for event in events if isinstance(event, CandidateScored)]
    made = [event.candidate for event in events if isinstance(event, CandidateMade)]
    shown = any(candidate.demo_sources for candidate in made)
    assert any(event.own for event in scored) == shown
    assert shown == (compiler not in ("instructions", "reflect"))
    for event in scored:
        assert event.value is not None
        # Three labels; copying would be right nearly always.
        assert event.value < 1 / 3 + 3 * math.sqrt(2 / 9 / event.scored_on)

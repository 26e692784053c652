"""Splits: shares, labels, seeds and repeated inputs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from studio.datasets.models import Split
from studio.datasets.splitting import Splitter


def draw(
    labels: list[str], *, seed: int = 0, shares: tuple[int, int, int] = (60, 20, 20)
) -> Splitter:
    splitter = Splitter(shares=shares, seed=seed)
    for number, label in enumerate(labels):
        splitter.add(split=None, label=label, inputs=number)
    splitter.draw()
    return splitter


def test_shares_are_exact_and_labels_are_even() -> None:
    splitter = draw(["billing"] * 60 + ["shipping"] * 40)
    assert splitter.counts() == {"train": 60, "dev": 20, "test": 20}
    assert splitter.labels() == {
        "billing": {"train": 36, "dev": 12, "test": 12},
        "shipping": {"train": 24, "dev": 8, "test": 8},
    }


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    labels = ["a", "b"] * 50
    assert draw(labels, seed=1).splits == draw(labels, seed=1).splits
    assert draw(labels, seed=1).splits != draw(labels, seed=2).splits


@given(
    labels=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=200),
    shares=st.tuples(st.integers(0, 50), st.integers(0, 50)).map(
        lambda two: (100 - sum(two), *two)
    ),
)
def test_every_row_has_a_split_and_totals_are_within_two_of_the_shares(
    labels: list[str], shares: tuple[int, int, int]
) -> None:
    counts = draw(labels, shares=shares).counts()
    assert sum(counts.values()) == len(labels)
    for count, share in zip(counts.values(), shares, strict=True):
        assert abs(count - len(labels) * share / 100) <= 2


def test_many_small_labels_do_not_starve_a_split() -> None:
    counts = draw([f"label {n // 2}" for n in range(80)]).counts()
    assert counts == {"train": 48, "dev": 16, "test": 16}


def test_repeated_inputs_stay_together_when_drawn() -> None:
    splitter = Splitter()
    for number in range(60):
        splitter.add(split=None, label="", inputs=number % 20)
    splitter.draw()
    assert splitter.splits[:20] == splitter.splits[20:40] == splitter.splits[40:]
    assert splitter.duplicates() == {"rows": 40, "across": 0, "shown": []}


def test_repeated_inputs_across_given_splits_are_found() -> None:
    splitter = Splitter()
    for split, inputs in ((Split.TRAIN, 1), (Split.TEST, 1), (Split.TRAIN, 1), (Split.DEV, 2)):
        splitter.add(split=split, label="", inputs=inputs)
    splitter.leave_out()
    splitter.draw()
    assert splitter.counts() == {"train": 2, "dev": 1, "test": 1}
    assert splitter.duplicates() == {
        "rows": 2,
        "across": 1,
        "shown": [{"row": 2, "split": "test", "first": 1, "first_split": "train"}],
    }

"""Splits of an upload: shares, labels, seeds and repeated inputs."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.datasets.splits.splitting import LEFT_OUT, OPEN, OTHERS, Splitter
from studio.datasets.table import SPLITS
from studio.datasets.uploading.choices import MAX_LABELS

TRAIN, DEV, TEST = range(len(SPLITS))


def draw(
    labels: list[str], *, seed: int = 0, shares: tuple[int, int, int] = (60, 20, 20)
) -> Splitter:
    splitter = Splitter(shares=shares, seed=seed)
    splitter.extend([OPEN] * len(labels), labels, range(len(labels)))
    splitter.draw()
    return splitter


def make_mixed(rows: int, *, seed: int, labels: int, repeat: int, known: bool) -> Splitter:
    """Rows in batches, some of them with a split, some left out, some repeated."""
    rng = random.Random(rows)
    splitter = Splitter(shares=(50, 30, 20), seed=seed)
    codes = (OPEN, OPEN, LEFT_OUT, TRAIN, TEST) if known else (OPEN,)
    for at in range(0, rows, 700):
        count = min(700, rows - at)
        splitter.extend(
            bytearray(rng.choice(codes) for _ in range(count)),
            [f"label {rng.randrange(labels)}" for _ in range(count)] if labels else None,
            [rng.randrange(repeat) for _ in range(count)],
        )
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


@pytest.mark.parametrize(
    ("rows", "seed", "labels", "repeat", "known", "expected"),
    [
        (1, 0, 1, 9, False, "17f6ae53d3b400ff"),
        (3000, 7, 6, 2500, False, "76d5b16d0e910f7a"),
        (3000, 7, 0, 90000, False, "29a13ba0dc654e9b"),
        (3000, 1, 80, 2000, True, "9887db6cf6168403"),
    ],
)
def test_a_file_is_split_tomorrow_as_it_is_today(
    rows: int, seed: int, labels: int, repeat: int, known: bool, expected: str
) -> None:
    made = make_mixed(rows, seed=seed, labels=labels, repeat=repeat, known=known)
    told = repr((bytes(made.splits), made.counts(), made.labels(), made.duplicates()))
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == expected


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


def test_labels_beyond_the_most_are_counted_together() -> None:
    splitter = draw([f"label {n}" for n in range(MAX_LABELS + 30)])
    assert sum(splitter.labels()[OTHERS].values()) == 30
    assert len(splitter.labels()) == MAX_LABELS + 1


def test_repeated_inputs_stay_together_when_drawn() -> None:
    splitter = Splitter()
    splitter.extend([OPEN] * 60, None, [number % 20 for number in range(60)])
    splitter.draw()
    assert splitter.splits[:20] == splitter.splits[20:40] == splitter.splits[40:]
    assert splitter.duplicates() == {"rows": 40, "across": 0, "shown": []}


def test_repeated_inputs_across_given_splits_are_found() -> None:
    splitter = Splitter()
    splitter.extend([TRAIN, TEST, TRAIN, DEV, LEFT_OUT], None, [1, 1, 1, 2, 2])
    splitter.draw()
    assert splitter.counts() == {"train": 2, "dev": 1, "test": 1}
    assert splitter.duplicates() == {
        "rows": 2,
        "across": 1,
        "shown": [{"row": 2, "split": "test", "first": 1, "first_split": "train"}],
    }


def test_a_row_that_is_left_out_is_nobodys_twin() -> None:
    splitter = Splitter()
    splitter.extend([LEFT_OUT, OPEN, OPEN], ["a", "a", "a"], [1, 1, 1])
    splitter.draw()
    assert splitter.splits[0] == LEFT_OUT
    assert splitter.splits[1] == splitter.splits[2]
    assert splitter.duplicates()["rows"] == 1


def test_what_is_told_follows_the_rows_that_came_later() -> None:
    splitter = Splitter()
    splitter.extend([TRAIN], ["a"], [1])
    assert splitter.duplicates()["rows"] == 0
    splitter.extend([DEV], ["a"], [1])
    assert splitter.duplicates()["across"] == 1
    assert splitter.labels() == {"a": {"train": 1, "dev": 1, "test": 0}}


def test_no_row_at_all() -> None:
    splitter = Splitter()
    splitter.draw()
    assert splitter.counts() == {"train": 0, "dev": 0, "test": 0}
    assert splitter.labels() == {}
    assert splitter.duplicates()["rows"] == 0

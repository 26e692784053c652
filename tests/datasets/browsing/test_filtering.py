"""Filters: what a cell has to be, and which blocks need not be read for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.datasets.blocks import content_of, encode, text_of
from studio.datasets.browsing.facts import MOST_VALUES, FactList, as_number, is_empty
from studio.datasets.browsing.filtering import (
    MOST_CONDITIONS,
    OPERATORS,
    Condition,
    Query,
    read_conditions,
)
from studio.errors import Invalid

CELLS: list[Any] = [
    "billing",
    "Billing",
    "7",
    7.0,
    "-1.5e3",
    "",
    " ",
    None,
    True,
    ["a"],
    "2024-05-01",
]


def fitting(operator: str, value: str = "") -> list[Any]:
    """The cells that fulfil a condition."""
    condition = Condition("c", operator, value)
    return [CELLS[at] for at in condition.holds(CELLS, range(len(CELLS)))]


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("is", "billing", ["billing"]),
        ("is", "7", ["7", 7.0]),
        ("is", '["a"]', [["a"]]),
        ("has", "BILL", ["billing", "Billing"]),
        ("below", "0", ["-1.5e3"]),
        ("above", "6.5", ["7", 7.0]),
        ("above", "2024-04-30", ["billing", "Billing", True, ["a"], "2024-05-01"]),
        ("empty", "", ["", " ", None]),
    ],
)
def test_cells_that_fit(operator: str, value: str, found: list[Any]) -> None:
    assert [repr(cell) for cell in fitting(operator, value)] == [repr(cell) for cell in found]


def test_not_and_filled_are_the_rest() -> None:
    assert len(fitting("not", "billing")) == len(CELLS) - len(fitting("is", "billing"))
    assert len(fitting("filled")) == len(CELLS) - len(fitting("empty"))


@pytest.mark.parametrize(
    "text", ["nan", "inf", "1_000", "٣", "0x10", "1e999", "", "1 2", "9" * 50]
)
def test_these_texts_are_no_numbers(text: str) -> None:
    assert as_number(text) is None


@pytest.mark.parametrize("value", [True, None, [1], {"a": 1}, 10**400, float("nan")])
def test_these_values_are_no_numbers(value: Any) -> None:
    assert as_number(value) is None


def test_white_space_is_empty_and_zero_is_not() -> None:
    values: list[Any] = [None, "", " \n", 0, False, []]
    assert [is_empty(value) for value in values] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


cells = st.lists(
    st.one_of(
        st.none(),
        st.sampled_from(["", " ", "a", "B", "ab", "1", "1.0", "-3"]),
        st.integers(-5, 5),
        st.booleans(),
        st.lists(st.integers(0, 2), max_size=2),
    ),
    min_size=1,
    max_size=6,
)


@given(
    blocks=st.lists(cells, min_size=1, max_size=4),
    operator=st.sampled_from(list(OPERATORS)),
    value=st.sampled_from(["", "a", "AB", "1", "-3", "0.5", "[0,1]", "true", "zz"]),
)
def test_a_block_with_a_row_that_fits_is_never_passed_over(
    blocks: list[list[Any]], operator: str, value: str
) -> None:
    condition, facts = Condition("c", operator, value), FactList()
    for block in blocks:
        facts.add(content_of([{"c": cell} if cell is not None else {"d": 1} for cell in block]))
    everywhere = (1 << len(blocks)) - 1
    mask = condition.may_hold(facts.to_dict().get("c"), everywhere)
    for at, block in enumerate(blocks):
        if condition.holds(block, range(len(block))):
            assert mask >> at & 1


def test_blocks_without_the_label_and_out_of_the_range_are_passed_over() -> None:
    facts = FactList()
    facts.add(content_of([{"label": "billing", "n": 1}, {"label": "returns", "n": 5}]))
    facts.add(content_of([{"label": "returns", "n": "9"}]))
    facts.add(content_of([{"other": "x"}]))
    known = facts.to_dict()

    def blocks(column: str, operator: str, value: str = "") -> int:
        return Condition(column, operator, value).may_hold(known[column], 0b111)

    assert blocks("label", "is", "billing") == 0b001
    assert blocks("label", "is", "nothing") == 0
    assert blocks("label", "has", "RET") == 0b011
    assert blocks("label", "empty") == 0b100
    assert blocks("n", "above", "5") == 0b010
    assert blocks("n", "below", "2") == 0b001
    assert blocks("n", "is", "5") == 0b001
    assert blocks("other", "filled") == 0b100


def test_a_column_with_many_values_keeps_none() -> None:
    facts = FactList()
    facts.add(content_of([{"c": f"value {n}"} for n in range(MOST_VALUES + 1)]))
    assert "values" not in facts.to_dict()["c"]
    assert Condition("c", "is", "nothing").may_hold(facts.to_dict()["c"], 1) == 1


def test_lines_of_the_form_become_conditions() -> None:
    found = read_conditions(
        ["a", "b"], ["a", "", "b", "a"], ["is", "has", "empty", "is"], ["1", "x", "", "1"]
    )
    assert found == (Condition("a", "is", "1"), Condition("b", "empty", ""))


@pytest.mark.parametrize(
    ("where", "how", "what", "said"),
    [
        (["nothing"], ["is"], ["1"], "no column “nothing”"),
        (["a"], ["like"], ["1"], "“like” compares nothing"),
        (["a"], ["above"], [""], "Say what “a” is compared with"),
        (["a"] * 9, ["is"] * 9, list("123456789"), f"{MOST_CONDITIONS} filters at once"),
    ],
)
def test_filters_that_are_none_are_refused(
    where: list[str], how: list[str], what: list[str], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        read_conditions(["a"], where, how, what)


@pytest.mark.parametrize(
    ("phrase", "fits"),
    [
        ("was CHARGED", [0]),
        ("ss", [1]),
        ('say "hi', [2]),
        ('{"a":[1,2]}', [3]),
        ("a\nb", [4]),
        ("7.5", [5]),
        ("charged billing", []),
    ],
)
def test_a_phrase_has_to_be_part_of_one_cell(phrase: str, fits: list[int]) -> None:
    content = content_of(
        [
            {"m": "I was charged", "c": "billing"},
            {"m": "Straße"},
            {"m": 'He would say "hi"'},
            {"m": {"a": [1, 2]}},
            {"m": "a\nb"},
            {"m": 7.5},
        ]
    )
    query = Query(text=phrase)
    text = text_of(encode(content)[1])
    assert query.matches(content, bytes(6)) == fits
    assert not (fits and query.cannot_be_in(text))

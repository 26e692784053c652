"""Where labels part."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from studio.engine.lm.label_tree import Branch, LabelTree

ENDS = (90, 91)


def test_single_tokens_part_at_once() -> None:
    tree = LabelTree({"a": (1,), "b": (2,)}, ENDS)
    assert tree.partings() == ((),)
    assert tree.branches(()) == (Branch((1,), ("a",)), Branch((2,), ("b",)))


def test_a_shared_beginning_and_a_lonely_tail_ask_for_nothing() -> None:
    tree = LabelTree({"a b c": (1, 2, 3), "a b d": (1, 2, 4, 5, 6)}, ENDS)
    assert tree.partings() == ((1, 2),)


def test_a_label_that_begins_another_has_an_end() -> None:
    tree = LabelTree({"card": (1,), "card lost": (1, 2), "cash": (3,)}, ENDS)
    assert tree.partings() == ((), (1,))
    assert tree.branches((1,)) == (Branch(ENDS, ("card",)), Branch((2,), ("card lost",)))


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple),
        min_size=2,
        max_size=8,
    ).filter(lambda labels: len(set(labels.values())) == len(labels))
)
def test_the_ways_of_all_labels_are_told_apart(labels: dict[str, tuple[int, ...]]) -> None:
    """With equal chances at each parting, the chances of all labels sum to 1."""
    tree = LabelTree(labels, ENDS)
    chances = dict.fromkeys(labels, 1.0)
    for place in tree.partings():
        branches = tree.branches(place)
        for branch in branches:
            for label in branch.labels:
                chances[label] /= len(branches)
    assert abs(sum(chances.values()) - 1) < 1e-9
    assert len(tree.partings()) < len(labels)

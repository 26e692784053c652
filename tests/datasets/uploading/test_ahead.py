"""Fetching ahead gives the same items, and ends with the block whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from studio.datasets.uploading.ahead import ahead


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ahead"]


@pytest.mark.parametrize("room", [1, 3, 100])
def test_the_items_come_in_order(room: int) -> None:
    with ahead(iter(range(50)), room=room) as items:
        assert list(items) == list(range(50))
    assert not threads()


def test_a_failure_comes_after_what_was_fetched_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("broken")

    with ahead(failing()) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(ValueError, match="broken"):
            next(items)
    assert not threads()


def test_whoever_stops_early_leaves_no_thread() -> None:
    with ahead(iter(range(10**9)), room=2) as items:
        assert next(items) == 0
    with pytest.raises(KeyError), ahead(iter(range(10**9)), room=2) as items:
        raise KeyError
    assert not threads()

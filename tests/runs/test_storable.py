"""What a model writes can be stored, whatever it writes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.lm.scripted import ScriptedLM
from studio.engine.lm.scripts import support_triage
from studio.engine.messages import Request
from studio.runs.models import ScoreRow
from studio.runs.states import State
from studio.runs.storable import storable
from tests.runs.builders import Kit, Lab

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_what_is_storable_stays_as_it_is(value: Any) -> None:
    once = storable(value)
    assert storable(once) == once
    if "\0" not in repr(value) and "\\x00" not in repr(value) and "\\ud" not in repr(value):
        assert once == value


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("plain", "plain"),
        ("é 🙂", "é 🙂"),
        ("a\0b", "a\ufffdb"),
        ("a\ud83db", "a\ufffdb"),
        ("\0\udc00é", "\ufffd\ufffdé"),
    ],
)
def test_zeros_and_halves_of_characters_become_a_sign(text: str, stored: str) -> None:
    assert storable(text) == stored
    assert storable({text: [text, (text,), 1, None]}) == {stored: [stored, [stored], 1, None]}


@pytest.mark.django_db
def test_a_model_that_writes_zeros_and_halves_stops_nothing(kit: Kit, lab: Lab) -> None:
    lock = threading.Lock()
    count = 0

    def answer(request: Request) -> str:
        nonlocal count
        with lock:
            count += 1
            odd = count % 2
        return "\0\ud83d nothing of use" if odd else support_triage(request)

    lab.make = lambda: ScriptedLM(answer)
    run = kit.compile(params={"candidates": 0})
    assert run.state == State.SUCCEEDED, run.error
    reasons = " ".join(ScoreRow.objects.filter(run=run).values_list("reason", flat=True))
    assert "\0" not in reasons
    assert "no answer" in reasons

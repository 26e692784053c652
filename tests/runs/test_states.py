"""Runs move along their table and nowhere else."""

from __future__ import annotations

from itertools import product

import pytest

from studio.accounts.models import Project
from studio.runs import leases
from studio.runs.states import MOVES, State
from tests import builders

LEGAL = {
    ("queued", "running"),
    ("queued", "paused"),
    ("queued", "cancelled"),
    ("queued", "failed"),
    ("running", "queued"),
    ("running", "paused"),
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "cancelled"),
    ("paused", "queued"),
    ("paused", "cancelled"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("start", "end"), list(product(State.values, State.values)))
def test_a_run_moves_only_along_the_table(project: Project, start: str, end: str) -> None:
    run = builders.make_run(project, state=start)
    if (start, end) in LEGAL:
        assert leases.move(run.pk, State(end)).state == end
        return
    with pytest.raises(ValueError, match="cannot become"):
        leases.move(run.pk, State(end))
    run.refresh_from_db()
    assert run.state == start


def test_every_state_stands_in_the_table() -> None:
    assert set(MOVES) == set(State)
    assert {state for state in State if state.is_final} == {
        State.SUCCEEDED,
        State.FAILED,
        State.CANCELLED,
    }

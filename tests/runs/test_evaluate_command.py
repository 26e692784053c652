"""`manage.py evaluate` on the terminal."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from studio.runs.models import Artifact, Run
from studio.runs.states import State
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db


def evaluate(*arguments: str, **options: Any) -> str:
    """What the command says."""
    out = StringIO()
    call_command("evaluate", "triage", *arguments, "--project", "support", stdout=out, **options)
    return out.getvalue()


def test_it_ends_in_the_score(kit: Kit) -> None:
    said = evaluate("--lm", "scripted", "--split", "dev")
    for word in ("score", "95 % interval", "16 scored", "LM calls"):
        assert word in said
    assert Run.objects.get().state == State.SUCCEEDED


def test_it_ends_in_one_line_of_json(kit: Kit) -> None:
    told = json.loads(
        evaluate("--lm", "scripted", "--repeats", "2", "--rows", "first", "--count", "3", "--json")
    )
    assert told["scored"] == 3
    assert told["calls"] == 6
    assert told["consistency"] == 1.0
    assert set(told["score"]) == {"value", "low", "high"}


def test_an_artifact_runs_on_its_own_lm(kit: Kit) -> None:
    artifact = Artifact.objects.get(hash=kit.compile().report["artifact"])
    told = json.loads(evaluate(f"artifact:{artifact.hash[:12]}", "--split", "train", "--json"))
    assert told["left_out"] > 0
    assert Run.objects.filter(kind="evaluate").get().connection == kit.connection


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("version:7",), "no version 7"),
        (("nonsense",), "cannot be evaluated"),
        (("--repeats", "0"), "between 1 and 10"),
        (("--rows", "random"), "how many rows"),
        (("--dataset", "nowhere"), "no dataset"),
        (("--number", "8"), "no version 8"),
        (("--max-calls", "0"), "at least 1|At least"),
    ],
)
def test_what_does_not_fit_is_a_sentence(
    kit: Kit, arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        evaluate(*arguments, "--lm", "scripted")


def test_at_a_cap_it_says_how_to_find_the_run(kit: Kit, lab: Lab) -> None:
    with pytest.raises(CommandError, match="4 calls is spent") as failed:
        evaluate("--lm", "scripted", "--max-calls", "4")
    assert str(Run.objects.get().pk) in str(failed.value)
    assert lab.calls == 4

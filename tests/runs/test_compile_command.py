"""`manage.py compile` on the terminal."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from studio.accounts.models import Project
from studio.engine.errors import LMUnavailable
from studio.runs.models import Run
from studio.runs.sample import ensure_sample_project
from studio.runs.states import State
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db


def compile_(*arguments: str, **options: Any) -> str:
    """What the command says."""
    out = StringIO()
    call_command("compile", *arguments, stdout=out, **options)
    return out.getvalue()


FAST = ("--param", "candidates=0", "--param", "max_labeled=4", "--param", "max_bootstrapped=2")


def test_it_ends_in_a_table_of_held_out_figures(kit: Kit) -> None:
    said = compile_("triage", "--seed", "1", *FAST)
    for word in ("baseline", "compiled", "difference", "95 % interval", "LM calls", "time"):
        assert word in said
    run = Run.objects.get()
    assert run.state == State.SUCCEEDED
    assert run.seed == 1
    assert run.kicked_at is not None


def test_json_is_one_last_line(kit: Kit) -> None:
    said = json.loads(compile_("triage", "--json", *FAST).splitlines()[-1])
    assert set(said) == {"baseline", "compiled", "difference", "calls", "seconds", "artifact"}
    assert set(said["difference"]) == {"value", "low", "high"}
    assert said["artifact"] == Run.objects.get().report["artifact"]


def test_every_option_has_a_default_in_the_sample_project(lab: Lab) -> None:
    ensure_sample_project()
    said = compile_("support-triage", "--lm", "scripted", "--compiler", "labeled", "--json")
    assert json.loads(said)["compiled"] > json.loads(said)["baseline"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing",), "no pipeline “nothing”. It has triage"),
        (("triage", "--project", "nowhere"), "no project “nowhere”"),
        (("triage", "--lm", "gpt"), "no language model “gpt”. It has scripted"),
        (("triage", "--dataset", "x"), "no dataset “x”"),
        (("triage", "--max-calls", "0"), "could never ask the LM"),
        (("triage", "--compiler", "magic"), "no compiler “magic”"),
        (("triage", "--param", "candidates"), "NAME=VALUE"),
        (("triage", "--user", "charlie"), "charlie is no member"),
        (("triage", "--preset", "huge"), "no preset “huge”: choose light, medium, thorough"),
        (("triage", "--teacher", "gpt"), "no language model “gpt”. It has scripted"),
        (("triage", "--proposer", "gpt"), "no language model “gpt”. It has scripted"),
        (("triage", "--teacher-artifact", "abc"), "no artifact “abc”"),
        (("triage", "--start", "0" * 64), "no artifact"),
        (("triage", "--max-tokens", "0"), "cap on tokens is 0"),
        (("triage", "--max-cost", "nan"), "cap on money"),
        (("triage", "--max-seconds", "-1"), "cap on seconds is -1"),
    ],
)
def test_a_mistake_is_a_sentence(kit: Kit, arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError) as caught:
        compile_(*arguments)
    assert sentence in str(caught.value)
    assert not Run.objects.exists()


def test_roles_caps_and_preset_are_those_of_the_run(kit: Kit) -> None:
    compile_("triage", *FAST)
    artifact = Run.objects.get().report["artifact"]
    said = compile_(
        *("triage", "--preset", "light", "--param", "candidates=0", "--seed", "5"),
        *("--teacher", "scripted", "--proposer", "scripted", "--start", artifact[:10]),
        *("--teacher-artifact", artifact, "--max-tokens", "900000"),
        *("--max-cost", "2.5", "--max-seconds", "600", "--no-reuse"),
    )
    assert "saved" not in said
    run = Run.objects.latest("created_at")
    assert run.teacher == run.proposer == kit.connection
    assert run.start_artifact == run.teacher_artifact
    assert (run.max_tokens, run.max_cost, run.max_seconds) == (900_000, 2.5, 600)
    assert run.params["candidates"] == 0, "what is said goes over the preset"
    assert run.params["dev_limit"] == 40, "as in the preset"
    assert not run.reuse


def test_what_earlier_runs_saved_is_told(kit: Kit) -> None:
    first = compile_("triage", *FAST)
    assert "saved by earlier runs" not in first
    again = compile_("triage", *FAST)
    assert f"0 of at most 4,000; {Run.objects.earliest('created_at').calls} saved" in again


def test_a_run_that_fails_is_a_sentence_too(kit: Kit) -> None:
    with pytest.raises(CommandError, match="budget ran out"):
        compile_("triage", "--max-calls", "1")


def test_a_cancelled_run_says_so(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "studio.runs.management.commands.compile.execute", lambda *_, **__: State.CANCELLED
    )
    with pytest.raises(CommandError, match="Cancelled") as caught:
        compile_("triage")
    assert caught.value.returncode == 130


def test_an_embedded_lm_that_cannot_start_leaves_nothing_running(
    project: Project, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise LMUnavailable("The embedded model is not installed.")

    monkeypatch.setattr("studio.runs.management.commands.compile.embedded_lm", broken)
    kit.connection.kind = "embedded"
    kit.connection.save()
    with pytest.raises(CommandError, match="not installed"):
        compile_("triage")
    assert not Run.objects.exists()

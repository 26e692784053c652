"""The compile form: presets, settings, roles, caps, and what it says when something is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from studio.engine.compilers import COMPILERS
from studio.errors import Invalid
from studio.runs.choosing import CUSTOM, advice, compiler_groups, preset_values, presets_of
from studio.runs.forms import DEFAULT_CALLS, CompileForm
from studio.runs.models import Artifact
from studio.runs.prefill import initial_data
from tests import builders
from tests.runs.builders import Kit

pytestmark = pytest.mark.django_db

PREFIX = "params-random-search-"


def read(kit: Kit, **values: Any) -> CompileForm:
    """The form as a browser would send it."""
    sent = QueryDict(mutable=True)
    for name, value in kit.form(**values).items():
        sent.setlist(name, [str(one) for one in value] if isinstance(value, list) else [value])
    return CompileForm(sent, pipeline=kit.pipeline)


def without_settings(kit: Kit, **values: Any) -> dict[str, Any]:
    """What a browser sends whose page has no settings of the compiler yet."""
    sent = {name: v for name, v in kit.form().items() if not name.startswith("params-")}
    return {**sent, **values}


def test_every_compiler_stands_in_one_group_and_has_advice() -> None:
    shown = [kind.name for group in compiler_groups() for kind in group.kinds]
    assert sorted(shown) == sorted(COMPILERS)
    assert len(shown) == len(set(shown))
    assert {row.kind.name for row in advice()} == set(COMPILERS)


@pytest.mark.parametrize("name", list(COMPILERS))
def test_every_preset_of_every_compiler_can_be_sent(kit: Kit, name: str) -> None:
    for preset in presets_of(COMPILERS[name]):
        if preset == CUSTOM:
            continue
        sent = without_settings(kit, compiler=name, preset=preset)
        form = CompileForm(sent, pipeline=kit.pipeline)
        assert form.is_valid(), form.problems
        assert form.params() == preset_values(COMPILERS[name], preset)
        assert form.settings.filled == f"{name}/{preset}"


def test_the_presets_differ(kit: Kit) -> None:
    light, thorough = (
        CompileForm(without_settings(kit, preset=preset), pipeline=kit.pipeline).params()
        for preset in ("light", "thorough")
    )
    assert light["candidates"] < thorough["candidates"]


def test_settings_that_were_changed_by_hand_make_the_preset_custom(kit: Kit) -> None:
    filled = {PREFIX + name: v for name, v in _medium().items()}
    untouched = read(kit, **filled, preset="medium", filled="random-search/medium")
    assert untouched.settings.preset == "medium"
    changed = {**filled, f"{PREFIX}candidates": 3}
    form = read(kit, **changed, preset="medium", filled="random-search/medium")
    assert form.settings.preset == CUSTOM
    assert form.is_valid()
    assert form.params()["candidates"] == 3


def test_another_preset_fills_the_settings_anew(kit: Kit) -> None:
    changed = {f"{PREFIX}candidates": 3}
    form = read(kit, **changed, preset="light", filled="random-search/custom")
    assert form.settings.preset == "light"
    assert form.params() == preset_values(COMPILERS["random-search"], "light")


def test_custom_for_a_compiler_whose_settings_nobody_saw_is_not_started(kit: Kit) -> None:
    sent = without_settings(
        kit, compiler="bootstrap", preset=CUSTOM, filled="random-search/medium"
    )
    form = CompileForm(sent, pipeline=kit.pipeline)
    assert not form.is_valid()
    assert "were not on the page yet" in str(form.problems)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("dataset", 999_999, "not there any more"),
        ("metric", "", "Choose one from the list"),
        ("compiler", "", "Choose one from the list"),
        ("connection", "x", "not there any more"),
        ("also", ["x"], "not"),
        ("compiler", "magic", "not there any more"),
        ("teacher", "lm:nobody", "not there any more"),
        ("proposer", "77", "not there any more"),
        ("start", "f" * 64, "not there any more"),
        ("max_calls", 0, "at least 1 call"),
        ("max_calls", "many", "whole number of calls"),
        ("max_calls", 10**9, "The most is"),
        ("max_tokens", -1, "at least 1 token"),
        ("max_tokens", "1.5", "whole number of tokens"),
        ("max_cost", "free", "US dollars"),
        ("max_cost", "0", "at least $0.0001"),
        ("max_cost", "nan", "US dollars"),
        ("max_minutes", "0", "at least 0.1"),
        ("max_minutes", "soon", "number of minutes"),
        ("seed", "-1", "0 or more"),
        ("seed", "", "such as 0"),
        (f"{PREFIX}candidates", "lots", "whole number"),
        (f"{PREFIX}candidates", "-4", "greater than or equal to"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(
    kit: Kit, field: str, value: Any, says: str
) -> None:
    form = read(kit, **{field: value})
    assert not form.is_valid()
    found = form.problems
    assert len(found) == 1, found
    name, sentence, place = found[0]
    assert name
    assert place
    assert says in sentence


def test_no_cap_on_calls_is_the_usual_cap(kit: Kit) -> None:
    form = read(kit, max_calls="")
    assert form.is_valid()
    assert form.options()["max_calls"] == DEFAULT_CALLS


def test_minutes_become_seconds_and_other_caps_may_be_empty(kit: Kit) -> None:
    form = read(kit, max_minutes="1.5", max_cost="", max_tokens="5000")
    assert form.is_valid()
    options = form.options()
    assert options["max_seconds"] == 90
    assert options["max_cost"] is None
    assert options["max_tokens"] == 5000


def test_several_language_models_are_named_once_each(kit: Kit) -> None:
    other = builders.make_connection(kit.project, "other")
    form = read(kit, also=[other.pk, kit.connection.pk])
    assert form.is_valid()
    assert form.students() == [kit.connection, other]


def test_a_proposer_is_asked_for_only_where_the_compiler_asks(kit: Kit) -> None:
    other = builders.make_connection(kit.project, "other")
    form = read(kit, proposer=other.pk)
    assert form.is_valid()
    assert not form.asks
    assert form.options()["proposer"] is None
    sent = without_settings(kit, compiler="instructions", preset="light", proposer=other.pk)
    asking = CompileForm(sent, pipeline=kit.pipeline)
    assert asking.is_valid(), asking.problems
    assert asking.asks
    assert asking.options()["proposer"] == other


def test_a_teacher_is_a_language_model_or_a_compiled_program(kit: Kit) -> None:
    artifact = _artifact(kit)
    other = builders.make_connection(kit.project, "other")
    taught = read(kit, teacher=f"a:{artifact.hash}")
    assert taught.is_valid(), taught.problems
    assert taught.options()["teacher_artifact"] == artifact
    assert taught.options()["teacher"] is None
    by_lm = read(kit, teacher=f"lm:{other.slug}")
    assert by_lm.is_valid()
    assert by_lm.options()["teacher"] == other
    assert not read(kit, compiler="labeled", preset="light").teaches


def test_artifacts_of_another_pipeline_are_not_offered(kit: Kit) -> None:
    foreign = builders.make_artifact(kit.project)
    form = read(kit, start=foreign.hash)
    assert not form.is_valid()


def test_what_a_service_refuses_stands_at_its_field(kit: Kit) -> None:
    form = read(kit)
    assert form.is_valid()
    form.refuse(Invalid("Too long.", problems=[{"field": "max_seconds", "message": "x"}]))
    form.refuse(Invalid("Of another world."))
    assert ("Minutes at most", "Too long.", "id_max_minutes") in form.problems
    assert ("", "Of another world.", "") in form.problems


def test_compiling_again_fills_in_what_the_run_had(kit: Kit) -> None:
    other = builders.make_connection(kit.project, "other")
    run = kit.start(
        compiler="bootstrap", params={}, teacher=other, max_seconds=120, seed=7, max_calls=77
    )
    data = initial_data(kit.pipeline, run=run)
    form = CompileForm(data, pipeline=kit.pipeline)
    assert form.is_valid(), form.problems
    options = form.options()
    same = ("compiler", "params", "teacher", "max_seconds", "seed", "max_calls", "dataset")
    assert {name: options[name] for name in same} == {name: getattr(run, name) for name in same}


def test_compiling_again_knows_a_preset_by_its_values(kit: Kit) -> None:
    values = preset_values(COMPILERS["bootstrap"], "light")
    run = kit.start(compiler="bootstrap", params=values)
    assert initial_data(kit.pipeline, run=run)["preset"] == "light"


def _artifact(kit: Kit) -> Artifact:
    return builders.make_artifact(kit.project, version=builders.make_version(kit.pipeline))


def _medium() -> dict[str, Any]:
    values = preset_values(COMPILERS["random-search"], "medium")
    return {name: value for name, value in values.items() if value is not None}

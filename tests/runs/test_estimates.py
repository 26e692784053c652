"""What a compile would take, before it starts; and where that and the caps do not agree."""

from __future__ import annotations

from typing import Any

import pytest

from studio.engine.compilers import COMPILERS, Estimate
from studio.engine.graph import build
from studio.runs.choosing import preset_values
from studio.runs.estimates import Bar, Caps, Caution, Outlook, cautions, make_outlook
from studio.runs.models import Run
from studio.runs.states import State
from tests import builders
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db


def look(
    kit: Kit, compiler: str = "random-search", preset: str = "light", **roles: Any
) -> Outlook:
    """The outlook of a compile of the kit."""
    return make_outlook(
        program=build(kit.pipeline.spec),
        dataset=kit.dataset,
        metric=kit.metric,
        connection=kit.connection,
        compiler=compiler,
        params=preset_values(COMPILERS[compiler], preset),
        **roles,
    )


def warned(outlook: Outlook, **caps: Any) -> list[str]:
    """The sentences of the warnings."""
    return [one.sentence for one in cautions(outlook, Caps(**caps)) if one.kind == "warning"]


@pytest.mark.parametrize("name", list(COMPILERS))
def test_the_roles_add_up_to_the_whole(kit: Kit, lab: Lab, name: str) -> None:
    outlook = look(kit, name)
    assert sum(role.calls[1] for role in outlook.roles) == outlook.calls.expected
    assert outlook.calls.low <= outlook.calls.expected <= outlook.calls.high
    assert outlook.confirmation > 0


def test_each_role_is_paid_at_the_price_of_who_plays_it(kit: Kit, lab: Lab) -> None:
    teacher = builders.make_connection(kit.project, "teacher", prompt_price=10)
    outlook = look(kit, "bootstrap", teacher=teacher)
    roles = {role.role: role for role in outlook.roles}
    assert roles["teacher"].lm == "Teacher"
    assert roles["teacher"].dollars is not None
    assert roles["student"].dollars is None
    assert outlook.dollars == roles["teacher"].dollars
    assert outlook.priceless == (kit.connection.name,)


def test_without_prices_there_is_no_money_and_without_runs_no_time(kit: Kit, lab: Lab) -> None:
    outlook = look(kit)
    assert outlook.dollars is None
    assert outlook.seconds is None
    builders.make_run(
        kit.project,
        connection=kit.connection,
        state=State.SUCCEEDED,
        calls=100,
        seconds=50.0,
        tokens=40_000,
    )
    outlook = look(kit)
    assert outlook.seconds == pytest.approx([0.5 * n for n in _numbers(outlook.calls)])
    assert outlook.tokens == pytest.approx([400 * n for n in _numbers(outlook.calls)])
    assert Run.objects.count() == 1, "looking starts nothing"


def test_a_cap_below_the_least_is_a_warning_with_the_way_out(kit: Kit, lab: Lab) -> None:
    outlook = look(kit)
    (sentence,) = [one for one in warned(outlook, calls=5) if "cut short" in one]
    assert "5 calls" in sentence
    assert f"{outlook.calls.low:,} calls" in sentence
    assert f"{outlook.calls.high:,} calls" in sentence
    assert not warned(outlook, calls=10 * outlook.calls.high)


def test_a_cap_between_the_least_and_the_expected_is_told(kit: Kit, lab: Lab) -> None:
    outlook = look(kit)
    between = outlook.calls.expected - 1
    if between >= outlook.calls.low:
        told = cautions(outlook, Caps(calls=between))
        assert any("may end the search early" in one.sentence for one in told)


def test_caps_on_tokens_money_and_time_are_looked_at_too(kit: Kit, lab: Lab) -> None:
    kit.connection.prompt_price = 5
    kit.connection.save()
    builders.make_run(
        kit.project,
        connection=kit.connection,
        state=State.SUCCEEDED,
        calls=10,
        seconds=100.0,
        tokens=1000,
    )
    outlook = look(kit)
    enough = 10 * outlook.calls.high
    said = warned(outlook, calls=enough, tokens=1, dollars=0.0001, seconds=1)
    assert len(said) == 3
    assert any("1 tokens" in one for one in said)
    assert any("$" in one for one in said)
    assert any("minutes" in one for one in said)


def test_a_cap_on_money_that_cannot_hold_is_told(kit: Kit, lab: Lab) -> None:
    (sentence,) = warned(look(kit), dollars=1.0)
    assert kit.connection.name in sentence
    assert "no price" in sentence


def test_whether_the_confirmation_fits(kit: Kit, lab: Lab) -> None:
    outlook = look(kit)
    needed = outlook.confirmation
    fits = cautions(outlook, Caps(calls=100 * needed))
    assert fits == (
        Caution(
            "info",
            f"{needed:,} calls are kept for the confirmation: winner and uncompiled program on "
            "all 16 held-out examples.",
        ),
    )
    said = " ".join(warned(outlook, calls=needed))
    assert "does not fit" in said
    assert "8 of 16 examples" in said
    assert f"at least {2 * needed:,} calls" in said


def test_the_bar_stays_inside_its_picture() -> None:
    calls = Estimate(low=10, expected=20, high=30, parts={}, roles={})
    for cap in (1, 25, 10_000):
        bar = Bar.of(calls, cap)
        assert 0 <= bar.low <= bar.expected <= 100
        assert bar.low + bar.width <= 100
        assert 0 < bar.cap < 100


def _numbers(calls: Estimate) -> tuple[int, int, int]:
    return calls.low, calls.expected, calls.high

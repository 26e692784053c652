"""The parts that every page is made of."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as param
from typing import Any

import pytest
from django import forms
from django.template.loader import render_to_string

from studio.accounts.icons import ICONS
from studio.accounts.interval import LEFT, RIGHT, draw_interval
from studio.accounts.param_forms import params_form
from studio.accounts.templatetags import studio_ui
from studio.engine.params import read_params


@dataclass(frozen=True, kw_only=True)
class Params:
    """Every sort of parameter."""

    field: str = param(metadata={"label": "Field", "help": "Which one.", "required": True})
    rounds: int = param(default=3, metadata={"min": 1, "max": 5})
    rate: float | None = param(default=None, metadata={"label": "Rate", "min": 0.0})
    strict: bool = param(default=True, metadata={"label": "Strict"})
    mode: str = param(default="fast", metadata={"choices": ("fast", "slow")})


def read(**data: Any) -> forms.Form:
    form = params_form(Params)(data)
    form.is_valid()
    return form


def test_the_form_of_a_dataclass_reads_types() -> None:
    form = params_form(Params)(
        {"field": "category", "rounds": "2", "rate": "0.5", "strict": "on", "mode": "slow"}
    )
    assert form.is_valid()
    assert form.params() == {
        "field": "category",
        "rounds": 2,
        "rate": 0.5,
        "strict": True,
        "mode": "slow",
    }


def test_what_may_be_empty_is_left_out() -> None:
    form = params_form(Params)({"field": "x", "rounds": "1", "rate": "", "mode": "fast"})
    assert form.is_valid()
    assert form.params() == {"field": "x", "rounds": 1, "strict": False, "mode": "fast"}


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ({"field": "", "rounds": "1", "mode": "fast"}, "field"),
        ({"field": "x", "rounds": "9", "mode": "fast"}, "rounds"),
        ({"field": "x", "rounds": "many", "mode": "fast"}, "rounds"),
        ({"field": "x", "rounds": "1", "mode": "warp"}, "mode"),
        ({"field": "x", "rounds": "1", "rate": "-1", "mode": "fast"}, "rate"),
    ],
)
def test_the_form_refuses_what_the_metadata_refuse(data: dict[str, str], wrong: str) -> None:
    assert list(read(**data).errors) == [wrong]


def test_longer_texts_and_lists_of_names_have_boxes_of_their_own() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Longer:
        """Code, and names."""

        code: str = param(default="", metadata={"widget": "code"})
        tools: tuple[str, ...] = param(default=(), metadata={"widget": "names"})
        step: str = param(default="", metadata={"choices": ("", "predict")})

    made = params_form(Longer)
    form = made({"code": "def f():\n    pass\n", "tools": "python, search_a\n\n b ", "step": ""})
    assert form.is_valid()
    assert form.params() == {
        "code": "def f():\n    pass\n",
        "tools": ["python", "search_a", "b"],
    }
    assert read_params(Longer, form.params()).tools == ("python", "search_a", "b")
    assert "python\nsearch_a</textarea>" in str(made(initial={"tools": ("python", "search_a")}))


def test_an_interval_above_zero_is_better() -> None:
    chart = draw_interval(0.31, 0.72, 0.30, 0.52)
    assert chart.verdict == "The compiled program is better."
    assert chart.caption == "Difference +0.410, 95 % interval +0.300 to +0.520."
    assert chart.whisker is not None
    assert chart.whisker.x < chart.compiled.x < chart.whisker.end


def test_an_interval_around_zero_distinguishes_nothing() -> None:
    assert "Not distinguishable" in draw_interval(0.5, 0.52, -0.03, 0.07).verdict
    assert "worse" in draw_interval(0.5, 0.3, -0.3, -0.1).verdict


@pytest.mark.parametrize("ends", [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.98, 1.0), (0.4, 0.45)])
def test_everything_stays_inside_of_the_picture(ends: tuple[float, float]) -> None:
    chart = draw_interval(*ends, low=ends[1] - ends[0] - 0.3, high=ends[1] - ends[0] + 0.3)
    assert chart.whisker is not None
    for x in (chart.baseline.x, chart.compiled.x, chart.whisker.x, chart.whisker.end):
        assert LEFT <= x <= RIGHT


def test_a_missing_interval_is_not_drawn() -> None:
    assert draw_interval(0.5, 0.5, float("-inf"), float("inf")).whisker is None


def test_the_drawing_says_in_words_what_it_shows() -> None:
    svg = render_to_string("components/interval.html", studio_ui.interval(0.31, 0.72, 0.3, 0.52))
    assert 'role="img" aria-label="Baseline 0.310, compiled 0.720.' in svg


def test_every_icon_can_be_drawn() -> None:
    for name in ICONS:
        assert 'aria-hidden="true"' in studio_ui.icon(name)


def test_a_field_announces_its_help_and_its_error() -> None:
    form = params_form(Params)({"field": "", "rounds": "1", "mode": "fast"})
    html = render_to_string("components/field.html", {"field": form["field"]})
    assert 'aria-describedby="id_field_error id_field_helptext"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_field_error"' in html


@pytest.mark.parametrize(("value", "text"), [(0.1234, "+0.123"), (-0.03, "−0.030"), (0, "+0.000")])
def test_differences_have_signs(value: float, text: str) -> None:
    assert studio_ui.signed(value) == text


def test_other_numbers_have_words() -> None:
    assert studio_ui.score(None) == "unscored"
    assert studio_ui.score(0.5) == "0.500"
    assert studio_ui.dollars(0) == "$0"
    assert studio_ui.dollars(0.0123) == "$0.0123"
    assert studio_ui.dollars(12) == "$12.00"
    assert studio_ui.audit_words("dataset.upload") == "upload dataset"

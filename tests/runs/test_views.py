"""The compile form and the run page as a browser meets them, with JavaScript and without."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import User
from studio.engine.compilers import COMPILERS
from studio.runs.execute import execute
from studio.runs.models import Run
from studio.runs.states import State
from studio.runs.views import ASKED_PAGE
from tests import builders
from tests.runs.builders import Kit
from tests.runs.test_progress import make_race, tell

pytestmark = pytest.mark.django_db

URL = "/p/support/pipelines/triage/compile/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def vera(kit: Kit) -> Client:
    """A viewer of the project."""
    viewer = User.objects.create_user("vera")
    kit.project.memberships.create(user=viewer, role="viewer")
    client = Client()
    client.force_login(viewer)
    return client


def choice(kit: Kit, **values: Any) -> dict[str, Any]:
    """The form without settings, as it is sent when another compiler was just chosen."""
    sent = {name: v for name, v in kit.form().items() if not name.startswith("params-")}
    return {**sent, **values}


# ---- who may


@pytest.mark.parametrize("address", [URL, f"{URL}estimate/"])
def test_a_viewer_may_not_compile_and_a_stranger_finds_nothing(
    kit: Kit, vera: Client, as_charlie: Client, as_bob: Client, address: str
) -> None:
    assert vera.get(address).status_code == 403
    assert as_charlie.get(address).status_code == 404
    assert Client().get(address).status_code == 302, "to the sign-in"


@pytest.mark.parametrize("name", ["cancel", "pause", "resume"])
def test_only_authors_touch_a_run(kit: Kit, vera: Client, as_charlie: Client, name: str) -> None:
    run = kit.start()
    url = f"{run.get_absolute_url()}{name}/"
    assert vera.post(url).status_code == 403
    assert as_charlie.post(url).status_code == 404
    assert as_charlie.get(f"{run.get_absolute_url()}asked/").status_code == 404
    assert vera.get(url).status_code == 405
    page = vera.get(run.get_absolute_url()).content.decode()
    assert "Pause" not in page
    assert vera.post(URL, kit.form()).status_code == 403
    assert Run.objects.count() == 1


# ---- the form


def test_the_page_opens_with_settings_and_estimate_also_without_javascript(
    kit: Kit, as_alice: Client
) -> None:
    page = as_alice.get(URL).content.decode()
    for kind in COMPILERS.values():
        assert kind.title in page
        assert f'id="compiler-{kind.name}"' in page
    assert "about" in page.split('id="estimate"')[1]
    assert 'id="preset-light"' in page
    assert 'name="params-random-search-candidates"' in page
    assert '<noscript><button class="btn" type="submit" name="preview"' in page


def test_without_javascript_a_button_shows_the_settings_of_another_compiler(
    kit: Kit, as_alice: Client
) -> None:
    sent = choice(kit, compiler="reflect", preset="thorough", preview="1")
    answer = as_alice.post(URL, sent)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert not Run.objects.exists()
    assert 'value="reflect" checked' in page
    assert 'value="thorough" checked' in page
    assert 'name="params-reflect-' in page
    assert 'name="proposer"' in page
    assert "calls</p>" in page.split('id="estimate"')[1]


def test_a_preset_alone_is_enough_to_start(kit: Kit, as_alice: Client) -> None:
    answer = as_alice.post(URL, choice(kit, compiler="bootstrap", preset="light"))
    run = Run.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == run.get_absolute_url()
    light = COMPILERS["bootstrap"].presets["light"]
    assert {name: run.params[name] for name in light} == dict(light)


def test_roles_and_caps_reach_the_run(kit: Kit, as_alice: Client) -> None:
    other = builders.make_connection(kit.project, "other")
    sent = choice(
        kit,
        compiler="joint",
        preset="light",
        teacher="lm:other",
        proposer=other.pk,
        max_tokens=90_000,
        max_cost="1.5",
        max_minutes="2",
    )
    assert as_alice.post(URL, sent).status_code == 302
    run = Run.objects.get()
    assert (run.teacher, run.proposer) == (other, other)
    assert (run.max_tokens, run.max_cost, run.max_seconds) == (90_000, 1.5, 120)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset", "9999"),
        ("metric", "x"),
        ("connection", ""),
        ("also", "9999"),
        ("compiler", "magic"),
        ("teacher", "lm:x"),
        ("proposer", "9999"),
        ("start", "x"),
        ("max_calls", "0"),
        ("max_tokens", "0"),
        ("max_cost", "-1"),
        ("max_minutes", "-1"),
        ("seed", "x"),
        ("params-random-search-candidates", "-1"),
        ("params-random-search-candidates", "9" * 40),
        ("max_calls", "9" * 5000),
        ("max_cost", "1e400"),
        ("preset", "custom"),
    ],
)
def test_bad_input_comes_back_with_what_to_do_and_starts_nothing(
    kit: Kit, as_alice: Client, field: str, value: str
) -> None:
    sent = choice(kit) if field == "preset" else kit.form()
    if field == "preset":
        sent |= {"compiler": "knn", "filled": "random-search/medium"}
    answer = as_alice.post(URL, {**sent, field: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This cannot be compiled yet" in page
    assert 'class="text-link" href="#' in page.split("This cannot be compiled yet")[1]
    assert not Run.objects.exists()


def test_what_does_not_fit_together_is_told_before_the_start(kit: Kit, as_alice: Client) -> None:
    other = builders.make_dataset(kit.project, "other", rows=[{"text": "x"}] * 3)
    part = as_alice.get(f"{URL}estimate/", kit.form(dataset=other.pk)).content.decode()
    assert "no column for the input" in part


def test_what_is_typed_is_shown_as_text(kit: Kit, as_alice: Client) -> None:
    answer = as_alice.post(URL, kit.form(max_calls="<script>alert(1)</script>"))
    assert "<script>alert" not in answer.content.decode()


def test_the_estimate_changes_only_what_the_choice_changes(kit: Kit, as_alice: Client) -> None:
    url = f"{URL}estimate/"

    def swapped(**values: Any) -> set[str]:
        text = as_alice.get(url, values, headers=HTMX).content.decode()
        assert "<html" not in text
        assert 'id="estimate"' in text
        parts = ("presets", "settings", "roles")
        return {name for name in parts if f'id="{name}"' in text}

    same = choice(kit, preset="medium", filled="random-search/medium")
    assert swapped(**same) == set()
    assert swapped(**{**same, "preset": "light"}) == {"presets", "settings"}
    assert swapped(**{**same, "compiler": "reflect"}) == {"presets", "settings", "roles"}
    by_hand = {**kit.form(), "preset": "medium", "filled": "random-search/medium"}
    assert swapped(**by_hand) == {"presets"}, "the fields stay as they are while one types"


def test_compiling_again_opens_the_form_as_the_run_was(kit: Kit, as_alice: Client) -> None:
    run = kit.start(compiler="knn", params={}, seed=5, max_calls=321)
    page = as_alice.get(f"{URL}?run={run.pk}").content.decode()
    assert 'value="knn" checked' in page
    assert 'value="321"' in page
    for wrong in ("x", "00000000-0000-0000-0000-000000000000"):
        assert as_alice.get(f"{URL}?run={wrong}").status_code == 404
    assert as_alice.get(f"{URL}?artifact=x").status_code == 404


# ---- the run


def test_a_run_is_paused_and_resumed(kit: Kit, as_alice: Client) -> None:
    run = kit.start()
    url = run.get_absolute_url()
    assert as_alice.post(f"{url}pause/").status_code == 302
    page = as_alice.get(url).content.decode()
    assert "Paused" in page
    assert "Resume" in page
    assert "every 3s" in page
    part = as_alice.post(f"{url}resume/", headers=HTMX).content.decode()
    assert "<html" not in part
    assert "Paused." not in part
    assert 'id="run-actions"' in part
    run.refresh_from_db()
    assert run.state == State.QUEUED
    assert as_alice.post(f"{url}resume/").status_code == 409


def test_the_buttons_are_drawn_anew_only_when_something_changed(
    kit: Kit, as_alice: Client
) -> None:
    url = kit.start().get_absolute_url()
    same = as_alice.get(f"{url}?live&was=queued-", headers=HTMX).content.decode()
    changed = as_alice.get(f"{url}?live&was=running-", headers=HTMX).content.decode()
    assert 'id="run-actions"' not in same, "an open dialog stays open"
    assert 'id="run-actions"' in changed


def test_the_race_names_reasons_parents_and_the_rest_on_demand(kit: Kit, as_alice: Client) -> None:
    run = kit.start()
    make_race(run, dict.fromkeys(range(40), (0.5, 8)))
    tell(run, "candidate-scored", number=3, dropped=True, note="dropped after 8 <b>examples</b>")
    tell(run, "candidate-made", number=2, demos=4, parents=[0, 1])
    url = run.get_absolute_url()
    page = as_alice.get(url).content.decode()
    assert "Show the other" in page
    whole = as_alice.get(f"{url}?all").content.decode()
    assert whole.count('role="rowheader"') == 40
    assert "&amp;all" in whole, "the next poll asks for all as well"
    assert "Dropped after 8 &lt;b&gt;examples" in whole
    assert '<a class="text-link" href="#candidate-1">1</a>' in whole
    assert "Who came from whom" in whole
    assert "A note." in whole


def test_polling_takes_the_same_queries_for_one_candidate_and_for_many(
    kit: Kit, as_alice: Client, django_assert_max_num_queries: Any
) -> None:
    for count in (1, 64):
        run = kit.start()
        make_race(run, dict.fromkeys(range(count), (0.5, 3)))
        with django_assert_max_num_queries(12):
            as_alice.get(f"{run.get_absolute_url()}?live&was=queued-", headers=HTMX)


def test_questions_come_as_inert_text_and_go_on_where_they_were(
    kit: Kit, as_alice: Client
) -> None:
    run = kit.start(compiler="instructions", params={})
    asked = {"role": "proposer", "purpose": "a better instruction", "path": "classify"}
    for number in range(ASKED_PAGE + 2):
        answer = {"instruction": f"<img src=x onerror=alert({number})>"} if number else {}
        tell(run, "asked", **asked, answer=answer, problem="" if number else "Not readable.")
    url = run.get_absolute_url()
    page = as_alice.get(url).content.decode()
    assert f'<span id="asked-count">{ASKED_PAGE + 2}</span>' in page
    assert "<img" not in page
    assert "&lt;img src=x" in page
    assert "Not readable." in page
    assert "Show more questions" in page
    rest = as_alice.get(f"{url}asked/?after={ASKED_PAGE}", headers=HTMX).content.decode()
    assert rest.count("<details") == 2
    assert "every 3s" in rest
    assert as_alice.get(f"{url}asked/?after=x").status_code == 200


def test_what_earlier_runs_saved_is_told(kit: Kit, as_alice: Client) -> None:
    run = kit.start()
    Run.objects.filter(pk=run.pk).update(saved={"runs": 240, "answers": 3, "calls": 260})
    page = as_alice.get(run.get_absolute_url()).content.decode()
    assert "Took over 240 scored examples and 3 answers of the proposer" in page
    assert "260 calls saved" in page


def test_the_report_says_in_words_what_came_of_it(kit: Kit, as_alice: Client) -> None:
    run = kit.start()
    execute(run.pk)
    run.refresh_from_db()
    interval = {"value": -0.2, "low": -0.3, "high": -0.1}
    run.report |= {
        "sentence": "Worse, and how.",
        "difference": interval,
        "p_value": 0.000001,
        "dev_gain": {"value": 0.1, "low": -0.1, "high": 0.3},
        "candidates": 9,
        "against_release": {
            "baseline": 0.5,
            "compiled": 0.6,
            "difference": {"value": 0.1, "low": 0.05, "high": 0.15},
            "sentence": "Better than the release.",
            "p_value": 0.03,
        },
    }
    run.save()
    page = as_alice.get(run.get_absolute_url()).content.decode()
    assert "Worse than uncompiled" in page
    assert "Worse, and how." in page
    assert "p &lt; 0.0001" in page
    assert "the best of 9" in page
    assert "Better than the release." in page
    assert "Against the current release" in page


def test_a_report_of_an_earlier_day_still_shows(kit: Kit, as_alice: Client) -> None:
    run = kit.compile()
    for name in ("sentence", "dev_gain", "against_release", "p_value", "candidates"):
        run.report.pop(name, None)
    run.save()
    page = as_alice.get(run.get_absolute_url())
    assert page.status_code == 200
    assert 'id="result"' in page.content.decode()

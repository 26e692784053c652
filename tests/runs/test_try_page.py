"""The page of a try: what each step read, did and answered."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project
from studio.engine.messages import Usage
from studio.engine.trace import Step
from studio.runs.models import Run
from studio.runs.states import State
from tests import builders

pytestmark = pytest.mark.django_db


def step(**parts: Any) -> dict[str, Any]:
    """A step as a run's report keeps it."""
    fields: dict[str, Any] = {
        "path": "classify",
        "inputs": {"message": "Two invoices."},
        "outputs": {"category": "billing"},
        "prompt": "Sort the message.",
        "answer": "billing",
        "scores": {},
        "usage": Usage(calls=1),
    }
    return Step(**{**fields, **parts}).to_dict()


def page_of(project: Project, client: Client, *steps: dict[str, Any]) -> str:
    run = builders.make_run(
        project,
        kind=Run.Kind.TRY,
        state=State.SUCCEEDED,
        params={"inputs": {"message": "Two invoices."}},
        report={"outputs": {"category": "billing"}, "steps": list(steps)},
    )
    return client.get(run.get_absolute_url()).content.decode()


def test_a_step_that_asks_shows_what_the_lm_read(project: Project, as_bob: Client) -> None:
    page = page_of(project, as_bob, step())
    assert "What the LM read" in page
    assert "1 call<" in page
    assert "from the cache" not in page
    assert "not taken" not in page
    assert "Why it was asked again" not in page


def test_a_step_without_a_prompt_shows_its_inputs_and_outputs(
    project: Project, as_bob: Client
) -> None:
    search = step(
        path="answer.search",
        prompt="",
        answer="",
        inputs={"query": "invoice <b>May</b>"},
        outputs={"passages": ["One.", "Two."], "found": True},
        usage=Usage(),
    )
    page = page_of(project, as_bob, search)
    assert "What the LM read" not in page
    assert "from the cache" not in page
    assert "invoice &lt;b&gt;May" in page
    assert '<span class="tag tag-in">query</span>' in page
    assert "[&quot;One.&quot;, &quot;Two.&quot;]" in page


def test_an_answer_that_cost_no_call_is_from_the_cache(project: Project, as_bob: Client) -> None:
    assert "from the cache" in page_of(project, as_bob, step(usage=Usage()))


def test_an_attempt_that_was_not_taken_is_marked(project: Project, as_bob: Client) -> None:
    page = page_of(project, as_bob, step(discarded=True), step())
    assert page.count('<span class="tag">not taken</span>') == 1


def test_complaints_are_listed(project: Project, as_bob: Client) -> None:
    complaints = ("“category” is missing.", "“<i>” is no category.")
    page = page_of(project, as_bob, step(retries=2, problems=complaints, usage=Usage(calls=3)))
    assert "3 calls, asked again 2 times" in page
    assert "Why it was asked again" in page
    assert '<li class="break-words">“category” is missing.</li>' in page
    assert "“&lt;i&gt;” is no category." in page
    once = page_of(project, as_bob, step(retries=1, problems=complaints[:1]))
    assert "1 call, asked again once" in once


def test_a_step_of_an_older_report_still_shows(project: Project, as_bob: Client) -> None:
    old = {name: value for name, value in step().items() if name != "discarded"}
    assert "What the LM read" in page_of(project, as_bob, old)

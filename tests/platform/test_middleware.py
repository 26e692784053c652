"""What happens around every request."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import get_resolver

from studio.accounts.models import User
from studio.engine.errors import SignatureError
from studio.errors import Conflict, Invalid, NotAllowed
from studio.middleware import ProblemPages


def answer(error: Exception, *, htmx: bool = False, user: Any = None) -> HttpResponse | None:
    """What a person gets when a view raises `error`."""
    request: Any = RequestFactory().get("/somewhere/")
    request.user = user or AnonymousUser()
    request.htmx = htmx

    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return ProblemPages(view).process_exception(request, error)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotAllowed("Ask an admin."), 403),
        (Conflict("Ask an admin."), 409),
        (SignatureError("Ask an admin."), 422),
    ],
)
def test_a_problem_is_a_page_with_its_status_and_its_sentence(
    error: Exception, status: int, alice: User
) -> None:
    page = answer(error, user=alice)
    assert page is not None
    assert page.status_code == status
    text = page.content.decode()
    assert "<html" in text
    assert "Ask an admin." in text


def test_htmx_gets_an_alert_for_the_place_where_alerts_go(alice: User) -> None:
    page = answer(Invalid("This is wrong.", problems=["And that, too."]), htmx=True, user=alice)
    assert page is not None
    assert page.status_code == 422
    assert page.headers["HX-Retarget"] == "#problems"
    text = page.content.decode()
    assert "<html" not in text
    assert "This is wrong." in text
    assert "And that, too." in text


def test_what_people_typed_is_escaped(alice: User) -> None:
    for htmx in (False, True):
        page = answer(Invalid("<script>", problems=["<b>"]), htmx=htmx, user=alice)
        assert page is not None
        text = page.content.decode()
        assert "&lt;script&gt;" in text
        assert "<b>" not in text


def test_our_own_mistakes_are_left_to_django() -> None:
    assert answer(ZeroDivisionError()) is None


def test_every_page_says_that_only_our_own_scripts_run(db: Any, client: Client) -> None:
    policy = client.get("/sign-in/").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


OPEN = {"health", "sign-in", "schema", "predict"}
"""What answers without a session: the API answers 401 by itself, or takes keys."""


def test_every_page_needs_a_sign_in(db: Any, client: Client) -> None:
    checked = 0
    for pattern, names in addresses():
        if names[-1] in OPEN or pattern.startswith("api/"):
            continue
        answer = client.get(f"/{pattern}")
        assert answer.status_code in {302, 405}, pattern
        if answer.status_code == 302:
            assert "/sign-in/" in answer.headers["Location"], pattern
            checked += 1
    assert checked > 20


def addresses(resolver: Any = None, prefix: str = "") -> list[tuple[str, list[str]]]:
    """All addresses with made-up values in the places of their arguments."""
    values = {
        "slug": "x",
        "uuid": "00000000-0000-0000-0000-000000000001",
        "int": "1",
        "str": "x",
    }
    found = []
    # The admin brings its own sign-in.
    for entry in (resolver or get_resolver()).url_patterns:
        if str(entry.pattern) == "admin/":
            continue
        text = re.sub(
            r"<(?:(\w+):)?\w+>", lambda m: values[m.group(1) or "str"], str(entry.pattern)
        )
        if hasattr(entry, "url_patterns"):
            found += addresses(entry, prefix + text)
        else:
            found.append((prefix + text, [entry.name or ""]))
    return found

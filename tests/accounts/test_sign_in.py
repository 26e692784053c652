"""Signing in and out, and how often one may guess."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from studio.accounts import attempts
from studio.accounts.models import FailedSignIn, User
from tests.builders import PASSWORD

URL = "/sign-in/"


def try_to_sign_in(client: Client, password: str = "wrong", name: str = "alice") -> int:
    return client.post(URL, {"username": name, "password": password}).status_code


def test_the_page_shows_the_form(client: Client, db: None) -> None:
    page = client.get(URL)
    assert page.status_code == 200
    assert 'name="password"' in page.content.decode()


def test_the_right_password_leads_to_where_one_wanted_to_go(client: Client, alice: User) -> None:
    answer = client.post(
        f"{URL}?next=/projects/", {"username": "alice", "password": PASSWORD, "next": "/projects/"}
    )
    assert answer.status_code == 302
    assert answer["Location"] == "/projects/"


def test_nobody_is_sent_to_another_site(client: Client, alice: User) -> None:
    answer = client.post(
        URL, {"username": "alice", "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer["Location"] == "/"


def test_a_wrong_password_gets_a_sentence(client: Client, alice: User) -> None:
    page = client.post(URL, {"username": "alice", "password": "wrong"})
    assert page.status_code == 422
    assert "do not fit together" in page.content.decode()


def test_guessing_ends_after_a_few_attempts_even_with_the_right_password(
    client: Client, alice: User
) -> None:
    codes = [try_to_sign_in(client) for _ in range(attempts.PAIR_LIMIT)]
    assert set(codes) == {422}
    page = client.post(URL, {"username": "Alice ", "password": PASSWORD})
    assert page.status_code == 429
    assert "Wait a quarter of an hour" in page.content.decode()
    assert "_auth_user_id" not in client.session


def test_the_block_ends(client: Client, alice: User) -> None:
    for _ in range(attempts.PAIR_LIMIT):
        try_to_sign_in(client)
    FailedSignIn.objects.update(at=timezone.now() - attempts.WINDOW - timedelta(seconds=1))
    assert try_to_sign_in(client, PASSWORD) == 302


def test_one_guesser_does_not_lock_out_a_person_elsewhere(client: Client, alice: User) -> None:
    for _ in range(attempts.PAIR_LIMIT):
        try_to_sign_in(client)
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert try_to_sign_in(elsewhere, PASSWORD) == 302


def test_an_address_that_tries_many_names_is_stopped(client: Client, alice: User) -> None:
    for number in range(attempts.ADDRESS_LIMIT):
        attempts.note_failure(name=f"name{number}", address="127.0.0.1")
    assert try_to_sign_in(client, PASSWORD) == 429


def test_the_right_password_forgives(client: Client, alice: User) -> None:
    for _ in range(attempts.PAIR_LIMIT - 1):
        try_to_sign_in(client)
    assert try_to_sign_in(client, PASSWORD) == 302
    assert not FailedSignIn.objects.exists()


def test_what_was_typed_as_a_name_is_not_kept(client: Client, db: None) -> None:
    try_to_sign_in(client, name="my secret password")
    assert "secret" not in FailedSignIn.objects.get().name


def test_signing_out_needs_a_post(as_alice: Client) -> None:
    assert as_alice.get("/sign-out/").status_code == 405
    assert as_alice.post("/sign-out/")["Location"] == URL
    assert as_alice.get("/projects/").status_code == 302


@pytest.mark.parametrize("path", ["/", "/projects/", "/p/support/", "/p/support/members/"])
def test_without_signing_in_there_is_only_the_form(client: Client, db: None, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith(URL)

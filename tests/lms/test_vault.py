"""Keys at rest."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from studio.errors import Invalid
from studio.lms.vault import decrypt, encrypt


def test_what_is_stored_does_not_hold_the_key() -> None:
    stored = encrypt("sk-secret")
    assert "sk-secret" not in stored
    assert decrypt(stored) == "sk-secret"


def test_the_same_key_is_stored_differently_each_time() -> None:
    assert encrypt("sk-secret") != encrypt("sk-secret")


def test_no_key_stays_no_key() -> None:
    assert encrypt("") == ""
    assert decrypt("") == ""


def test_another_secret_cannot_read_it_and_says_what_to_do(settings: Settings) -> None:
    stored = encrypt("sk-secret")
    settings.SECRET_KEY = "another"
    with pytest.raises(Invalid, match="Enter the key again"):
        decrypt(stored)


def test_secrets_can_be_changed_one_after_the_other(settings: Settings) -> None:
    old = encrypt("sk-secret")
    settings.STUDIO_ENCRYPTION_KEYS = ["new secret"]
    new = encrypt("sk-secret")
    assert decrypt(old) == decrypt(new) == "sk-secret"
    settings.SECRET_KEY = "another"
    assert decrypt(new) == "sk-secret"
    with pytest.raises(Invalid):
        decrypt(old)

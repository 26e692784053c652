"""Keys are shown once, kept as hashes, and can be taken back."""

from __future__ import annotations

import pytest
from django.test import Client

from studio.accounts.models import Project, User
from studio.errors import Conflict, Invalid, NotAllowed
from studio.serving import services
from studio.serving.models import ApiKey

pytestmark = pytest.mark.django_db


def test_a_key_is_shown_once_and_kept_as_a_hash(project: Project, as_alice: Client) -> None:
    made = as_alice.post("/p/support/keys/", {"name": "web shop"}).content.decode()
    key = ApiKey.objects.get()
    secret = "cs_" + made.split('id="secret">cs_')[1].split("<")[0]
    assert services.find_key(secret) == key
    assert key.hash == services.digest(secret)
    later = as_alice.get("/p/support/keys/").content.decode()
    assert secret not in later
    assert key.prefix in later


def test_a_revoked_key_is_not_found(project: Project, alice: User, as_alice: Client) -> None:
    key, secret = services.create_key(actor=alice, project=project, name="web shop")
    assert as_alice.post(f"/p/support/keys/{key.pk}/revoke/").status_code == 302
    assert services.find_key(secret) is None
    with pytest.raises(Conflict):
        services.revoke_key(actor=alice, key=key)


def test_only_admins_make_keys(project: Project, bob: User) -> None:
    with pytest.raises(NotAllowed, match="admin"):
        services.create_key(actor=bob, project=project, name="mine")


def test_a_key_needs_a_name(project: Project, alice: User, as_alice: Client) -> None:
    with pytest.raises(Invalid):
        services.create_key(actor=alice, project=project, name="  ")
    assert as_alice.post("/p/support/keys/", {"name": ""}).status_code == 422
    assert not ApiKey.objects.exists()

"""Keys for callers: made, shown once, recognised, revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from studio.accounts.models import Project, Role, User
from studio.accounts.services import record, require
from studio.errors import Conflict, Invalid
from studio.serving.models import ApiKey

MARK = "cs_"
_SHOWN = len(MARK) + 6
_NOTE_USE_EVERY = timedelta(minutes=1)


@transaction.atomic
def create_key(*, actor: User, project: Project, name: str) -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can read again later."""
    require(user=actor, project=project, role=Role.ADMIN)
    name = name.strip()
    if not name:
        raise Invalid(
            "Give the key a name that says who will call with it.",
            problems=[{"field": "name", "message": "It is empty."}],
        )
    secret = MARK + secrets.token_urlsafe(32)
    while ApiKey.objects.filter(prefix=secret[:_SHOWN]).exists():
        secret = MARK + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        project=project,
        name=name[:60],
        prefix=secret[:_SHOWN],
        hash=digest(secret),
        created_by=actor,
    )
    record(project=project, actor=actor, action="key.create", subject=str(key))
    return key, secret


@transaction.atomic
def revoke_key(*, actor: User, key: ApiKey) -> ApiKey:
    """Refuse the key from now on."""
    require(user=actor, project=key.project, role=Role.ADMIN)
    key = ApiKey.objects.select_for_update().get(pk=key.pk)
    if key.revoked_at is not None:
        raise Conflict(f"The key {key} is revoked already.")
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    record(project=key.project, actor=actor, action="key.revoke", subject=str(key))
    return key


def find_key(secret: str) -> ApiKey | None:
    """The key with this secret, unless there is none or it is revoked."""
    if not secret.startswith(MARK):
        return None
    # Looking up a hash of 256 random bits tells an attacker nothing by its timing.
    key = ApiKey.objects.filter(hash=digest(secret), revoked_at=None).select_related("project")
    return key.first()


def note_use(key: ApiKey) -> None:
    """Remember that the key was used; at most once a minute, so that calls stay cheap."""
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > _NOTE_USE_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


def digest(secret: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

"""How often somebody may try to sign in with a wrong password."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.crypto import salted_hmac

from studio.accounts.models import FailedSignIn

WINDOW = timedelta(minutes=15)
PAIR_LIMIT = 6
"""Failures of one name from one address: a person who forgot."""
ADDRESS_LIMIT = 40
"""Failures from one address under any name; an office shares one."""
NAME_LIMIT = 100
"""Failures of one name from anywhere."""


def is_blocked(*, name: str, address: str) -> bool:
    """Whether no further attempt is looked at for now, right or wrong."""
    recent = FailedSignIn.objects.filter(at__gt=timezone.now() - WINDOW)
    hashed = _hashed(name)
    return (
        recent.filter(name=hashed, address=address).count() >= PAIR_LIMIT
        or recent.filter(address=address).count() >= ADDRESS_LIMIT
        or recent.filter(name=hashed).count() >= NAME_LIMIT
    )


def note_failure(*, name: str, address: str) -> None:
    """Remember a failure, and forget those that count no more."""
    FailedSignIn.objects.filter(at__lte=timezone.now() - WINDOW).delete()
    FailedSignIn.objects.create(name=_hashed(name), address=address[:64])


def forget_failures(*, name: str, address: str) -> None:
    """After the right password: this person is no guesser."""
    FailedSignIn.objects.filter(name=_hashed(name), address=address).delete()


def _hashed(name: str) -> str:
    key = name.strip().casefold()
    return salted_hmac("studio.accounts.attempts", key, algorithm="sha256").hexdigest()

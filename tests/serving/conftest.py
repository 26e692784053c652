"""Fixtures for tests of serving: something is released."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from studio.accounts.models import User
from studio.reviews import releases, services
from studio.reviews.models import Release, Review
from studio.serving import api, predict
from tests.reviews.conftest import artifact, kit, lab, review

__all__ = ["artifact", "kit", "lab", "review"]


@pytest.fixture
def release(review: Review, bob: User) -> Release:
    """The artifact, approved by bob and released as production."""
    services.accept_rest(actor=bob, review=review)
    services.approve(actor=bob, review=review, hash=review.artifact.hash)
    return releases.release(actor=bob, artifact=review.artifact)


@pytest.fixture(autouse=True)
def _fresh_process() -> Iterator[None]:
    """Forget programs, LMs and callers of other tests."""
    predict.forget()
    api.throttle.clear()
    yield
    predict.forget()
    api.throttle.clear()

"""The states of a review and the only ways between them."""

from __future__ import annotations

from django.db import models


class State(models.TextChoices):
    """Where a review stands."""

    OPEN = "open", "In review"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    SUPERSEDED = "superseded", "Superseded"

    @property
    def is_final(self) -> bool:
        """Nothing follows."""
        return not MOVES[self]


MOVES: dict[str, frozenset[str]] = {
    State.OPEN: frozenset({State.APPROVED, State.REJECTED, State.SUPERSEDED}),
    State.APPROVED: frozenset({State.SUPERSEDED}),
    State.REJECTED: frozenset(),
    State.SUPERSEDED: frozenset(),
}

"""What the studio raises when a person can do something about it.

StudioError        400
├── NotAllowed     403
├── NotFound       404
├── Conflict       409
├── Invalid        422 (may carry a list of problems)
└── NoRoom         507
"""

from __future__ import annotations

from typing import Any


class StudioError(Exception):
    """This cannot be done."""

    status = 400
    code = "error"

    def __init__(self, message: str = "", *, problems: list[Any] | None = None, **extra: Any):
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.problems = problems or []
        self.extra = extra
        """More for the API's answer, JSON."""


class NotAllowed(StudioError):
    """You may not do this."""

    status = 403
    code = "not-allowed"


class NotFound(StudioError):
    """There is no such thing, or it is not yours to see."""

    status = 404
    code = "not-found"


class Conflict(StudioError):
    """Somebody else has changed this since you opened it."""

    status = 409
    code = "conflict"


class Invalid(StudioError):
    """This is not valid."""

    status = 422
    code = "invalid"


class NoRoom(StudioError):
    """The studio's disk is full."""

    status = 507
    code = "no-room"

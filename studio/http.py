"""The request as our views get it, and the API's sign-in by session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from studio.accounts.models import User


class StudioRequest(HttpRequest):
    """A request of somebody who has signed in, as the middleware leaves it.

    Never made: the class only tells a type checker what `user` and `htmx` are.
    """

    user: User
    htmx: HtmxDetails


class SessionSignIn(SessionAuthentication):
    """The browser's session; whoever has none is told 401, not 403."""

    def authenticate_header(self, request: Request) -> str:
        """What DRF needs to answer 401."""
        return "Session"

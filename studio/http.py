"""The request as our views get it, files that they stream, and the API's sign-in by session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
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


def download(
    request: HttpRequest, lines: Iterable[str], *, name: str, content_type: str
) -> StreamingHttpResponse:
    """A file that is written while it is sent, so that it may be as long as one likes."""
    body = iter(lines)
    return StreamingHttpResponse(
        _in_chunks(body) if isinstance(request, ASGIRequest) else body,
        content_type=f"{content_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _in_chunks(lines: Iterator[str], size: int = 200) -> AsyncIterator[bytes]:
    """The lines, several at a time: an iterator that is not async would be read whole first."""

    def take() -> bytes:
        return "".join(islice(lines, size)).encode()

    while chunk := await sync_to_async(take)():
        yield chunk

"""What happens around every request: the security policy, and problems as pages."""

from __future__ import annotations

from collections.abc import Callable

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import sync_and_async_middleware

from studio.engine.errors import EngineError
from studio.errors import Invalid, StudioError

Get = Callable[[HttpRequest], HttpResponseBase]


@sync_and_async_middleware
def content_security_policy(get_response: Get) -> Get:
    """Tell browsers to run nothing that is not one of our own files."""
    rules = settings.CONTENT_SECURITY_POLICY.items()
    policy = "; ".join(f"{name} {value}" for name, value in rules)

    def add(response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Security-Policy", policy)
        return response

    if iscoroutinefunction(get_response):

        async def middleware_async(request: HttpRequest) -> HttpResponseBase:
            return add(await get_response(request))

        return middleware_async  # type: ignore[return-value]

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return add(get_response(request))

    return middleware


def as_studio_error(error: Exception) -> StudioError | None:
    """The error as one that has a status; None when it is not for people."""
    if isinstance(error, StudioError):
        return error
    if isinstance(error, EngineError):
        return Invalid(str(error), problems=list(getattr(error, "problems", ())))
    return None


class ProblemPages:
    """Turns `StudioError` and `EngineError` into a page, or into an alert for htmx."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Get) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The answer for an error that a person can do something about."""
        problem = as_studio_error(error)
        if problem is None:
            return None
        return problem_page(request, problem)


def problem_page(request: HttpRequest, problem: StudioError) -> HttpResponse:
    """The problem as a page of its own, or as an alert in the page that htmx shows."""
    by_htmx = bool(getattr(request, "htmx", False))
    template = "problem.html#alert" if by_htmx else "problem.html"
    response = render(request, template, {"problem": problem}, status=problem.status)
    if by_htmx:
        response.headers["HX-Retarget"] = "#problems"
        response.headers["HX-Reswap"] = "innerHTML"
    return response

"""`POST …/releases/<label>/predict`: the door for callers, on the event loop of the web server."""

from __future__ import annotations

import json
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from studio.errors import Invalid, StudioError
from studio.serving.models import ApiKey
from studio.serving.predict import find_release, predict, read_body
from studio.serving.services import find_key
from studio.serving.throttle import Throttle

LARGEST_BODY = 1_000_000
"""Bytes."""

throttle = Throttle(settings.SERVE_CALLS_PER_MINUTE)


class NoKey(StudioError):
    """Send your key as “Authorization: Bearer cs_…”; an admin makes keys on the keys page."""

    status = 401
    code = "no-key"


class TooLarge(StudioError):
    """The body is larger than 1 MB."""

    status = 413
    code = "too-large"


class TooMany(StudioError):
    """There were too many calls with this key."""

    status = 429
    code = "too-many"


class PostOnly(StudioError):
    """Call this address by POST."""

    status = 405
    code = "post-only"


@csrf_exempt
@login_not_required
async def predict_view(
    request: HttpRequest, project: str, pipeline: str, label: str
) -> JsonResponse:
    """`{"inputs": {…}}` in, `{"outputs": {…}, "artifact": hash, "release": label}` out."""
    try:
        if request.method != "POST":
            raise PostOnly
        key = await _key(request)
        body = _body(request)
        served = await sync_to_async(find_release)(
            key=key, project=project, pipeline=pipeline, label=label
        )
        outputs = await predict(served, key, read_body(served.program, body))
    except StudioError as error:
        return _problem(error)
    return JsonResponse(
        {"outputs": outputs, "artifact": served.release.artifact.hash, "release": label}
    )


async def _key(request: HttpRequest) -> ApiKey:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NoKey
    key = await sync_to_async(find_key)(secret.strip())
    if key is None:
        raise NoKey("This key is not known, or it was revoked.")
    wait = throttle.wait(key.pk)
    if wait:
        raise TooMany(
            f"There were too many calls with this key. Try again in {wait:.0f} s.",
            retry_after=max(1, round(wait)),
        )
    return key


def _body(request: HttpRequest) -> Any:
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > LARGEST_BODY:
        raise TooLarge
    try:
        data = request.body
    except RequestDataTooBig:
        raise TooLarge from None
    if len(data) > LARGEST_BODY:
        raise TooLarge
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise Invalid("The body is not JSON.") from None


def _problem(error: StudioError) -> JsonResponse:
    body: dict[str, Any] = {"message": str(error), "code": error.code, **error.extra}
    if error.problems:
        body["problems"] = error.problems
    response = JsonResponse(body, status=error.status)
    if "retry_after" in error.extra:
        response.headers["Retry-After"] = str(error.extra["retry_after"])
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.status == 405:
        response.headers["Allow"] = "POST"
    return response

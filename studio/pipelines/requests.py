"""What the doors for the canvas read out of a request: who asks, about what, with which body."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig
from rest_framework.request import Request

from studio.accounts.models import Role, User
from studio.errors import Invalid
from studio.pipelines.models import Pipeline
from studio.pipelines.services import MOST_BYTES, get_pipeline

_MOST_BODY = 2 * MOST_BYTES
"""A spec with escapes and spaces is longer on the wire."""


def user_of(request: Request) -> User:
    """Who asks: nobody else gets through to a door."""
    assert isinstance(request.user, User)
    return request.user


def find_pipeline(request: Request, project: str, slug: str, role: Role = Role.VIEWER) -> Pipeline:
    """The pipeline that is asked about, for whoever has at least `role`. Raises `NotFound`."""
    return get_pipeline(user=user_of(request), project=project, slug=slug, role=role)


def read_body(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises `Invalid` with a sentence for anything else."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > _MOST_BODY:
        raise Invalid(f"The request is {int(length):,} bytes long; {_MOST_BODY:,} is the most.")
    try:
        body = json.loads(request.body)
        json.dumps(body, ensure_ascii=False).encode()
    except RequestDataTooBig:
        raise Invalid(f"The request is too long; {_MOST_BODY:,} bytes is the most.") from None
    except UnicodeEncodeError:
        # JSON may write half of a surrogate pair, which no answer and no database can hold.
        raise Invalid("The request holds half a character, which no text can in UTF-8.") from None
    except (ValueError, RecursionError):
        raise Invalid("The request is not JSON: send a JSON object in UTF-8.") from None
    if not isinstance(body, dict):
        raise Invalid("The request must be a JSON object.")
    return body


def read_base(body: dict[str, Any], *, what: str) -> int:
    """The `base_revision` of a body, for `what` it is needed. Raises `Invalid`."""
    base = body.get("base_revision")
    if not isinstance(base, int) or isinstance(base, bool) or not 0 <= base < 2**31:
        raise Invalid(f"{what} names its base_revision, a whole number: the revision it read.")
    return base

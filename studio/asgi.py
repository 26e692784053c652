"""The web application, for an ASGI server."""

from __future__ import annotations

import os
import warnings

from django.conf import settings
from django.core.asgi import get_asgi_application

from studio.body_limit import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")

# Static files come from an iterator that is not async, so Django reads each one whole. They are
# small, and browsers keep them.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")

_ROOM_FOR_THE_FORM = 2**20
"""Bytes that a form has around its file."""

application = BodyLimit(
    get_asgi_application(), settings.STUDIO_MAX_UPLOAD_MB * 2**20 + _ROOM_FOR_THE_FORM
)

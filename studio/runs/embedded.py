"""The embedded LM for a command: the one that runs already, or one for as long as it takes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings

from studio.engine.lm.embedded_server import running_server
from studio.errors import Invalid
from studio.lms.services import embedded_endpoint


@contextlib.contextmanager
def embedded_lm() -> Iterator[None]:
    """Inside, the embedded LM answers. Raises `LMUnavailable` when it cannot be started."""
    if _answers():
        yield
        return
    before = settings.EMBEDDED_LM_URL
    with _server() as endpoint:
        settings.EMBEDDED_LM_URL = endpoint
        try:
            yield
        finally:
            settings.EMBEDDED_LM_URL = before


def _answers() -> bool:
    """Whether something listens where the embedded LM is said to be."""
    try:
        address = urlsplit(embedded_endpoint())
        with socket.create_connection((address.hostname or "", address.port or 80), timeout=1):
            return True
    except (Invalid, OSError, ValueError):
        return False


@contextlib.contextmanager
def _server() -> Iterator[str]:
    """A server of our own, watched by an event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="embedded-lm", daemon=True)
    thread.start()
    manager = running_server(settings.STUDIO_DATA_DIR / "models")
    try:
        endpoint = asyncio.run_coroutine_threadsafe(manager.__aenter__(), loop).result()
        try:
            yield endpoint
        finally:
            asyncio.run_coroutine_threadsafe(manager.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

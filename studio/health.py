"""`/health/`: which parts of the studio answer. For monitors, and for `quickstart`'s patience.

Nobody has to sign in, so it tells nothing but which part answers and which does not. Whoever
looks after the site, signed in, also reads what is wrong with installed extensions.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse
from kombu.exceptions import KombuError

from studio.celery import app
from studio.engine.compilers import COMPILERS
from studio.engine.extensions import Table
from studio.engine.formats import FORMATS
from studio.engine.metrics import METRICS
from studio.engine.modules import MODULES

logger = logging.getLogger(__name__)

PATIENCE = 0.45
"""Seconds for each part."""
REMEMBERED = 5.0
"""Seconds for which an answering worker is not asked again."""
FORGIVEN = 15.0
"""Seconds for which a worker that has just answered may be too busy to do so again."""

TABLES: tuple[Table[Any], ...] = (MODULES, METRICS, FORMATS, COMPILERS)
"""What other packages may add to."""

_asking = threading.Lock()
_worker_answered_at = float("-inf")


@login_not_required
def health(request: HttpRequest) -> JsonResponse:
    """Whether web, worker, database, broker and LM answer: 200, or 503 with the same body."""
    others: dict[str, Callable[[], bool]] = {
        "broker": broker_answers,
        "worker": worker_answers,
        "lm": lm_answers,
    }
    with ThreadPoolExecutor(max_workers=len(others)) as pool:
        asked = {name: pool.submit(answers) for name, answers in others.items()}
        parts = {"web": True, "database": database_answers()}
        parts |= {name: future.result() for name, future in asked.items()}
    ok = all(parts.values())
    body: dict[str, Any] = {"ok": ok, **{name: {"ok": part} for name, part in parts.items()}}
    body["extensions"] = extensions(request, told=parts["database"])
    response = JsonResponse(body, status=200 if ok else 503)
    response.headers["Cache-Control"] = "no-store"
    return response


def extensions(request: HttpRequest, *, told: bool) -> dict[str, Any]:
    """Whether everything that other packages bring could be taken; what was left out, for staff.

    The studio works without what was left out, so this makes nobody's monitor ring. `told` says
    whether anybody can be recognised now.
    """
    problems = [problem.message for table in TABLES for problem in table.problems()]
    found: dict[str, Any] = {"ok": not problems}
    if told and request.user.is_staff:
        found["problems"] = problems
    return found


def database_answers() -> bool:
    """Whether the database answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.warning("The database does not answer.", exc_info=True)
        return False
    return True


def broker_answers() -> bool:
    """Whether messages can be sent."""

    def declare(broker: Any) -> bool:
        with broker.channel() as channel:
            channel.queue_declare(app.conf.task_default_queue, durable=True)
        return True

    return asked_broker(declare)


def worker_answers() -> bool:
    """Whether at least one worker does."""
    global _worker_answered_at

    def ping(broker: Any) -> bool:
        return bool(app.control.ping(timeout=PATIENCE, limit=1, connection=broker))

    with _asking:
        if time.monotonic() - _worker_answered_at < REMEMBERED:
            return True
        if asked_broker(ping):
            _worker_answered_at = time.monotonic()
        return time.monotonic() - _worker_answered_at < FORGIVEN


def asked_broker(question: Callable[[Any], bool]) -> bool:
    """The answer to a question to the broker; no if it cannot be reached."""
    broker: Any = app.connection_for_write(connect_timeout=PATIENCE)
    errors = (*broker.connection_errors, *broker.channel_errors, OSError, sqlite3.Error)
    try:
        with broker:
            broker.ensure_connection(max_retries=0, timeout=PATIENCE)
            return question(broker)
    except (KombuError, *errors):
        logger.warning("The broker does not answer.", exc_info=True)
        return False


def lm_answers() -> bool:
    """Whether the embedded LM does; without one there is nothing that could be broken."""
    endpoint = settings.EMBEDDED_LM_URL
    if not endpoint:
        try:
            text = (settings.STUDIO_DATA_DIR / "lm.json").read_text(encoding="utf-8")
            endpoint = str(json.loads(text)["endpoint"])
        except FileNotFoundError:
            return True
        except (OSError, ValueError, KeyError, TypeError):
            return False
    address = endpoint.rstrip("/").removesuffix("/v1") + "/health"
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError, urllib.error.URLError):
        return False

"""The Celery application: `celery -A studio.celery worker`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_shutting_down

from studio.broker.transport import Transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")

app = Celery("studio")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_shutting_down.connect
def wait_for_no_more_messages(**_: Any) -> None:
    """Celery would wait for two more rounds of two seconds."""
    Transport.ending.set()

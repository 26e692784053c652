"""A Celery broker in one SQLite file, for machines without a server."""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES

TRANSPORT_ALIASES["sqlite3broker"] = "studio.broker.transport:Transport"

"""The sandbox of this process: one pool for whoever runs people's code."""

from __future__ import annotations

from functools import cache

from studio.engine.sandbox import MontySandbox


@cache
def shared_sandbox() -> MontySandbox:
    """It starts its workers when it is first used, and ends them with this process."""
    return MontySandbox()

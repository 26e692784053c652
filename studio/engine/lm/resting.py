"""What the stores on servers share: a server that is down is left alone for a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, TypeVar

from studio.engine.errors import EngineError

T = TypeVar("T")

log = logging.getLogger(__name__)

WAIT_S = 2.0
"""How long one look into a store may take. Asking the LM anew is what it competes with."""

_REST_S = 15.0


class Resting:
    """Does what is asked, or gives None; after a failure nothing is tried for some seconds.

    Without the rest, each call of an LM would wait for a server that is not there.
    """

    def __init__(self, what: str, failures: tuple[type[Exception], ...]) -> None:
        self._what = what
        self._failures: tuple[type[Exception], ...] = (
            *failures,
            OSError,
            TimeoutError,
            ValueError,
        )
        self._not_before = 0.0

    @property
    def awake(self) -> bool:
        """Whether something would be tried now."""
        return time.monotonic() >= self._not_before

    async def run(self, do: Callable[[], Awaitable[T]]) -> T | None:
        """What `do` gives; None when it fails or is not tried."""
        if not self.awake:
            return None
        try:
            return await do()
        except self._failures as error:
            self._not_before = time.monotonic() + _REST_S
            log.warning(
                "%s cannot be reached (%s), and is left alone for %g s.",
                self._what,
                type(error).__name__,
                _REST_S,
            )
            return None


def optional(module: str, package: str) -> Any:
    """A module that only some of us need. Raises `EngineError` that says what to install."""
    try:
        return import_module(module)
    except ImportError:
        raise EngineError(
            f"This needs the Python package “{package}”: pip install {package}"
        ) from None

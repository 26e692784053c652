"""The sandbox on pydantic-monty: an interpreter of its own, in processes of its own.

The interpreter knows no files, no network, no environment and few modules; its processes start
with an empty environment. It is driven by the library's blocking client in a few threads, which
takes half the time of its asyncio client.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from studio.engine.errors import SandboxError, SandboxLimit, SandboxUnavailable
from studio.engine.sandbox.base import (
    DEFAULT_LIMITS,
    LONGEST_CODE,
    CodeProblem,
    HostFunction,
    Limits,
    Outcome,
)
from studio.engine.sandbox.host_calls import Answer, HostCall
from studio.engine.sandbox.session import MOST_PROCESSES, Session

if TYPE_CHECKING:
    from pydantic_monty import Monty

_BUSY_AFTER_S = 60.0
_GRACE_S = 0.5
"""How long a process may go on after the limit on time before it is killed from outside."""
_RUNS_PER_PROCESS = 2_000
_CHECK_LIMITS = Limits(seconds=1.0, output_chars=1_000)

_MOST_LEVELS = 3
_LEVEL: ContextVar[int] = ContextVar("sandbox_level", default=0)
"""How many runs wait, each in a host function of the one before, for what runs now."""

_STARTED: set[int] = set()
"""The processes, this one and those it was forked from, in which the library has threads."""


class MontySandbox:
    """Code in processes that start when first needed; `aclose` ends them.

    It belongs to no event loop. At most `processes` pieces of code run at once; the others wait.
    """

    def __init__(self, *, processes: int = 0) -> None:
        self._processes = processes or max(1, os.cpu_count() or 1)
        self._workers: dict[int, _Workers] = {}
        self._lock = threading.Lock()

    async def run(
        self,
        code: str,
        inputs: Mapping[str, Any],
        *,
        functions: Mapping[str, HostFunction] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Outcome:
        """See `Sandbox.run`."""
        _check_length(code)
        _check_names(inputs)
        return await self._run(code, inputs, functions or {}, limits)

    async def _run(
        self,
        code: str,
        inputs: Mapping[str, Any],
        functions: Mapping[str, HostFunction],
        limits: Limits,
    ) -> Outcome:
        workers = self._ready()
        session = Session(workers.pool, functions, limits)
        workers.running.add(session)
        try:
            loop = asyncio.get_running_loop()
            turn = await loop.run_in_executor(workers.starting, session.begin, code, inputs)
            while isinstance(turn, HostCall):
                answer = await _answer(turn)
                turn = await loop.run_in_executor(workers.going_on, session.resume, answer)
            return turn
        except BaseException:
            workers.drop(session)
            raise
        finally:
            workers.running.discard(session)

    async def check(self, code: str) -> tuple[CodeProblem, ...]:
        """What keeps `code` from running, as far as reading it tells: the first problem, or none.

        Nothing of it is run: it is read as the body of a function that nobody calls.
        """
        try:
            _check_length(code)
            lines = re.split(r"\r\n|\r|\n", code.replace("\f", " "))
            body = "\n".join(f" {line}" for line in lines)
            await self._run(f"async def _():\n pass\n{body}", {}, {}, _CHECK_LIMITS)
        except SandboxError as error:
            line = error.line and min(max(1, error.line - 2), len(lines))
            message = str(error).removeprefix(f"Line {error.line}: ")
            return (CodeProblem(message.removeprefix("SyntaxError: "), line),)
        return ()

    async def aclose(self) -> None:
        """See `Sandbox.aclose`. Code that still runs fails."""
        with self._lock:
            levels, self._workers = list(self._workers.values()), {}
        for workers in levels:
            if workers.pid == os.getpid():
                await asyncio.to_thread(workers.close)

    def _ready(self) -> _Workers:
        """The workers of this level: code that waits for other code must not take its place."""
        level = _LEVEL.get()
        if level >= _MOST_LEVELS:
            raise SandboxError("Code that runs code that runs code goes no deeper.")
        with self._lock:
            if level not in self._workers or self._workers[level].pid != os.getpid():
                self._workers[level] = _Workers(self._processes)
            return self._workers[level]


class _Workers:
    """The threads and processes of one process of ours."""

    def __init__(self, processes: int) -> None:
        self.pid = os.getpid()
        # Apart, because a start may have to wait until another run goes on and ends.
        self.starting = ThreadPoolExecutor(processes, thread_name_prefix="sandbox")
        self.going_on = ThreadPoolExecutor(processes, thread_name_prefix="sandbox")
        self.running: set[Session] = set()
        self._pool: Monty | None = None
        self._lock = threading.Lock()

    def pool(self) -> Monty:
        """The library's pool, which starts a process when one is first needed."""
        with self._lock:
            if self._pool is None:
                self._pool = _start()
            return self._pool

    def drop(self, session: Session) -> None:
        """End a run in the middle; does not wait."""
        session.kill()
        try:
            self.going_on.submit(session.close)
        except RuntimeError:  # The threads have been ended by `close`.
            session.close()

    def close(self) -> None:
        for session in list(self.running):
            session.kill()
        for threads in (self.starting, self.going_on):
            threads.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            if self._pool is not None:
                self._pool.__exit__(None, None, None)


async def _answer(call: HostCall) -> Answer:
    level = _LEVEL.set(_LEVEL.get() + 1)
    try:
        return await call.answer()
    finally:
        _LEVEL.reset(level)


def _start() -> Monty:
    if _STARTED - {os.getpid()}:
        # A fork does not copy the library's threads: the child would wait for them for ever.
        raise SandboxUnavailable(
            "This process was forked from one that has used the sandbox. "
            "Use the sandbox after forking only, or start processes without forking."
        )
    try:
        from pydantic_monty import Monty
    except ImportError:
        raise SandboxUnavailable("pydantic-monty is not installed: no code can run.") from None
    _STARTED.add(os.getpid())
    pool = Monty(
        min_processes=0,
        max_processes=MOST_PROCESSES,
        checkout_timeout=_BUSY_AFTER_S,
        max_checkouts_per_worker=_RUNS_PER_PROCESS,
        feed_duration_limit_grace=_GRACE_S,
    )
    try:
        pool.__enter__()
    except (OSError, RuntimeError):
        raise SandboxUnavailable("The sandbox's process does not start.") from None
    return pool


def _check_length(code: str) -> None:
    if len(code) > LONGEST_CODE:
        raise SandboxLimit(
            f"The code has {len(code):,} characters; {LONGEST_CODE:,} are the most."
        )


def _check_names(inputs: Mapping[str, Any]) -> None:
    wrong = next((name for name in inputs if not name.isidentifier()), None)
    if wrong is not None:
        raise SandboxError(f"“{wrong}” cannot be the name of a variable.")

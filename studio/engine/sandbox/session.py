"""One run: a process of the pool from its checkout until it is given back."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from studio.engine.errors import SandboxLimit, SandboxUnavailable
from studio.engine.sandbox.base import (
    DEEPEST_CALLS,
    MOST_CALLS,
    HostFunction,
    Limits,
    Outcome,
)
from studio.engine.sandbox.explain import explain, too_much_printed
from studio.engine.sandbox.host_calls import Answer, HostCall
from studio.engine.sandbox.json_values import check_input, read_out

if TYPE_CHECKING:
    from pydantic_monty import Monty, MontySession

_MEGABYTE = 1 << 20
MOST_PROCESSES = 32
"""Alive at once, with those whose code waits for a function's answer."""
_RESERVE_MB = 512
"""What a process may map beyond the code's own memory, before the kernel refuses it more."""


class Session:
    """Runs one piece of code; `begin` and `resume` block, so they belong into a thread.

    Each of them returns the outcome, or the call of an async function whose answer `resume`
    takes. Raises `SandboxError`. It closes itself when the code ends or fails.
    """

    def __init__(
        self,
        pool: Callable[[], Monty],
        functions: Mapping[str, HostFunction],
        limits: Limits,
    ) -> None:
        self._pool, self._functions, self._limits = pool, functions, limits
        self._printed: list[str] = []
        self._printed_chars = 0
        self._session: MontySession | None = None
        self._pid: int | None = None
        self._step: Any = None
        self._lock = threading.Lock()
        self._cancelled = False

    def begin(self, code: str, inputs: Mapping[str, Any]) -> Outcome | HostCall:
        """Run until the end, or until an async function is called."""
        import pydantic_monty as monty

        check_input("The input", inputs)
        with self._closing_on_failure():
            session = self._open()
            try:
                self._step = session.feed_start(
                    code,
                    inputs=dict(inputs),
                    external_lookup=dict(self._functions),
                    print_callback=self._hear,
                )
                return self._drive()
            except monty.MontyError as error:
                raise self._explained(error) from None

    def resume(self, answer: Answer) -> Outcome | HostCall:
        """Go on with the answer of the call."""
        import pydantic_monty as monty

        with self._closing_on_failure():
            try:
                self._step = self._step.resume(answer)
                return self._drive()
            except monty.MontyError as error:
                raise self._explained(error) from None

    def kill(self) -> None:
        """End the process of a run that is in the middle of something."""
        with self._lock:
            self._cancelled = True
            if self._pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        """Give the process back; it keeps nothing of this run."""
        with self._lock:
            session, self._session, self._pid = self._session, None, None
        if session is not None:
            session.__exit__(None, None, None)

    def _open(self) -> MontySession:
        limits = self._limits
        session = _entered(
            lambda: self._pool().checkout(
                limits={
                    "max_feed_duration_secs": limits.seconds,
                    "max_memory": limits.memory_mb * _MEGABYTE,
                    "max_recursion_depth": DEEPEST_CALLS,
                    "max_suspensions": MOST_CALLS,
                },
                # Nobody waits in here, and the same code with the same inputs draws the same
                # numbers.
                os_policy={"sleep": "zero", "random_start": {"seed": 0}},
            )
        )
        with self._lock:
            self._session, self._pid = session, session.worker_pid
            if self._cancelled and self._pid is not None:
                os.kill(self._pid, signal.SIGKILL)
        if self._pid is not None:
            _bolt(self._pid, limits)
        return session

    def _drive(self) -> Outcome | HostCall:
        import pydantic_monty as monty

        while True:
            step = self._step
            if isinstance(step, monty.MontyComplete):
                outcome = self._outcome(step.output)
                self.close()
                return outcome
            if isinstance(step, monty.FunctionSnapshot):
                if step.is_os_function:
                    self._step = step.resume_not_handled()
                    continue
                function = self._functions.get(step.function_name)
                if function is not None:
                    call = HostCall(step.function_name, function, step.args, step.kwargs)
                    answer: Any = call.at_once()
                    if answer is None:
                        return call
                    self._step = step.resume(answer)
                    continue
            self._step = step.resume_auto()

    def _outcome(self, value: Any) -> Outcome:
        left = self._limits.output_chars - self._printed_chars
        if left < 0:
            raise too_much_printed(self._limits)
        # None says that there is no value: it is no output.
        found = None if value is None else read_out(value, most_chars=left)[0]
        return Outcome(found, "".join(self._printed))

    def _hear(self, stream: str, text: str) -> None:
        """Keep what is printed, and end the process that prints without end."""
        self._printed_chars += len(text)
        if self._printed_chars > self._limits.output_chars:
            self.kill()
            return
        self._printed.append(text)

    def _explained(self, error: Any) -> Exception:
        if self._printed_chars > self._limits.output_chars:
            return too_much_printed(self._limits)
        if self._cancelled:
            return SandboxUnavailable("The sandbox was closed while the code ran.")
        return explain(error, self._limits)

    @contextlib.contextmanager
    def _closing_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if isinstance(error, SandboxLimit):
                # It may hold much memory, and was stopped in the middle of something.
                self.kill()
            self.close()
            raise


def _entered(checkout: Callable[[], MontySession]) -> MontySession:
    """A session with a process that lives: one that died while idle is left for the next."""
    import pydantic_monty as monty

    for _ in range(MOST_PROCESSES + 1):
        session = checkout()
        try:
            session.__enter__()
        except monty.MontyCrashedError:
            continue
        except TimeoutError:
            raise SandboxUnavailable(
                "All processes of the sandbox wait for functions that their code has called."
            ) from None
        except (OSError, RuntimeError, monty.MontyError):
            break
        return session
    raise SandboxUnavailable("The sandbox's process does not start.")


def _bolt(pid: int, limits: Limits) -> None:
    """Take from a process what a hole in its interpreter would open, where the kernel helps.

    No more files or sockets, no bytes into files, no core dump; and a bound on its memory beyond
    which it ends.
    """
    import resource

    if not hasattr(resource, "prlimit"):
        return
    most = (limits.memory_mb + _RESERVE_MB) * _MEGABYTE
    for kind, bounds in (
        (resource.RLIMIT_NOFILE, (0, 0)),
        (resource.RLIMIT_FSIZE, (0, 0)),
        (resource.RLIMIT_CORE, (0, 0)),
        (resource.RLIMIT_AS, (most, resource.RLIM_INFINITY)),
    ):
        with contextlib.suppress(OSError):
            resource.prlimit(pid, kind, bounds)

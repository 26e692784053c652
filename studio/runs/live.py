"""How far each step of a try is, and what the LM has written: told while it runs, kept after."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from studio.engine.codec import canonical_json
from studio.engine.messages import Usage
from studio.engine.modules.inside import drawn_inside
from studio.engine.program import Program
from studio.engine.rehearsal import DONE, FAILED, RUNNING, SKIPPED, WAITING, NodeNews
from studio.engine.trace import Step
from studio.runs.storable import storable

SHOWN_TEXT = 2_000
"""Letters of what the LM wrote, the last ones."""
SHOWN_VALUE = 4_000
"""Letters of a value while the run goes on; the report has all of them."""


@dataclass(frozen=True, slots=True)
class _Node:
    """How far one step is, at the top or inside of another one."""

    state: str
    text: str = ""
    heard: str = ""
    """The path of the predictor that wrote the text."""
    begun: float | None = None
    seconds: float = 0.0
    usage: Usage = field(default_factory=Usage)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    def to_dict(self, now: float) -> dict[str, Any]:
        running = self.state == RUNNING and self.begun is not None
        return {
            "state": self.state,
            "text": self.text,
            "seconds": round(now - (self.begun or now) if running else self.seconds, 3),
            "cost": self.usage.cost,
            "calls": self.usage.calls,
            "outputs": dict(self.outputs),
            "error": self.error,
        }


class Live:
    """What is known of a try so far. Used in one event loop, and never waits.

    `skipped` are the steps of the drawing that are no part of the program which runs.
    """

    def __init__(
        self,
        program: Program,
        skipped: Iterable[str] = (),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._clock = clock
        self._nodes = {name: _Node(SKIPPED) for name in skipped}
        self._nodes |= {place.name: _Node(WAITING) for place in program.places}
        self._inner = drawn_inside(program)
        self._above: dict[str, list[str]] = {}
        self._steps: dict[str, tuple[Step, ...]] = {place.name: () for place in program.places}
        self.changed = asyncio.Event()

    def hear(self, news: NodeNews) -> None:
        """Take what a rehearsal tells of a step."""
        node = self._nodes[news.name]
        self._nodes[news.name] = replace(
            node,
            state=news.state,
            begun=self._clock() if news.state == RUNNING else node.begun,
            seconds=news.seconds,
            usage=news.usage,
            outputs=news.outputs,
            error=news.error,
        )
        self._steps[news.name] = news.steps
        self._tell_inside(news)
        self.changed.set()

    def write(self, path: str, piece: str) -> None:
        """Take a piece of text that the predictor at `path` has got from an LM."""
        for name in self._steps_above(path):
            node = self._nodes.get(name) or _Node(RUNNING, begun=self._clock())
            before = node.text if node.heard == path else ""
            self._nodes[name] = replace(node, text=(before + piece)[-SHOWN_TEXT:], heard=path)
        self.changed.set()

    def stop(self, why: str) -> None:
        """The try ends before its steps have ended: none of them runs or waits any more."""
        now = self._clock()
        for name, node in self._nodes.items():
            if node.state in (RUNNING, WAITING):
                seconds = now - node.begun if node.begun is not None else 0.0
                self._nodes[name] = replace(node, state=SKIPPED, seconds=seconds, error=why)

    def snapshot(self) -> dict[str, Any]:
        """What is shown while it runs: `{"nodes": …}`, long values cut."""
        nodes = self._told()
        for node in nodes.values():
            node["outputs"] = {name: _short(value) for name, value in node["outputs"].items()}
        return dict(storable({"nodes": nodes}))

    def report(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """What is kept: `{"outputs", "steps", "nodes"}`."""
        steps = [step.to_dict() for steps in self._steps.values() for step in steps]
        return dict(storable({"outputs": dict(outputs), "steps": steps, "nodes": self._told()}))

    def _told(self) -> dict[str, dict[str, Any]]:
        now = self._clock()
        return {name: node.to_dict(now) for name, node in self._nodes.items()}

    def _steps_above(self, path: str) -> list[str]:
        """The drawn steps in which a path lies, the outermost first."""
        if path not in self._above:
            self._above[path] = [
                name
                for name in (*self._steps, *self._inner)
                if path == name or path.startswith(f"{name}.")
            ]
        return self._above[path]

    def _tell_inside(self, news: NodeNews) -> None:
        """What the end of a step says of those inside of it."""
        if news.state not in (DONE, FAILED):
            return
        for name in self._inside.get(news.name, ()):
            node = self._nodes.get(name)
            steps = [one for one in news.steps if name in self._steps_above(one.path)]
            if news.state == FAILED:
                if node is not None:
                    seconds = self._clock() - (node.begun or 0.0)
                    self._nodes[name] = replace(node, state=FAILED, seconds=seconds)
                continue
            own = [one for one in steps if one.path == name and not one.discarded]
            self._nodes[name] = replace(
                node or _Node(SKIPPED),
                state=DONE if steps else SKIPPED,
                seconds=0.0,
                usage=sum((one.usage for one in steps), Usage()),
                outputs=own[-1].outputs if own else {},
            )

    @cached_property
    def _inside(self) -> dict[str, list[str]]:
        """For each step at the top those that are drawn inside of it."""
        found: dict[str, list[str]] = {}
        for path in self._inner:
            found.setdefault(self._steps_above(path)[0], []).append(path)
        return found


def _short(value: Any) -> Any:
    """A value as it is, or the beginning of it as text."""
    text = value if isinstance(value, str) else canonical_json(value)
    return value if len(text) <= SHOWN_VALUE else f"{text[:SHOWN_VALUE]}…"

"""What an agent thought, did and saw so far, as one text of bounded length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.codec import canonical_json
from studio.engine.tools.toolbox import cut_middle

EMPTY = "Nothing has been done yet."
_SHORT = 200
"""Characters that are left of an observation which had to make room."""


class Trajectory:
    """Turns, written as they come.

    An observation has at most `observation_chars` characters; when the whole is longer than
    `most_chars`, the oldest observations are shortened first, and then the oldest turns go.
    """

    def __init__(self, observation_chars: int, most_chars: int) -> None:
        self._observation_chars = observation_chars
        self._most_chars = most_chars
        self._turns: list[tuple[str, str]] = []
        """For each turn what was done, and what was seen."""
        self._text = ""
        self._gone = 0
        self._seen: dict[tuple[str, str], tuple[int, str]] = {}

    def __len__(self) -> int:
        return self._gone + len(self._turns)

    @property
    def text(self) -> str:
        """All of it, for a prompt."""
        return self._text or EMPTY

    def bound(self, observation: str) -> str:
        """The observation at the length that it may have."""
        return cut_middle(observation, self._observation_chars)

    def told(self, tool: str, arguments: Mapping[str, Any], observation: str) -> str:
        """The observation, with a note when the very same call was made before."""
        call = (tool, canonical_json(dict(arguments)))
        before = self._seen.get(call)
        if before is None:
            self._seen[call] = (len(self) + 1, observation)
            return observation
        number, answer = before
        if answer == observation:
            return (
                f"You made this very call in step {number}, and its answer is the same as there. "
                "Do something else, or finish."
            )
        return f"(You made this very call in step {number}, too.)\n{observation}"

    def add(self, thought: str, tool: str, arguments: Mapping[str, Any], observation: str) -> None:
        """One more turn, with an observation that is bounded already."""
        call = self.bound(canonical_json(dict(arguments)))
        number = len(self) + 1
        done = (
            f"Thought {number}: {_indented(self.bound(thought))}\n"
            f"Tool {number}: {tool}\nArguments {number}: {call}"
        )
        self._append(done, f"\nObservation {number}: {_indented(observation)}")

    def note(self, thought: str) -> None:
        """A last thought without a call."""
        self._append(f"Thought {len(self) + 1}: {_indented(self.bound(thought))}", "")

    def _append(self, done: str, seen: str) -> None:
        self._turns.append((done, seen))
        self._text = f"{self._text}\n\n{done}{seen}" if self._text else done + seen
        if len(self._text) > self._most_chars:
            self._shorten()

    def _shorten(self) -> None:
        for index, (done, seen) in enumerate(self._turns[:-1]):
            if len(self._text) <= self._most_chars:
                return
            if len(seen) > _SHORT:
                self._turns[index] = (done, cut_middle(seen, _SHORT))
                self._text = self._joined()
        while len(self._text) > self._most_chars and len(self._turns) > 1:
            del self._turns[0]
            self._gone += 1
            self._text = self._joined()

    def _joined(self) -> str:
        text = "\n\n".join(done + seen for done, seen in self._turns)
        return f"(The first {self._gone} steps are left out.)\n\n{text}" if self._gone else text


def _indented(text: str) -> str:
    """Lines of a value stand deeper than ours, so that no page can write a turn of its own."""
    return text.strip().replace("\n", "\n  ")

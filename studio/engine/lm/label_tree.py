"""Labels as a tree of tokens: an LM need only be asked about the places where they part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One way on from a place."""

    tokens: Tokens
    """The next token; for a label that ends here, every token that ends a label."""
    labels: tuple[str, ...]
    """The labels that go this way."""


@dataclass(frozen=True, slots=True)
class LabelTree:
    """`labels` with the tokens of each, no two alike; `ends` are the tokens that end a label."""

    labels: Mapping[str, Tokens]
    ends: Tokens

    def branches(self, place: Tokens) -> tuple[Branch, ...]:
        """The ways on after the tokens `place`, in the order of the labels."""
        ways: dict[int | None, list[str]] = {}
        for label, tokens in self.labels.items():
            if tokens[: len(place)] == place:
                following = tokens[len(place)] if len(tokens) > len(place) else None
                ways.setdefault(following, []).append(label)
        return tuple(
            Branch(self.ends if token is None else (token,), tuple(labels))
            for token, labels in ways.items()
        )

    def partings(self) -> tuple[Tokens, ...]:
        """The places with two ways on or more, the shallow ones first."""
        places = {
            tokens[:length] for tokens in self.labels.values() for length in range(len(tokens) + 1)
        }
        parting = [place for place in places if len(self.branches(place)) > 1]
        return tuple(sorted(parting, key=lambda place: (len(place), place)))

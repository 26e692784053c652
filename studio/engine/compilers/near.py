"""Examples whose inputs are nearly the same: other spaces, other punctuation, a typo.

Whoever has one of two such examples among its demos knows the answer to the other one. Another
number makes another example, and so do other words: a paraphrase is no near duplicate.

Two texts are compared by the pairs of neighbouring words that they share (shingles, and a sketch
of the lowest hashes where there are many: Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900)
after typos are forgiven. Only texts that share two of their rarest words are compared at all
(prefix filtering: Bayardo, Ma and Srikant 2007, https://doi.org/10.1145/1242572.1242591).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from heapq import nsmallest
from itertools import pairwise
from typing import Any
from zlib import crc32

from studio.engine.codec import canonical_json
from studio.engine.compilers.plain import TOKEN as _TOKEN
from studio.engine.compilers.plain import plain as _plain
from studio.engine.compilers.selecting import inputs_key
from studio.engine.example import Candidate, Example
from studio.engine.modules.inside import pinned_inputs
from studio.engine.program import Program
from studio.engine.signature import Field

ALIKE = 0.8
"""The part of all pairs of neighbouring words that two texts share at the least.

So of 60 pairs of a training and a test text of BANKING77 (10,003 and 3,080 texts), of which one
has two labels and none is a paraphrase. With 0.7 these come in: 203 pairs, 17 with two labels.
"""
FEWEST = 4
"""Texts with fewer words than this have to be equal: each word counts."""
TYPOS = 4
"""Of so many words one may be mistyped."""
_SKETCHED = 128
"""Of longer texts only so many pairs of words are kept, always those with the lowest hashes."""
_KEYS = 8
"""By so many of them a long text is found."""
_MIX = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


class NearDuplicates:
    """Which examples are nearly the same, for the inputs of one program.

    Each example is read once, however many candidates there are. Text inputs may differ a little,
    all others have to be equal.
    """

    def __init__(self, program: Program, train: Iterable[Example] = ()) -> None:
        self._program = program
        self._train = {example.id: example for example in train}
        self._texts = [field.name for field in program.inputs if field.type.bare.kind == "str"]
        self._others = [field.name for field in program.inputs if field.name not in self._texts]
        self._place_of: dict[str, int | None] = {}
        """By the id of an example, or the inputs of a demo: its place in `_items`."""
        self._by_key: dict[str, int] = {}
        self._items: list[_Item] = []
        self._near: list[set[int]] = []
        """By place, the places of all that is nearly the same, itself among them."""
        self._found_by: defaultdict[str | int, list[int]] = defaultdict(list)

    def not_own(self, candidate: Candidate, examples: Sequence[Example]) -> list[Example]:
        """The examples that a candidate may be scored on: none that its demos give away.

        Those that are pinned to the program's steps are every candidate's own.
        """
        examples = self._without_pinned(examples)
        places = [self._place(example) for example in examples]
        sources = candidate.demo_sources
        demos = [demo for state in candidate.states.values() for demo in state.demos]
        given = {self._place(self._train[source]) for source in sources & set(self._train)}
        given |= {self._place_of_values(demo.values) for demo in demos}
        near = self._all_near(given)
        return [
            example
            for example, place in zip(examples, places, strict=True)
            if example.id not in sources and place not in near
        ]

    def not_like(self, others: Iterable[Example], examples: Sequence[Example]) -> list[Example]:
        """The examples that are nearly the same as none of the others."""
        others = list(others)
        places = [self._place(example) for example in examples]
        near = self._all_near({self._place(example) for example in others})
        ids = {example.id for example in others}
        return [
            example
            for example, place in zip(examples, places, strict=True)
            if example.id not in ids and place not in near
        ]

    def _without_pinned(self, examples: Sequence[Example]) -> Sequence[Example]:
        for near, demos in self._pinned:
            examples = near.not_like(demos, examples)
        return examples

    @cached_property
    def _pinned(self) -> list[tuple[NearDuplicates, list[Example]]]:
        """The pinned demos, by the inputs that they speak of; only these are compared.

        A demo that says neither all inputs nor the one that tells examples apart gives none away.
        """
        inputs = self._program.inputs
        needed = {field.name for field in inputs if field.required}
        found: defaultdict[frozenset[str], list[Example]] = defaultdict(list)
        for values in pinned_inputs(self._program):
            if needed <= set(values) or self._told_apart_by[0] in values:
                found[frozenset(values)].append(Example(values))
        train = self._train.values()
        return [
            (NearDuplicates(replace(self._program, inputs=_only(inputs, names)), train), demos)
            for names, demos in found.items()
        ]

    def _all_near(self, places: set[int | None]) -> set[int]:
        return {near for place in places if place is not None for near in self._near[place]}

    def _place(self, example: Example) -> int | None:
        if example.id not in self._place_of:
            self._place_of[example.id] = self._place_of_values(example.values)
        return self._place_of[example.id]

    def _place_of_values(self, values: Mapping[str, Any]) -> int | None:
        """None where inputs are missing, as they are in the demos of a later step."""
        key = inputs_key(self._program, values)
        if key not in self._place_of:
            self._place_of[key] = self._add(values) if key else None
        return self._place_of[key]

    def _add(self, values: Mapping[str, Any]) -> int:
        texts = {name: _Text.of(str(values.get(name) or "")) for name in self._texts}
        others = _folded([values.get(name) for name in self._others])
        item = _Item(others, tuple(texts.values()))
        if item.key in self._by_key:
            return self._by_key[item.key]
        place = self._by_key[item.key] = len(self._items)
        self._items.append(item)
        self._near.append({place})
        name, counts = self._told_apart_by
        if name:
            keys = list(_keys(texts[name], counts))
            shared = Counter(place for key in keys for place in self._found_by[key])
            for other, count in shared.items():
                if count > 1 and item.is_near(self._items[other]):
                    self._near[place].add(other)
                    self._near[other].add(place)
            for key in keys:
                self._found_by[key].append(place)
        return place

    @cached_property
    def _told_apart_by(self) -> tuple[str, Counter[str]]:
        """The text input that differs the most, and in how many training examples a word is."""
        found: dict[str, set[str]] = {
            name: {_plain(str(item.values.get(name) or "")) for item in self._train.values()}
            for name in self._texts
        }
        if not found:
            return "", Counter()
        name = max(found, key=lambda name: len(found[name]))
        return name, Counter(word for text in found[name] for word in set(_TOKEN.findall(text)))


def read_alike(one: str, other: str) -> bool:
    """Whether two texts are nearly the same."""
    return _Text.of(one).is_near(_Text.of(other))


def _only(fields: Iterable[Field], names: Collection[str]) -> tuple[Field, ...]:
    return tuple(field for field in fields if field.name in names)


@dataclass(frozen=True, slots=True)
class _Item:
    """The inputs of an example."""

    others: str
    texts: tuple[_Text, ...]

    @property
    def key(self) -> str:
        return "\n".join([self.others, *(text.key for text in self.texts)])

    def is_near(self, other: _Item) -> bool:
        return self.others == other.others and all(
            mine.is_near(its) for mine, its in zip(self.texts, other.texts, strict=True)
        )


@dataclass(frozen=True, slots=True)
class _Text:
    """What is compared of a text."""

    key: str
    """Equal for texts that are equal up to case, spaces and punctuation."""
    marks: tuple[str, ...]
    """Numbers and symbols."""
    size: int
    """In words, numbers and symbols."""
    words: tuple[str, ...]
    """All of them; empty for a long text."""
    pairs: frozenset[int]
    """Hashes of the pairs of neighbours; of a long text the lowest."""

    @classmethod
    def of(cls, text: str) -> _Text:
        words = _TOKEN.findall(_plain(text))
        marks = tuple(word for word in words if not word[0].isalpha())
        key = "".join(word if word[0].isalpha() else f" {word} " for word in words)
        long = len(words) > _SKETCHED
        pairs = _pairs(words)
        return cls(
            key=blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
            marks=marks,
            size=len(words),
            words=() if long else tuple(words),
            pairs=frozenset(nsmallest(_SKETCHED, pairs)) if long else frozenset(pairs),
        )

    def is_near(self, other: _Text) -> bool:
        if self.key == other.key:
            return True
        fewest, most = sorted((self.size, other.size))
        if fewest < FEWEST or fewest < ALIKE * most - 1 or self.marks != other.marks:
            return False
        if self.words and other.words:
            return self._reads_like(other) or other._reads_like(self)
        both = set(nsmallest(_SKETCHED, self.pairs | other.pairs))
        return len(both & self.pairs & other.pairs) >= ALIKE * len(both)

    def _reads_like(self, other: _Text) -> bool:
        """Whether they are alike once the typos of this one are put right."""
        words = _without_typos(self.words, other.words)
        return words is not None and _shared(_pairs(words), other.pairs) >= ALIKE


def _keys(text: _Text, counts: Mapping[str, int]) -> Iterator[str | int]:
    """Of two texts that are nearly the same, at least two keys are equal."""
    yield from (text.key, f"{text.key}=")
    if text.size < FEWEST:
        return
    if text.words:
        # So many words at the most are not in the other one; of two more, two are.
        room = int((1 - ALIKE) * (text.size + 1) + text.size / TYPOS) + 2
        seen: Counter[str] = Counter()
        numbered = []
        for word in text.words:
            seen[word] += 1
            numbered.append((counts.get(word, 0), word, seen[word]))
        yield from (f"{word} {number}" for _, word, number in nsmallest(room, numbered))
    if text.size > _SKETCHED * ALIKE:
        yield from nsmallest(_KEYS, text.pairs)


def _shared(some: Iterable[int], others: Iterable[int]) -> float:
    """Jaccard's index."""
    mine, its = set(some), set(others)
    return len(mine & its) / max(1, len(mine | its))


def _pairs(words: Sequence[str]) -> set[int]:
    """A number for each pair of neighbours, the same in every process; both ends have one too."""
    hashes = {word: crc32(word.encode("utf-8", "surrogatepass")) + 1 for word in set(words)}
    row = [0, *(hashes[word] for word in words), 0]
    return {((left * 0x100000001 + right) * _MIX & _MASK) >> 12 for left, right in pairwise(row)}


def _without_typos(words: Sequence[str], right: Sequence[str]) -> list[str] | None:
    """`words`, those that are `right` up to a typo put right; None when too few are right."""
    known = set(right)
    strange = set(words) - known
    # With more strange words than this, they cannot be alike.
    if len(strange) > len(words) / TYPOS + (1 - ALIKE) * (len(words) + 1):
        return None
    meant: dict[str, str] = {}
    for word in sorted(strange):
        found = next((other for other in sorted(known) if _is_typo(word, other)), None)
        if found is not None and len(meant) < len(words) // TYPOS:
            meant[word] = found
    return [meant.get(word, word) for word in words]


def _is_typo(word: str, other: str) -> bool:
    """One letter more, less or another, or two that changed places; the first one is right."""
    if len(word) > len(other):
        word, other = other, word
    if len(other) - len(word) > 1 or word[:1] != other[:1] or not word[:1].isalpha():
        return False
    start = next(
        (place for place, (a, b) in enumerate(zip(word, other, strict=False)) if a != b),
        len(word),
    )
    if len(word) < len(other):
        return len(word) >= FEWEST and word[start:] == other[start + 1 :]
    swapped = word[start : start + 2] == other[start : start + 2][::-1]
    if swapped and word[start + 2 :] == other[start + 2 :]:
        return len(word) >= FEWEST - 1
    return len(word) >= FEWEST and word[start + 1 :] == other[start + 1 :]


def _folded(values: Any) -> str:
    return " ".join(canonical_json(values).casefold().split())

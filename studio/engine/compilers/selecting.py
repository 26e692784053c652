"""Which examples come first, and which are a candidate's own; seeded, nothing else is random."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from studio.engine.codec import canonical_json
from studio.engine.example import Candidate, Example
from studio.engine.program import Program


def inputs_key(program: Program, values: Mapping[str, object]) -> str:
    """Equal for examples with the same inputs, up to case and spaces.

    `""` when all are missing, or one that has to be there.
    """
    found = [values.get(field.name) for field in program.inputs]
    missing = [field.required for field in program.inputs if values.get(field.name) is None]
    if any(missing) or len(missing) == len(found):
        return ""
    text = canonical_json(found)
    return " ".join(text.casefold().split())


def own_keys(program: Program, candidate: Candidate, train: Iterable[Example]) -> frozenset[str]:
    """Ids and input keys of the examples that stand among the candidate's demos."""
    sources = candidate.demo_sources
    keys = set(sources)
    keys.update(inputs_key(program, item.values) for item in train if item.id in sources)
    keys.update(
        inputs_key(program, demo.values)
        for state in candidate.states.values()
        for demo in state.demos
    )
    return frozenset(keys - {""})


def without(program: Program, examples: Sequence[Example], keys: frozenset[str]) -> list[Example]:
    """The examples that are none of those behind `keys`, by id or by inputs."""
    return [
        example
        for example in examples
        if example.id not in keys and inputs_key(program, example.values) not in keys
    ]


def unique(program: Program, examples: Iterable[Example]) -> list[Example]:
    """Each example once: of those with the same inputs, the first."""
    first: dict[str, Example] = {}
    for example in examples:
        first.setdefault(inputs_key(program, example.values) or example.id, example)
    return list(first.values())


def label_of(program: Program, example: Example) -> str:
    """The gold value of the program's first enum output; `""` without one."""
    name = next((field.name for field in program.outputs if field.type.kind == "enum"), "")
    return str(example.values.get(name, ""))


def stratified(program: Program, examples: Sequence[Example], seed: str) -> list[Example]:
    """A seeded order in which every beginning has each label about as often as the whole has."""
    rng = random.Random(seed)
    groups = _by_label(program, examples)
    placed = []
    for label in sorted(groups):
        group = groups[label]
        rng.shuffle(group)
        placed += [
            ((place + rng.random()) / len(group), example) for place, example in enumerate(group)
        ]
    placed.sort(key=lambda pair: pair[0])
    return [example for _, example in placed]


def balanced(
    program: Program,
    examples: Sequence[Example],
    count: int,
    have: Iterable[Example] = (),
) -> list[Example]:
    """The first `count` in the order given, taken so that each label stands equally often.

    `have` are those already taken: their labels count, and they are not taken again.
    """
    have = list(have)
    taken = {example.id for example in have}
    counts = Counter(label_of(program, example) for example in have)
    groups = _by_label(program, [example for example in examples if example.id not in taken])
    chosen: list[Example] = []
    while groups and len(chosen) < count:
        # Among equals, the label that came first in the order.
        label = min(groups, key=counts.__getitem__)
        chosen.append(groups[label].pop(0))
        counts[label] += 1
        if not groups[label]:
            del groups[label]
    return chosen


def _by_label(program: Program, examples: Iterable[Example]) -> dict[str, list[Example]]:
    groups: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[label_of(program, example)].append(example)
    return dict(groups)

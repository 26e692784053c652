"""What Branch and Router share: one pipeline for each case, of which one runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import count

from studio.engine.errors import SignatureError
from studio.engine.fields import NAME
from studio.engine.modules.base import Module, Part
from studio.engine.signature import Signature

OTHERWISE = "otherwise"
"""The part that runs for cases without one of their own."""


def part_names(labels: Iterable[str]) -> dict[str, str]:
    """For each label the name of its part: “Not sure” is `not_sure`. No name stands twice."""
    names: dict[str, str] = {}
    for label in labels:
        name = label if NAME.match(label) else re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
        numbers = count(1)
        while not NAME.match(name) or name in names.values():
            name = f"case_{next(numbers)}"
        names[label] = name
    return names


def case_parts(names: Iterable[str], signature: Signature) -> tuple[Part, ...]:
    """A part for each case, and `otherwise`; each answers all outputs of the signature."""
    wanted = dict.fromkeys((*names, OTHERWISE))
    return tuple(
        Part(name, signature.inputs, signature.outputs, required=False) for name in wanted
    )


def chosen_parts(names: Mapping[str, str], parts: Mapping[str, Module]) -> dict[str, str]:
    """For each case the name of the part that runs; raises `SignatureError` when one has none."""
    chosen: dict[str, str] = {}
    for case, name in names.items():
        found = next((one for one in (name, OTHERWISE) if one in parts), "")
        if not found:
            raise SignatureError(
                f"For the case “{case}” there is no pipeline: draw “{name}”, or “{OTHERWISE}”."
            )
        chosen[case] = found
    return chosen

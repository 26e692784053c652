"""Values as they can be stored, and whether two of them are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from studio.datasets.blocks import ABSENT, Content
from studio.datasets.reading.jsonlines import clean
from studio.datasets.reading.sniffing import MAX_CELL
from studio.datasets.table import Spot
from studio.engine.codec import canonical_json
from studio.errors import Invalid


def check_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they can be stored; raises `Invalid` for those that cannot."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if not isinstance(name, str) or not name.strip() or len(name) > 200 or "\0" in name:
            raise Invalid(
                f"“{str(name)[:60]}” cannot be a column: say a name of 1 to 200 letters."
            )
        try:
            text = value if isinstance(value, str) else canonical_json(value)
        except (TypeError, ValueError, RecursionError):
            raise Invalid(f"The value of “{name[:60]}” cannot be stored: it is no JSON.") from None
        if len(text) > MAX_CELL:
            raise Invalid(
                f"The value of “{name[:60]}” has {len(text):,} characters; {MAX_CELL:,} is the "
                "most."
            )
        found[name] = clean(value)
    return found


def differ(one: Any, other: Any) -> bool:
    """Another type is another value: 1 is not true, and not 1.0."""
    if type(one) is type(other) and not isinstance(one, list | dict):
        return bool(one != other)
    return canonical_json([one]) != canonical_json([other])


def changed_rows(was: Content, now: Content, count: int) -> set[int]:
    """Which of the first `count` rows have other values; both contents have that many."""
    found: set[int] = set()
    for name in dict.fromkeys((*was.columns, *now.columns)):
        pairs = zip(was.column(name)[:count], now.column(name)[:count], strict=True)
        found.update(index for index, pair in enumerate(pairs) if differ(*pair))
    return found


def count_kinds(
    old: Spot | None, new: Spot | None, was: Content | None, now: Content | None
) -> Counter[str]:
    """Rows of a place that are `added`, `changed`, `removed`, `moved`."""
    before, after = old.splits if old else b"", new.splits if new else b""
    length = max(len(before), len(after))
    pairs = list(zip(_filled(before, length), _filled(after, length), strict=True))
    both = {index for index, pair in enumerate(pairs) if ABSENT not in pair}
    changed: set[int] = set()
    if was is not None and now is not None and old and new and old.block != new.block:
        changed = both & changed_rows(was, now, min(len(before), len(after)))
    return Counter(
        added=sum(one == ABSENT != other for one, other in pairs),
        removed=sum(one != ABSENT == other for one, other in pairs),
        changed=len(changed),
        moved=sum(pairs[index][0] != pairs[index][1] for index in both),
    )


def _filled(codes: bytes, length: int) -> bytes:
    return codes + bytes([ABSENT]) * (length - len(codes))

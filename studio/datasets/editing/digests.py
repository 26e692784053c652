"""The content hash of a version, which a small change does not have to make from the beginning."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from studio.engine.codec import canonical_json

_WIDTH = 256
"""Bytes of a digest. Digests are added up, and nobody finds other places with the same sum among
numbers of so many bits."""
_MOST = 1 << (8 * _WIDTH)


def digest_of(start: int, block: str, splits: bytes) -> int:
    """The digest of one place: of a block's hash, where it stands, what its rows are for."""
    place = f"{start}:{block}:".encode() + splits
    return int.from_bytes(hashlib.shake_256(place).digest(_WIDTH))


def add_up(digests: Iterable[int], to: int = 0) -> int:
    """The digest of several places, in whatever order; subtract one by its negative."""
    return (to + sum(digests)) % _MOST


def digest_of_places(places: Any) -> int:
    """The digest of all places of a query."""
    found = places.values_list("start", "block__hash", "splits")
    return add_up(digest_of(start, hash_, bytes(splits)) for start, hash_, splits in found)


def fingerprint(columns: Sequence[str], mapping: Mapping[str, str], digest: int) -> str:
    """The content hash of columns, mapping, and the places with that digest."""
    head = canonical_json({"columns": list(columns), "mapping": dict(mapping)})
    whole = hashlib.sha256(head.encode("utf-8", "surrogatepass"))
    whole.update(digest.to_bytes(_WIDTH))
    return whole.hexdigest()

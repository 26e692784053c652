"""A collection: passages with ids of their own, in a fixed order, with a content hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from studio.engine.codec import canonical_json, content_hash
from studio.engine.errors import RetrievalError
from studio.engine.retrieval.base import Passage
from studio.engine.retrieval.words import clean


@dataclass(frozen=True, slots=True)
class Collection:
    """Passages in the order of their ids."""

    passages: tuple[Passage, ...]
    hash: str
    """Of all passages, and of what is made of them."""

    @classmethod
    def of(cls, passages: Iterable[Passage], made: str) -> Collection:
        """The collection of these passages; equal ones count once.

        A passage without an id gets the content hash of its title and text as its id. `made` is
        part of the hash. Raises `RetrievalError` when two different passages have one id.
        """
        found: dict[str, Passage] = {}
        for passage in passages:
            text, title = clean(passage.text), clean(passage.title)
            id_ = clean(passage.id) or content_hash([title, text])[:16]
            kept = found.setdefault(id_, replace(passage, id=id_, title=title, text=text, score=0))
            if (kept.title, kept.text) != (title, text):
                raise RetrievalError(f"Two different passages have the id “{id_}”.")
        ordered = tuple(found[id_] for id_ in sorted(found))
        digest = hashlib.sha256(made.encode())
        for passage in ordered:
            digest.update(canonical_json([passage.id, passage.title, passage.text]).encode())
        return cls(ordered, digest.hexdigest())

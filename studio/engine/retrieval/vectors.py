"""Vectors that are kept: no text is embedded twice by the same model."""

from __future__ import annotations

import asyncio
import hashlib
import math
import sqlite3
import sys
import threading
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from studio.engine.errors import RetrievalError
from studio.engine.retrieval.base import Embedder
from studio.engine.retrieval.nearest import Vector
from studio.engine.shared_file import open_shared
from studio.engine.side_by_side import side_by_side

BATCH = 128
"""Texts that the model is given at once."""
IN_FLIGHT = 4
"""Batches that are under way at the same time."""
_MANY = 200
"""Vectors from which on the file is read beside the event loop."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS vector (model TEXT NOT NULL, text BLOB NOT NULL, "
    "vector BLOB NOT NULL, PRIMARY KEY (model, text)) WITHOUT ROWID",
)


class VectorStore:
    """Vectors by model and by content hash of their text, in a file or in memory.

    Several processes and threads may use one file at once. Raises `RetrievalError` when it cannot
    be read or written.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self._name = str(path or "in memory")
        # One transaction at a time on this connection, whatever thread it comes from.
        self._lock = threading.Lock()
        try:
            self._connection = open_shared(path or ":memory:", _SCHEMA, busy_s=20.0)
        except (sqlite3.Error, OSError) as error:
            raise self._broken(error) from error

    def get(self, model: str, texts: Sequence[bytes]) -> dict[bytes, Vector]:
        """The vectors that are kept of these texts, given by their hashes."""
        found: dict[bytes, Vector] = {}
        try:
            for some in _batches(texts, 500):
                marks = ", ".join("?" * len(some))
                with self._lock:
                    rows = self._connection.execute(
                        f"SELECT text, vector FROM vector WHERE model = ? AND text IN ({marks})",
                        (model, *some),
                    ).fetchall()
                found.update((text, _read(blob)) for text, blob in rows)
        except (sqlite3.Error, ValueError) as error:
            raise self._broken(error) from error
        return found

    def put(self, model: str, vectors: Mapping[bytes, Vector]) -> None:
        """Keep these."""
        rows = [(model, text, _write(vector)) for text, vector in vectors.items()]
        try:
            with self._lock, self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(
                    "INSERT OR REPLACE INTO vector VALUES (?, ?, ?)", rows
                )
        except sqlite3.Error as error:
            raise self._broken(error) from error

    def close(self) -> None:
        """Give back the file."""
        with self._lock:
            self._connection.close()

    def _broken(self, error: Exception) -> RetrievalError:
        return RetrievalError(
            f"The store of vectors ({self._name}) cannot be used: {error}. "
            "If the file is damaged, delete it; the vectors are made again."
        )


class KeptEmbedder:
    """An embedder around an embedder: what is in the store is not asked for again."""

    def __init__(self, embedder: Embedder, store: VectorStore) -> None:
        self._embedder, self._store = embedder, store
        self._model = f"{embedder.endpoint} {embedder.name}"
        self._coming: dict[tuple[int, bytes], asyncio.Future[Vector]] = {}

    @property
    def name(self) -> str:
        """The inner embedder's name."""
        return self._embedder.name

    @property
    def endpoint(self) -> str:
        """The inner embedder's endpoint."""
        return self._embedder.endpoint

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See `Embedder.embed`; also raises `RetrievalError`.

        What a batch brought is kept even if a later one fails. Values are rounded to 32 bits.
        """
        named = {_hash(text): text for text in texts}
        found = await self._kept(list(named))
        loop = asyncio.get_running_loop()
        while missing := [key for key in named if key not in found]:
            # Another task may be waiting for the very same texts.
            others = [self._coming[id(loop), k] for k in missing if (id(loop), k) in self._coming]
            mine = [key for key in missing if (id(loop), key) not in self._coming]
            if mine:
                found |= await self._ask({key: named[key] for key in mine})
            if others:
                await asyncio.wait(others)
                found |= await self._kept([key for key in missing if key not in found])
        return [found[_hash(text)].tolist() for text in texts]

    async def _kept(self, keys: list[bytes]) -> dict[bytes, Vector]:
        if len(keys) < _MANY:
            return self._store.get(self._model, keys)
        return await asyncio.to_thread(self._store.get, self._model, keys)

    async def _ask(self, texts: Mapping[bytes, str]) -> dict[bytes, Vector]:
        """Vectors from the model, kept as they come."""
        loop = asyncio.get_running_loop()
        coming = {(id(loop), key): loop.create_future() for key in texts}
        self._coming |= coming
        found: dict[bytes, Vector] = {}
        free = asyncio.Semaphore(IN_FLIGHT)

        async def one(keys: Sequence[bytes]) -> None:
            async with free:
                vectors = await embed_checked(self._embedder, [texts[key] for key in keys])
            new = dict(zip(keys, vectors, strict=True))
            await asyncio.to_thread(self._store.put, self._model, new)
            found.update(new)

        try:
            async with side_by_side() as group:
                for keys in _batches(list(texts), BATCH):
                    group.create_task(one(keys))
        finally:
            # Who waits looks into the store, and asks for what is not there.
            for key, future in coming.items():
                del self._coming[key]
                future.cancel()
        return found


async def embed_checked(embedder: Embedder, texts: Sequence[str]) -> list[Vector]:
    """One vector of finite numbers for each text, all of one length.

    Raises `RetrievalError` when the embedder answers anything else, and its `LMError`s.
    """
    if not texts:
        return []
    answer = await embedder.embed(texts)
    if len(answer) != len(texts):
        raise RetrievalError(
            f"The embedding model {embedder.name} answered {len(answer)} vectors for "
            f"{len(texts)} texts."
        )
    try:
        vectors = [array("f", values) for values in answer]
    except (TypeError, OverflowError):
        vectors = []
    if len(set(map(len, vectors))) != 1 or not vectors[0] or not all(map(_finite, vectors)):
        raise RetrievalError(
            f"The embedding model {embedder.name} answered something that is no list of vectors "
            "of one length with finite numbers."
        )
    return vectors


def _finite(vector: Vector) -> bool:
    return math.isfinite(sum(map(abs, vector)))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _batches(items: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _write(vector: Vector) -> bytes:
    """Little-endian on every machine."""
    if sys.byteorder == "big":
        vector = vector[:]
        vector.byteswap()
    return vector.tobytes()


def _read(blob: bytes) -> Vector:
    vector = array("f")
    vector.frombytes(blob)
    if sys.byteorder == "big":
        vector.byteswap()
    return vector

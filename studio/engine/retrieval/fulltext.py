"""Full text: words, ranked by BM25, on SQLite's FTS5.

S. Robertson and H. Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond,
Foundations and Trends in Information Retrieval 3(4), 2009, https://doi.org/10.1561/1500000019.
FTS5 has k1 = 1.2 and b = 0.75.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from studio.engine.errors import RetrievalError
from studio.engine.retrieval.base import Passage
from studio.engine.retrieval.collection import Collection
from studio.engine.retrieval.words import clean, search_words, spread

_FORMAT = "studio full text 1"
TITLE_WEIGHT = 2.0
"""How much more a word in the title counts than one in the text."""
MOST_WORDS = 256
"""Different words of a query that are looked up: the first ones."""
LONG_SEARCH = 2_000
"""Passages to be ranked (about half a microsecond each) from which on a search runs in a thread,
beside the event loop; below, changing threads would take a good part of the time."""

_SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE passage (number INTEGER PRIMARY KEY, id TEXT NOT NULL, title TEXT NOT NULL,
                      text TEXT NOT NULL);
CREATE TABLE frequent (word TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(title, text, content = '', tokenize = "{tokenize}");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row);
"""
# Vowel signs (Mn, Mc) belong to their words: without them Hindi falls into single letters.
_PLAIN = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
_SEARCH = f"""
SELECT id, title, text, -score FROM (
    SELECT rowid AS number, bm25(words, {TITLE_WEIGHT}, 1.0) AS score
    FROM words WHERE words MATCH ? ORDER BY score, number LIMIT ?
) JOIN passage USING (number) ORDER BY score, number
"""


class FullText:
    """One collection, in a file or in memory, searched by words.

    A file is never changed: `build` writes another one and puts it in its place, and who has the
    old one open goes on with that. Threads and forked processes may share one instance.
    """

    def __init__(self, path: Path | None, memory: sqlite3.Connection | None) -> None:
        self.path = path
        self._memory = memory
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._opened: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._closed = False
        about = dict(self._rows("SELECT name, value FROM about"))
        if about.get("format") != _FORMAT:
            raise RetrievalError(f"“{path}” is no full-text collection: build it again.")
        self.hash: str = about["hash"]
        """The content hash of the collection and of how it is indexed."""
        self.count: int = int(about["count"])
        """How many passages it has."""
        self._frequent: dict[str, int] = dict(self._rows("SELECT word, passages FROM frequent"))

    @classmethod
    def build(
        cls, passages: Iterable[Passage], path: Path | str | None = None, *, stem: bool = False
    ) -> FullText:
        """Index the passages into the file `path`, or into memory; about 50 µs each, blocking.

        A file that holds the very same collection is left as it is. `stem`: English endings do
        not count (Porter), `running` finds `runs`. Raises `RetrievalError` when two different
        passages have one id, or the file cannot be written.
        """
        collection = Collection.of(passages, f"{_FORMAT}, stem {stem}")
        try:
            if path is None:
                # One connection for all threads; SQLite lets one in at a time.
                memory = sqlite3.connect(":memory:", check_same_thread=False)
                _fill(memory, collection, stem)
                return cls(None, memory)
            found = _same(Path(path), collection.hash)
            if found is None:
                _replace(Path(path), collection, stem)
            return found or cls.open(path)
        except (sqlite3.Error, OSError) as error:
            raise RetrievalError(f"The collection cannot be built: {error}.") from error

    @classmethod
    def open(cls, path: Path | str) -> FullText:
        """The collection in a file; raises `RetrievalError` when there is none."""
        if not Path(path).is_file():
            raise RetrievalError(f"There is no collection at “{path}”: build it first.")
        return cls(Path(path), None)

    async def search(self, query: str, k: int) -> tuple[Passage, ...]:
        """See `Retriever.search`: passages that have a word of the query.

        Any text is a query: words are looked up, everything else in it is ignored. Passages of
        equal score are in the order of their ids.
        """
        if self._closed:
            raise RetrievalError("The collection is closed.")
        wanted = list(dict.fromkeys(search_words(clean(query[: 64 * MOST_WORDS]))))[:MOST_WORDS]
        k = min(k, self.count)
        if k <= 0 or not wanted:
            return ()
        # BM25 gives nothing to a word that more than half of all passages have, and scoring them
        # all takes the most time.
        rare = [word for word in wanted if 2 * self._frequent.get(word, 0) <= self.count]
        found = await self._match(rare, k) if rare else []
        if len(found) < k and len(rare) < len(wanted):
            found = await self._match(wanted, k)
        return tuple(
            Passage(id=id_, title=title, text=text, score=score)
            for id_, title, text, score in found
        )

    def close(self) -> None:
        """Give back the file; no search after this."""
        self._closed = True
        with self._lock:
            for connection in (*self._opened, self._memory):
                if connection is not None:
                    connection.close()
            self._opened.clear()

    async def _match(self, wanted: list[str], k: int) -> list[Any]:
        query = (" OR ".join(f'"{word}"' for word in wanted), k)
        if sum(self._frequent.get(word, 0) for word in wanted) > LONG_SEARCH:
            return await asyncio.to_thread(self._rows, _SEARCH, query)
        return self._rows(_SEARCH, query)

    def _rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            if self._memory is not None:
                with self._lock:
                    return self._memory.execute(statement, values).fetchall()
            return self._connection().execute(statement, values).fetchall()
        except (sqlite3.Error, OSError) as error:
            name = f"The collection “{self.path}”" if self.path else "The collection"
            raise RetrievalError(f"{name} cannot be read ({error}): build it again.") from error

    def _connection(self) -> sqlite3.Connection:
        """This thread's own, in this process: SQLite's connections do not survive a fork."""
        mine: tuple[int, sqlite3.Connection] | None = getattr(self._mine, "connection", None)
        if mine is not None and mine[0] == os.getpid():
            return mine[1]
        assert self.path is not None
        # Immutable: nobody ever writes into this file, so nothing needs to be locked.
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=ro&immutable=1",
            uri=True,
            check_same_thread=False,
            factory=_Connection,
        )
        self._mine.connection = (os.getpid(), connection)
        with self._lock:
            self._opened.add(connection)
        return connection


class _Connection(sqlite3.Connection):
    """One that goes with the thread it was made for: it can be referred to weakly."""


def _same(path: Path, wanted: str) -> FullText | None:
    """The file's collection, if it is the wanted one."""
    if not path.is_file():
        return None
    try:
        found = FullText.open(path)
    except RetrievalError:
        return None
    if found.hash == wanted:
        return found
    found.close()
    return None


def _replace(path: Path, collection: Collection, stem: bool) -> None:
    """Build beside `path`, then take its place at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".building")
    os.close(handle)
    try:
        connection = sqlite3.connect(name)
        try:
            # Until it is in its place, nobody needs this file after a crash.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            _fill(connection, collection, stem)
        finally:
            connection.close()
        with open(name, "rb") as written:
            os.fsync(written.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _fill(connection: sqlite3.Connection, collection: Collection, stem: bool) -> None:
    tokenize = f"porter {_PLAIN}" if stem else _PLAIN
    connection.executescript(_SCHEMA.format(tokenize=tokenize))
    with connection:
        # In the order of their ids: then rows of equal score come in that order, too.
        connection.executemany(
            "INSERT INTO passage VALUES (?, ?, ?, ?)",
            (
                (number, passage.id, passage.title, passage.text)
                for number, passage in enumerate(collection.passages)
            ),
        )
        connection.executemany(
            "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
            (
                (number, spread(passage.title), spread(passage.text))
                for number, passage in enumerate(collection.passages)
            ),
        )
        connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        count = len(collection.passages)
        connection.execute(
            "INSERT INTO frequent SELECT term, doc FROM vocabulary WHERE doc * 50 > ?", (count,)
        )
        about = {"format": _FORMAT, "hash": collection.hash, "count": str(count)}
        connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())

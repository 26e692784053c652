"""Where answers are kept: one contract for all stores; what breaks harms nobody."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import sqlite3
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from studio.engine.errors import EngineError
from studio.engine.lm import resting
from studio.engine.lm.cached import Cached
from studio.engine.lm.postgres_store import PostgresStore
from studio.engine.lm.redis_store import RedisStore
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.lm.stores import AnswerStore, MemoryStore, SQLiteStore, open_store
from studio.engine.messages import Request

T = TypeVar("T")


def redis_url() -> str:
    return os.environ["STUDIO_TEST_BROKER_URL"]


def postgres_url() -> str:
    url = urlsplit(os.environ["STUDIO_TEST_DATABASE_URL"])
    return url._replace(scheme="postgresql").geturl()


STORES: dict[str, Callable[[Path], AnswerStore]] = {
    "memory": lambda tmp: MemoryStore(),
    "file": lambda tmp: SQLiteStore(tmp / "new" / "a.db"),
    "redis": lambda tmp: RedisStore(redis_url(), ttl_s=60),
    "postgres": lambda tmp: PostgresStore(postgres_url()),
}


@pytest.fixture(
    params=[
        "memory",
        "file",
        pytest.param("redis", marks=pytest.mark.servers),
        pytest.param("postgres", marks=pytest.mark.servers),
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> AnswerStore:
    return STORES[request.param](tmp_path)


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


def run(use: Awaitable[T]) -> T:
    async def main() -> T:
        return await use

    return asyncio.run(main())


ANSWERS: list[dict[str, Any]] = [
    {"text": "plain", "truncated": False},
    {"text": "", "truncated": True},
    {"text": "zero \x00, half a pair \ud800, ä, 😀, \u2028"},
    {"text": "x" * 2**20},
    {"scores": {" a": -0.5, " ä\n": -1e-300}},
    {"tool_calls": [{"id": "1", "name": "f", "arguments": {"deep": [{"x": None}]}}]},
]


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_it_gives_back_what_was_put(store: AnswerStore, key: str, answer: dict[str, Any]) -> None:
    async def use() -> None:
        assert await store.get(key) is None
        await store.put(key, answer)
        assert await store.get(key) == answer

    run(use())
    assert run(store.get(key)) == answer  # In another loop.


def test_the_first_answer_stays(store: AnswerStore, key: str) -> None:
    async def use() -> None:
        await store.put(key, {"text": "first"})
        await store.put(key, {"text": "second"})
        assert await store.get(key) == {"text": "first"}

    run(use())


def test_many_at_once(store: AnswerStore, key: str) -> None:
    async def one(number: int) -> bool:
        await store.put(f"{key} {number % 40}", {"text": str(number % 40)})
        return await store.get(f"{key} {number % 40}") == {"text": str(number % 40)}

    async def use() -> list[bool]:
        return await asyncio.gather(*map(one, range(200)))

    assert all(run(use()))


def test_one_who_is_cancelled_leaves_the_store_in_order(store: AnswerStore, key: str) -> None:
    async def use() -> None:
        await store.put(key, {"text": "kept"})
        for _ in range(20):
            asking = asyncio.create_task(store.get(key))
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            assert await store.get(f"{key} another") is None
            assert await store.get(key) == {"text": "kept"}

    run(use())


def test_the_oldest_go_first(tmp_path: Path, key: str) -> None:
    for store in (MemoryStore(max_rows=10), SQLiteStore(tmp_path / "a.db", max_rows=10)):
        assert _left(store, key, 25) == list(range(15, 25))


@pytest.mark.servers
def test_in_postgres_too_the_oldest_go_first(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.engine.lm import postgres_store

    table = f"studio_answers_{key}"
    for name in ("_SCHEMA", "_GET", "_PUT", "_SWEEP"):
        old = getattr(postgres_store, name)
        new = (
            tuple(part.replace("studio_answers", table) for part in old)
            if isinstance(old, tuple)
            else old.replace("studio_answers", table)
        )
        monkeypatch.setattr(postgres_store, name, new)
    assert _left(PostgresStore(postgres_url(), max_rows=10), key, 25) == list(range(15, 25))

    async def drop() -> None:
        import psycopg

        async with await psycopg.AsyncConnection.connect(postgres_url(), autocommit=True) as link:
            await link.execute(f"DROP TABLE {table}".encode())

    run(drop())


@pytest.mark.servers
def test_redis_forgets_after_a_while(key: str) -> None:
    store = RedisStore(redis_url(), ttl_s=1)

    async def use() -> None:
        await store.put(key, {"text": "soon gone"})
        assert await store.get(key)
        await asyncio.sleep(1.1)
        assert await store.get(key) is None

    run(use())


def _left(store: AnswerStore, key: str, number: int) -> list[int]:
    async def use() -> list[int]:
        for index in range(number):
            await store.put(f"{key} {index}", {"text": str(index)})
        return [index for index in range(number) if await store.get(f"{key} {index}")]

    return run(use())


@pytest.mark.parametrize(
    "make",
    [
        lambda: RedisStore("redis://user:hunter2@127.0.0.1:9/0"),
        lambda: PostgresStore("postgresql://user:hunter2@127.0.0.1:9/none"),
    ],
    ids=["redis", "postgres"],
)
def test_a_server_that_is_not_there_stops_nobody_and_is_left_alone(
    make: Callable[[], AnswerStore], caplog: pytest.LogCaptureFixture
) -> None:
    store = make()
    lm = Cached(ScriptedLM(map(str, range(100))), store)

    async def use() -> None:
        for number in range(20):
            assert (await lm.complete(Request(prompt="x"))).text == str(number)

    with caplog.at_level(logging.WARNING):
        run(use())
    assert len(caplog.records) == 1
    assert "cannot be reached" in caplog.text
    assert "hunter2" not in caplog.text + repr(store)


def test_after_its_rest_a_server_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resting, "_REST_S", 0.02)
    rests = resting.Resting("It", ())
    tried: list[int] = []

    async def fail() -> None:
        tried.append(1)
        raise ConnectionRefusedError

    async def use() -> None:
        for pause in (0.0, 0.0, 0.03):
            await asyncio.sleep(pause)
            await rests.run(fail)

    run(use())
    assert len(tried) == 2


def test_the_address_chooses_the_store(tmp_path: Path) -> None:
    assert isinstance(open_store("memory:"), MemoryStore)
    assert isinstance(open_store("redis://localhost:6379/3"), RedisStore)
    assert isinstance(open_store("rediss://localhost:6379/3"), RedisStore)
    assert isinstance(open_store("postgres://localhost/x"), PostgresStore)
    assert isinstance(open_store("postgresql://localhost/x"), PostgresStore)
    for place in (tmp_path / "a.db", str(tmp_path / "a.db"), f"sqlite:///{tmp_path}/a.db"):
        store = open_store(place)
        assert isinstance(store, SQLiteStore)
        assert store._path == tmp_path / "a.db"
    relative = open_store("sqlite:///data/a.db")
    assert isinstance(relative, SQLiteStore)
    assert relative._path == Path("data/a.db")
    with pytest.raises(EngineError, match="“mongodb:”"):
        open_store("mongodb://localhost")


def write_many(path: Path, name: str) -> None:
    async def main() -> None:
        store = SQLiteStore(path)
        for number in range(100):
            await store.put(f"{name} {number}", {"text": "ä" * 100})
            await store.put(f"shared {number}", {"text": name})

    asyncio.run(main())


def test_several_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    store = SQLiteStore(path)
    keys = [f"{name} {number}" for name in ("a", "b", "shared") for number in range(100)]

    async def use() -> None:
        for key in keys:
            assert await store.get(key)

    run(use())
    store.close()


def test_a_locked_file_does_not_hold_the_loop(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    store = SQLiteStore(path)
    turns = 0

    async def use() -> None:
        nonlocal turns
        await store.put("key", {"text": "before"})
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        putting = asyncio.create_task(store.put("another", {"text": "after"}))
        for turns in range(20):  # noqa: B007
            await asyncio.sleep(0.005)
        assert not putting.done()
        blocker.execute("COMMIT")
        blocker.close()
        await putting
        assert await store.get("another") == {"text": "after"}

    run(use())
    assert turns == 19
    store.close()


def test_a_connection_is_not_carried_over_a_fork(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "a.db")
    run(store.put("key", {"text": "before"}))
    before = store._connection
    store._opened_by -= 1  # As it looks to a child.
    assert run(store.get("key")) == {"text": "before"}
    assert store._connection is not before


@pytest.mark.parametrize(
    "damage", [b"no database at all", b"SQLite format 3\x00" + b"\xff" * 4000]
)
def test_a_damaged_file_is_put_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(damage)
    store = SQLiteStore(path)

    async def use() -> None:
        assert await store.get("key") is None
        await store.put("key", {"text": "new"})
        assert await store.get("key") == {"text": "new"}

    with caplog.at_level(logging.WARNING):
        run(use())
    assert (tmp_path / "a.db.corrupt").read_bytes() == damage
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_file_that_breaks_while_in_use_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    one, two = SQLiteStore(path), SQLiteStore(path)

    async def fill() -> None:
        for number in range(200):
            await one.put(f"key {number}", {"text": "x" * 200})
        assert await two.get("key 1")

    async def use() -> None:
        await one.put("key", {"text": "new"})
        assert await two.get("key") == await one.get("key") == {"text": "new"}

    run(fill())
    one.close()
    two.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    run(use())
    assert (tmp_path / "a.db.corrupt").exists()

"""The cache: one call a question, the right answer, and no harm from a broken file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from studio.engine.errors import LMUnavailable
from studio.engine.lm.cached import AnswerStore, Cached, MemoryStore, SQLiteStore
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Completion, Request, ToolCall, Usage

HELLO = Request(prompt="hello")


def numbered(**options: object) -> ScriptedLM:
    """Answers 1, 2, 3 …: an answer that comes twice came from the cache."""
    return ScriptedLM(map(str, range(1, 100)), **options)  # type: ignore[arg-type]


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> AnswerStore:
    return MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "new" / "a.db")


def test_an_answer_is_given_again_at_no_cost(store: AnswerStore) -> None:
    lm = numbered()

    async def run() -> None:
        first = await Cached(lm, store).complete(HELLO)
        again = await Cached(lm, store).complete(HELLO)
        assert (first.text, first.cached, first.usage.calls) == ("1", False, 1)
        assert again == Completion(text="1", cached=True, usage=Usage())

    asyncio.run(run())
    assert len(lm.requests) == 1


def test_scores_are_given_again_at_no_cost(store: AnswerStore) -> None:
    lm = ScriptedLM([], label_scores=lambda prompt, labels: {labels[0]: -0.5, labels[1]: -1.5})

    async def run() -> None:
        first = await Cached(lm, store).score_labels("x", [" a", " b"])
        again = await Cached(lm, store).score_labels("x", [" a", " b"])
        other = await Cached(lm, store).score_labels("x", [" b", " a"])
        assert again.scores == first.scores == {" a": -0.5, " b": -1.5}
        assert (again.cached, again.usage) == (True, Usage())
        assert not other.cached

    asyncio.run(run())
    assert len(lm.label_requests) == 2


@pytest.mark.parametrize(
    "other",
    [
        (HELLO, {"endpoint": "scripted:elsewhere"}),
        (HELLO, {"name": "another"}),
        (Request(prompt="hello!"), {}),
        (Request(prompt="hello", rollout=1), {}),
        (Request(prompt="hello", temperature=0.5), {}),
        (Request(prompt="hello", max_tokens=1), {}),
        (Request(prompt="hello", stop=("x",)), {}),
    ],
    ids=["endpoint", "name", "prompt", "rollout", "temperature", "max_tokens", "stop"],
)
def test_whatever_decides_the_answer_is_part_of_the_key(
    store: AnswerStore, other: tuple[Request, dict[str, str]]
) -> None:
    request, options = other
    asyncio.run(Cached(numbered(), store).complete(HELLO))
    assert not asyncio.run(Cached(numbered(**options), store).complete(request)).cached


@pytest.mark.parametrize("first", ["complete", "stream"])
def test_a_stream_and_a_whole_answer_share_their_key(store: AnswerStore, first: str) -> None:
    inner = ScriptedLM(["one two three"])
    lm = Cached(inner, store)

    async def run() -> None:
        if first == "complete":
            await lm.complete(HELLO)
            known = Completion(text="one two three", cached=True)
            assert [piece async for piece in lm.stream(HELLO)] == ["one two three", known]
        else:
            *pieces, completion = [piece async for piece in lm.stream(HELLO)]
            assert pieces == ["one", " two", " three"]
            assert isinstance(completion, Completion)
            assert (completion.usage.calls, completion.cached) == (1, False)
            assert (await lm.complete(HELLO)).cached

    asyncio.run(run())
    assert len(inner.requests) == 1


def test_tool_calls_and_cut_off_answers_are_kept(store: AnswerStore) -> None:
    call = ToolCall("7", "weather", {"city": "Pårïs", "days": [1, None]})
    told = Completion(text="", truncated=True, tool_calls=(call,))
    lm = Cached(ScriptedLM([told]), store)

    async def run() -> None:
        for cached in (False, True):
            found = await lm.complete(HELLO)
            assert (found.tool_calls, found.truncated) == ((call,), True)
            assert found.cached is cached

    asyncio.run(run())


class Slowly(ScriptedLM):
    """Says a word every few milliseconds; counts how many streams were cut off."""

    given_up = 0

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        self.requests.append(request)
        try:
            for number in range(5):
                await asyncio.sleep(0.01)
                yield f"{number} "
        except BaseException:
            self.given_up += 1
            raise
        yield Completion(text="0 1 2 3 4 ", usage=Usage(calls=1))


def test_who_joins_a_stream_gets_all_of_it_and_pays_nothing() -> None:
    inner = Slowly([])
    lm = Cached(inner, MemoryStore())

    async def listen(after: float) -> list[str | Completion]:
        await asyncio.sleep(after)
        return [piece async for piece in lm.stream(HELLO)]

    async def run() -> None:
        first, second = await asyncio.gather(listen(0), listen(0.025))
        whole = await lm.complete(HELLO)
        assert first[:-1] == second[:-1] == ["0 ", "1 ", "2 ", "3 ", "4 "]
        assert isinstance(first[-1], Completion)
        assert isinstance(second[-1], Completion)
        assert (first[-1].usage.calls, first[-1].cached) == (1, False)
        assert (second[-1].usage.calls, second[-1].cached) == (0, True)
        assert whole.cached

    asyncio.run(run())
    assert len(inner.requests) == 1


def test_who_asks_for_the_whole_waits_for_the_stream() -> None:
    inner = Slowly([])
    lm = Cached(inner, MemoryStore())

    async def listen() -> list[str | Completion]:
        return [piece async for piece in lm.stream(HELLO)]

    async def run() -> None:
        pieces, whole = await asyncio.gather(listen(), lm.complete(HELLO))
        assert len(pieces) == 6
        assert (whole.text, whole.cached, whole.usage.calls) == ("0 1 2 3 4 ", True, 0)

    asyncio.run(run())
    assert len(inner.requests) == 1


def test_a_stream_is_cut_off_when_the_last_listener_has_gone() -> None:
    inner = Slowly([])
    lm = Cached(inner, MemoryStore())

    async def run() -> None:
        one, two = lm.stream(HELLO), lm.stream(HELLO)
        assert await anext(one) == await anext(two) == "0 "
        await one.aclose()
        assert await anext(two) == "1 "
        assert inner.given_up == 0
        await two.aclose()
        assert inner.given_up == 1
        assert len(lm._flights) == 0

    asyncio.run(run())


def test_an_error_ends_a_stream_and_is_not_kept() -> None:
    lm = Cached(ScriptedLM([LMUnavailable("gone"), "back"]), MemoryStore())

    async def run() -> None:
        with pytest.raises(LMUnavailable, match="gone"):
            [piece async for piece in lm.stream(HELLO)]
        assert len(lm._flights) == 0
        assert await anext(lm.stream(HELLO)) == "back"

    asyncio.run(run())


def test_errors_are_not_kept(store: AnswerStore) -> None:
    lm = Cached(ScriptedLM([LMUnavailable(), "back"]), store)

    async def run() -> None:
        with pytest.raises(LMUnavailable):
            await lm.complete(HELLO)
        assert (await lm.complete(HELLO)).text == "back"

    asyncio.run(run())


def test_equal_questions_at_the_same_time_make_one_call(store: AnswerStore) -> None:
    inner = numbered(latency_s=0.02)
    lm = Cached(inner, store)

    async def run() -> None:
        answers = await asyncio.gather(*(lm.complete(HELLO) for _ in range(20)))
        assert {answer.text for answer in answers} == {"1"}
        assert sum(answer.usage.calls for answer in answers) == 1
        assert sum(answer.cached for answer in answers) == 19

    asyncio.run(run())
    assert len(inner.requests) == 1


def test_an_error_reaches_all_who_wait() -> None:
    inner = ScriptedLM([LMUnavailable("gone")] * 2, latency_s=0.02)
    lm = Cached(inner, MemoryStore())

    async def run() -> None:
        ways = (lm.complete(HELLO) for _ in range(5))
        answers = await asyncio.gather(*ways, return_exceptions=True)
        assert [str(answer) for answer in answers] == ["gone"] * 5

    asyncio.run(run())
    assert len(inner.requests) == 1


@pytest.mark.parametrize("who", [0, 1], ids=["the first", "another"])
def test_one_who_is_cancelled_takes_nothing_from_the_others(who: int) -> None:
    inner = numbered(latency_s=0.05)
    lm = Cached(inner, MemoryStore())

    async def run() -> None:
        waiting = [asyncio.create_task(lm.complete(HELLO)) for _ in range(3)]
        await asyncio.sleep(0.01)
        waiting[who].cancel()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(answers.pop(who), asyncio.CancelledError)
        assert [answer.text for answer in answers if isinstance(answer, Completion)] == ["1", "1"]

    asyncio.run(run())
    assert len(inner.requests) == 1


def test_a_question_is_given_up_when_nobody_waits() -> None:
    ended: list[str] = []

    class Slow(ScriptedLM):
        async def complete(self, request: Request) -> Completion:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            return Completion(text="late")

    lm = Cached(Slow([]), MemoryStore())

    async def run() -> None:
        waiting = [asyncio.create_task(lm.complete(HELLO)) for _ in range(2)]
        await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        assert ended == ["cancelled"]
        assert len(lm._flights) == 0

    asyncio.run(run())


@pytest.mark.parametrize("kept", [{}, {"text": "x"}, {"scores": [1]}, {"text": None}])
def test_a_kept_answer_of_another_shape_is_as_good_as_none(kept: dict[str, object]) -> None:
    class Odd(MemoryStore):
        async def get(self, key: str) -> dict[str, object] | None:
            return kept

    lm = Cached(ScriptedLM(["1"], label_scores=lambda prompt, labels: {" a": 0.0}), Odd())
    assert asyncio.run(lm.complete(HELLO)).text == "1"
    assert asyncio.run(lm.score_labels("x", [" a", " b"])).scores == {" a": 0.0}


def test_a_file_that_cannot_be_written_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    store = SQLiteStore(tmp_path / "file" / "a.db")
    lm = Cached(numbered(), store)
    assert asyncio.run(lm.complete(HELLO)).text == "1"
    assert asyncio.run(lm.complete(HELLO)).text == "2"
    assert "out of reach" in caplog.text

"""What every LM keeps to, and every wrapper around one."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from studio.engine.errors import LMError, LMInvalidRequest
from studio.engine.lm.base import LM
from studio.engine.lm.cached import Cached, MemoryStore, SQLiteStore
from studio.engine.lm.compose import compose
from studio.engine.lm.litellm_client import LiteLLMLM
from studio.engine.lm.metered import Budget, Metered
from studio.engine.lm.openai_http import OpenAIHttpLM
from studio.engine.lm.rate_bucket import RateLimits
from studio.engine.lm.rate_limited import RateLimited
from studio.engine.lm.rate_stores import MemoryRates
from studio.engine.lm.retrying import Retrying
from studio.engine.lm.scripted import ScriptedLM, builtin_scripted
from studio.engine.messages import (
    Attachment,
    Completion,
    Message,
    Request,
    ToolCall,
    ToolSpec,
)
from studio.engine.tally import Tally
from tests.engine.lm.fake_openai import KEY, fake_openai, fake_openai_in_a_thread

# litellm and what it brings along warn of their own futures.
pytestmark = pytest.mark.filterwarnings("ignore")

T = TypeVar("T")
Make = Callable[[str, Path], LM]

ABLE: dict[str, Any] = {"follows_schemas": True, "calls_tools": True, "sees_images": True}
CALL = ToolCall("id-0", "weather", {"city": "Pårïs"})


def answer(request: Request) -> str | Completion:
    """As the fake server of the model “good” or “tools” answers."""
    if request.tools:
        calls = (CALL, ToolCall("id-1", "news", {"city": "Pårïs"}))
        return Completion(text="", tool_calls=calls)
    return f"You said {request.prompt or request.messages[-1].content}"


def scripted() -> ScriptedLM:
    return ScriptedLM(
        answer,
        label_scores=lambda prompt, labels: {label: -float(i) for i, label in enumerate(labels)},
        follows_schemas=True,
        calls_tools=True,
        sees_images=True,
    )


def rate_limited() -> RateLimited:
    limits = RateLimits(requests_per_minute=6_000_000, tokens_per_minute=6e9)
    return RateLimited(scripted(), limits, MemoryRates())


LMS: dict[str, Make] = {
    "scripted": lambda url, tmp: scripted(),
    "echo": lambda url, tmp: builtin_scripted("echo"),
    "support-triage": lambda url, tmp: builtin_scripted("support-triage"),
    "openai_http": lambda url, tmp: OpenAIHttpLM("good", url, KEY, **ABLE),
    "openai_http unable": lambda url, tmp: OpenAIHttpLM("good", url, KEY),
    "litellm": lambda url, tmp: LiteLLMLM("openai/good", KEY, url, **ABLE),
    "cached in memory": lambda url, tmp: Cached(scripted(), MemoryStore()),
    "cached in a file": lambda url, tmp: Cached(scripted(), SQLiteStore(tmp / "answers.db")),
    "retrying": lambda url, tmp: Retrying(scripted()),
    "metered": lambda url, tmp: Metered(scripted(), Budget(1_000), limit=2),
    "rate limited": lambda url, tmp: rate_limited(),
    "tallied": lambda url, tmp: Tally().around(scripted()),
    "composed": lambda url, tmp: compose(
        OpenAIHttpLM("good", url, KEY, **ABLE),
        budget=Budget(),
        store=MemoryStore(),
        concurrency=3,
        limits=RateLimits(requests_per_minute=6_000_000, tokens_per_minute=6e9),
    ),
}


@pytest.fixture(autouse=True)
def _sweep(request: pytest.FixtureRequest) -> Iterator[None]:
    """litellm leaves the connections of text completions open: sweep while warnings are off."""
    yield
    if "litellm" in request.node.name:
        gc.collect()


@pytest.fixture(params=LMS)
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., object]:
    """Runs an async function with a new LM, in a loop of its own."""

    def run(use: Callable[[LM], Awaitable[T]]) -> T:
        async def with_server() -> T:
            async with fake_openai() as fake:
                lm = LMS[request.param](fake.base_url, tmp_path)
                try:
                    return await use(lm)
                finally:
                    await lm.aclose()

        return asyncio.run(with_server())

    return run


CHAT = Request(messages=(Message("system", "Be kind."), Message("user", "hello")))
TEXT = Request(prompt="Message: hello\nCategory:")


def test_it_says_who_it_is(ask: Callable[..., None]) -> None:
    async def use(lm: LM) -> None:
        assert isinstance(lm, LM)
        assert lm.name
        assert lm.endpoint
        assert lm.default_format in ("chat", "completion")
        assert KEY not in repr(lm) + lm.endpoint + lm.name

    ask(use)


@pytest.mark.parametrize("request_", [CHAT, TEXT], ids=["chat", "text"])
def test_it_answers(ask: Callable[..., None], request_: Request) -> None:
    async def use(lm: LM) -> None:
        completion = await lm.complete(request_)
        assert "hello" in completion.text or lm.name in ("echo", "support-triage")
        assert completion.usage.calls == 1
        assert completion.usage.prompt_tokens > 0
        assert not completion.cached
        assert not completion.truncated

    ask(use)


ODD = {
    "empty": "",
    "blank": " \n\t ",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x85\u2028",
    "no ASCII": "Größe 寸法 😀 \u202eabc e\u0301",
    "JSON inside": '{"a": ["\\"]}\n```json\n{}\n```',
    "of one megabyte": "word " * 200_000,
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.parametrize("chat", [True, False], ids=["chat", "text"])
def test_whatever_is_said_arrives_as_it_is(
    ask: Callable[..., None], chat: bool, text: str
) -> None:
    async def use(lm: LM) -> None:
        # A request without messages has a prompt.
        request = Request(messages=_turns(text)) if chat else Request(prompt=text or " ")
        completion = await lm.complete(request)
        assert isinstance(completion.text, str)
        if lm.name not in ("echo", "support-triage"):
            assert completion.text.strip()[1:] == f"ou said {text}".strip()

    ask(use)


def _turns(text: str) -> tuple[Message, ...]:
    return (Message("system", f"Be kind. {text[:40]}"), Message("user", text))


def test_half_a_character_is_answered_or_refused(ask: Callable[..., None]) -> None:
    async def use(lm: LM) -> None:
        for request in (Request(prompt="\ud800"), Request(messages=_turns("x\udfff"))):
            # Servers differ; nobody may fail in another way than an LM does.
            with contextlib.suppress(LMError):
                assert isinstance((await lm.complete(request)).text, str)

    ask(use)


@pytest.mark.parametrize("request_", [CHAT, TEXT], ids=["chat", "text"])
def test_the_pieces_of_a_stream_make_up_the_answer(
    ask: Callable[..., None], request_: Request
) -> None:
    async def use(lm: LM) -> None:
        *pieces, streamed = [piece async for piece in lm.stream(request_)]
        assert isinstance(streamed, Completion)
        assert all(isinstance(piece, str) and piece for piece in pieces)
        assert "".join(map(str, pieces)) == streamed.text
        assert streamed.usage.calls == 1
        assert streamed.usage.prompt_tokens > 0
        assert (await lm.complete(request_)).text == streamed.text

    ask(use)


def test_a_stream_may_be_left(ask: Callable[..., None]) -> None:
    async def use(lm: LM) -> None:
        stream = lm.stream(CHAT)
        await anext(stream)
        await stream.aclose()
        assert "hello" in (await lm.complete(TEXT)).text or lm.name in ("echo", "support-triage")

    ask(use)


def test_an_image_is_seen_or_refused(ask: Callable[..., None]) -> None:
    async def use(lm: LM) -> None:
        image = Attachment("image", "data:image/png;base64,iVBORw0KGgo=")
        request = Request(messages=(Message("user", "hello", (image,)),))
        for stream in (False, True):
            if not lm.sees_images:
                with pytest.raises(LMInvalidRequest, match="reads text only"):
                    await _last(lm, request, stream)
            else:
                assert "hello" in (await _last(lm, request, stream)).text

    ask(use)


async def _last(lm: LM, request: Request, stream: bool) -> Completion:
    if not stream:
        return await lm.complete(request)
    *_, last = [piece async for piece in lm.stream(request)]
    assert isinstance(last, Completion)
    return last


def test_schemas_and_tools_harm_nobody(ask: Callable[..., None]) -> None:
    async def use(lm: LM) -> None:
        schema = {"type": "object", "properties": {"a": {"type": "string"}}}
        tools = (ToolSpec("weather", "Today's weather.", schema),)
        assert isinstance(lm.follows_schemas, bool)
        assert isinstance(lm.calls_tools, bool)
        for request in (CHAT, TEXT):
            asked = replace(request, schema=schema, tools=tools)
            for stream in (False, True):
                assert isinstance((await _last(lm, asked, stream)).text, str)

    ask(use)


def test_tool_calls_come_through(tmp_path: Path) -> None:
    tools = (ToolSpec("weather", "Today's weather.", {"type": "object"}),)
    request = replace(CHAT, tools=tools)

    async def run(make: Make) -> list[Completion]:
        async with fake_openai() as fake:
            lm = make(fake.base_url, tmp_path)
            return [await _last(lm, request, stream) for stream in (False, True, False)]

    for name in ("scripted", "cached in memory", "cached in a file", "retrying", "metered"):
        for completion in asyncio.run(run(LMS[name])):
            assert completion.tool_calls[0] == CALL, name


def test_it_answers_many_at_once(ask: Callable[..., None]) -> None:
    async def use(lm: LM) -> None:
        requests = [Request(prompt=f"Number: {n}\nCategory:") for n in range(20)]
        answers = await asyncio.gather(*map(lm.complete, requests))
        if lm.name not in ("echo", "support-triage"):
            assert all(f"Number: {n}\n" in done.text for n, done in enumerate(answers))

    ask(use)


def test_it_scores_labels_or_says_that_it_cannot(ask: Callable[..., None]) -> None:
    async def use(lm: LM) -> None:
        if lm.scores_labels:
            scored = await lm.score_labels("Message: my bill\nCategory:", [" billing", " other"])
            assert list(scored.scores) == [" billing", " other"]
            assert scored.usage.calls == 1
        else:
            with pytest.raises(LMInvalidRequest):
                await lm.score_labels("Category:", [" a", " b"])

    ask(use)


def test_closing_twice_is_harmless(ask: Callable[..., None]) -> None:
    async def use(lm: LM) -> None:
        await lm.complete(CHAT)
        await lm.aclose()
        await lm.aclose()
        await lm.complete(CHAT)

    ask(use)


@pytest.mark.parametrize("name", LMS)
def test_one_lm_meets_many_loops(name: str, tmp_path: Path) -> None:
    with fake_openai_in_a_thread() as fake:
        lm = LMS[name](fake.base_url, tmp_path)
        for number in range(3):
            asyncio.run(lm.complete(Request(prompt=f"Number: {number}\nCategory:")))


@pytest.mark.parametrize("way", ["complete", "stream"])
@pytest.mark.parametrize("model", ["denied", "forbidden", "unknown", "busy", "broken", "odd"])
@pytest.mark.parametrize("kind", ["openai_http", "litellm"])
def test_the_key_is_in_no_error(kind: str, model: str, way: str) -> None:
    async def run() -> None:
        async with fake_openai() as fake:
            lm: LM = (
                OpenAIHttpLM(model, fake.base_url, KEY)
                if kind == "openai_http"
                else LiteLLMLM(f"openai/{model}", KEY, fake.base_url)
            )
            with pytest.raises(LMError) as caught:
                await _last(lm, CHAT, way == "stream")
            error: BaseException | None = caught.value
            assert KEY not in str(error) + repr(error)
            assert error is not None
            assert error.__cause__ is None
            assert error.__suppress_context__ or error.__context__ is None

    asyncio.run(run())

"""What the servers of OpenAI's protocol do beyond text: schemas, tools, attachments, streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import (
    LMBadAnswer,
    LMError,
    LMInvalidRequest,
    LMTimeout,
    LMUnavailable,
)
from studio.engine.lm.base import LM
from studio.engine.lm.embedded import EmbeddedLM
from studio.engine.lm.litellm_client import LiteLLMLM
from studio.engine.lm.openai_answers import StreamReader, read_arguments
from studio.engine.lm.openai_http import OpenAIHttpLM
from studio.engine.messages import (
    UNREADABLE,
    Attachment,
    Completion,
    Message,
    Request,
    ToolCall,
    ToolSpec,
)
from tests.engine.lm.fake_openai import KEY, FakeOpenAI, fake_openai

# litellm and what it brings along warn of their own futures.
pytestmark = pytest.mark.filterwarnings("ignore")

Make = Callable[..., LM]
HELLO = Request(messages=(Message("user", "hello to all of you"),))
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = ToolSpec("weather", "Today's weather.", SCHEMA)
ABLE = {"follows_schemas": True, "calls_tools": True, "sees_images": True}
IMAGE = Attachment("image", "data:image/png;base64,iVBORw0KGgo=")
PAPER = Attachment("document", "data:application/pdf;base64,JVBERi0=", "paper.pdf")


def openai_http(model: str, url: str, **options: Any) -> LM:
    return OpenAIHttpLM(model, url, KEY, **options)


def litellm(model: str, url: str, **options: Any) -> LM:
    return LiteLLMLM(f"openai/{model}", KEY, url, **options)


both = pytest.mark.parametrize("make", [openai_http, litellm])


def ask(
    make: Make, model: str, request: Request, *, stream: bool = False, **options: Any
) -> tuple[Completion, FakeOpenAI]:
    async def run() -> tuple[Completion, FakeOpenAI]:
        async with fake_openai() as fake:
            lm = make(model, fake.base_url, timeout_s=2.0, **options)
            if not stream:
                return await lm.complete(request), fake
            *pieces, completion = [piece async for piece in lm.stream(request)]
            assert isinstance(completion, Completion)
            assert "".join(map(str, pieces)) == completion.text
            return completion, fake

    return asyncio.run(run())


def sent(make: Make, request: Request, **options: Any) -> dict[str, Any]:
    return ask(make, "good", request, **options)[1].bodies[0]


@both
def test_images_and_documents_are_parts_of_their_message(make: Make) -> None:
    shown = Message("user", "What is this?", (IMAGE, PAPER))
    body = sent(make, Request(messages=(Message("system", "Look."), shown)), **ABLE)
    assert body["messages"] == [
        {"role": "system", "content": "Look."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": IMAGE.url}},
                {"type": "file", "file": {"filename": "paper.pdf", "file_data": PAPER.url}},
            ],
        },
    ]


@both
@pytest.mark.parametrize("stream", [False, True])
def test_who_sees_nothing_is_shown_nothing(make: Make, stream: bool) -> None:
    request = Request(messages=(Message("user", "Look", (IMAGE,)), Message("user", "So?")))
    with pytest.raises(LMInvalidRequest, match="reads text only"):
        ask(make, "good", request, stream=stream)


def test_a_document_that_is_only_an_address_cannot_be_sent() -> None:
    paper = Attachment("document", "https://example.org/paper.pdf", "paper.pdf")
    with pytest.raises(LMInvalidRequest, match=r"“paper\.pdf” is an address"):
        ask(openai_http, "good", Request(messages=(Message("user", "", (paper,)),)), **ABLE)


@both
def test_a_schema_goes_to_those_who_follow_schemas(make: Make) -> None:
    request = replace(HELLO, schema=SCHEMA)
    assert sent(make, request, **ABLE)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
    }
    assert "response_format" not in sent(make, request)
    assert "response_format" not in sent(make, HELLO, **ABLE)


def test_the_schema_of_a_prompt_goes_to_llama_cpp_as_it_wants_it() -> None:
    request = Request(prompt="City:", schema=SCHEMA)
    assert "json_schema" not in sent(openai_http, request, **ABLE)

    async def run() -> dict[str, Any]:
        async with fake_openai() as fake:
            await EmbeddedLM(fake.base_url.removesuffix("/v1")).complete(request)
            return fake.bodies[0]

    assert asyncio.run(run())["json_schema"] == SCHEMA


@both
@pytest.mark.parametrize("stream", [False, True])
def test_a_server_that_knows_no_schemas_says_so_clearly(make: Make, stream: bool) -> None:
    with pytest.raises(LMInvalidRequest, match="response_format"):
        ask(make, "old", replace(HELLO, schema=SCHEMA), stream=stream, **ABLE)
    with pytest.raises(LMInvalidRequest, match="does not support tools"):
        ask(make, "old", replace(HELLO, tools=(WEATHER,)), stream=stream, **ABLE)


def test_our_own_client_says_the_way_out() -> None:
    with pytest.raises(LMInvalidRequest, match="follows no schemas"):
        ask(openai_http, "old", replace(HELLO, schema=SCHEMA), **ABLE)
    with pytest.raises(LMInvalidRequest, match="calls no tools"):
        ask(openai_http, "old", replace(HELLO, tools=(WEATHER,)), **ABLE)


@both
def test_tools_are_offered_to_those_who_call_tools(make: Make) -> None:
    request = replace(HELLO, tools=(WEATHER,))
    assert sent(make, request, **ABLE)["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Today's weather.",
                "parameters": SCHEMA,
            },
        }
    ]
    assert "tools" not in sent(make, request)


@both
def test_what_tools_answered_goes_back(make: Make) -> None:
    called = Message("assistant", "", tool_calls=(ToolCall("7", "weather", {"city": "Paris"}),))
    answered = Message("tool", "Rain.", tool_call_id="7")
    user = HELLO.messages[0]
    body = sent(make, Request(messages=(user, called, answered), tools=(WEATHER,)), **ABLE)
    assistant, tool = body["messages"][1:]
    assert assistant["tool_calls"] == [
        {
            "id": "7",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
        }
    ]
    assert not assistant.get("content")
    assert tool == {"role": "tool", "content": "Rain.", "tool_call_id": "7"}


@both
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        ("tools", {"city": "Pårïs"}),
        ("tools-no-arguments", {}),
        ("tools-unreadable", {UNREADABLE: '{"city": "Par'}),
        ("tools-list", {UNREADABLE: '["Paris"]'}),
        ("tools-nan", {UNREADABLE: '{"city": NaN}'}),
    ],
)
def test_the_tool_calls_of_an_answer(
    make: Make, stream: bool, model: str, arguments: dict[str, Any]
) -> None:
    completion, _ = ask(make, model, replace(HELLO, tools=(WEATHER,)), stream=stream, **ABLE)
    assert completion.text == ""
    assert completion.tool_calls == (
        ToolCall("id-0", "weather", arguments),
        ToolCall("id-1", "news", arguments),
    )


@both
@pytest.mark.parametrize("request_", [HELLO, Request(prompt="hello to all of you")])
def test_a_stream_gives_piece_after_piece_and_the_same_whole(
    make: Make, request_: Request
) -> None:
    async def run() -> None:
        async with fake_openai() as fake:
            lm = make("good", fake.base_url, price=(2.0, 10.0))
            *pieces, streamed = [piece async for piece in lm.stream(request_)]
            assert pieces[-1] == "you"
            assert len(pieces) > 5
            assert streamed == await lm.complete(request_)
            assert fake.bodies[0]["stream"] is True
            assert fake.bodies[0]["stream_options"] == {"include_usage": True}

    asyncio.run(run())


@both
def test_an_empty_answer_is_an_answer(make: Make) -> None:
    for stream in (False, True):
        assert ask(make, "empty", HELLO, stream=stream)[0].text == ""


@both
def test_a_cut_off_answer_says_so_when_streamed_too(make: Make) -> None:
    assert ask(make, "long", HELLO, stream=True)[0].truncated


def test_a_server_that_does_not_stream_gives_one_piece() -> None:
    completion, _ = ask(openai_http, "whole", HELLO, stream=True)
    assert completion.text == "You said hello to all of you"
    assert completion.usage.prompt_tokens == 11


def test_a_stream_without_usage_is_one_call_all_the_same() -> None:
    completion, _ = ask(openai_http, "stream-without-usage", HELLO, stream=True)
    assert (completion.usage.calls, completion.usage.prompt_tokens) == (1, 0)


@pytest.mark.parametrize(
    ("make", "model", "error"),
    [
        (openai_http, "stream-cut-off", LMUnavailable),
        (openai_http, "stream-hang-up", LMUnavailable),
        (openai_http, "stream-error", LMUnavailable),
        (openai_http, "stream-garbage", LMBadAnswer),
        (openai_http, "stream-huge", LMBadAnswer),
        (openai_http, "stream-hang", LMTimeout),
        (litellm, "stream-hang-up", LMUnavailable),
        (litellm, "stream-error", LMUnavailable),
        (litellm, "stream-hang", LMTimeout),
        (openai_http, "busy", LMError),
        (litellm, "busy", LMError),
    ],
)
def test_a_stream_that_breaks_is_an_error(make: Make, model: str, error: type[LMError]) -> None:
    async def run() -> None:
        async with fake_openai() as fake:
            lm = make(model, fake.base_url, timeout_s=0.5)
            with pytest.raises(error) as caught:
                async for _ in lm.stream(HELLO):
                    pass
            assert KEY not in str(caught.value)
            assert caught.value.__cause__ is None

    asyncio.run(run())


def test_who_stops_listening_closes_the_connection() -> None:
    async def run() -> None:
        async with fake_openai() as fake:
            lm = OpenAIHttpLM("stream-hang", fake.base_url)
            stream = lm.stream(HELLO)
            assert await anext(stream) == "You "
            await stream.aclose()
            for _ in range(100):
                await asyncio.sleep(0.01)
                if fake.given_up:
                    break
            assert fake.given_up == 1
            assert not (await lm.server.sessions.get()).connector._acquired  # type: ignore[union-attr]

    asyncio.run(run())


@pytest.mark.parametrize("how", ["timeout", "cancel"])
def test_a_call_that_is_given_up_closes_its_connection(how: str) -> None:
    async def run() -> None:
        async with fake_openai() as fake:
            lm = OpenAIHttpLM("hang", fake.base_url, timeout_s=0.2 if how == "timeout" else 9.0)
            asking = asyncio.create_task(lm.complete(HELLO))
            await asyncio.sleep(0.1)
            if how == "cancel":
                asking.cancel()
            await asyncio.wait([asking])
            for _ in range(100):
                await asyncio.sleep(0.01)
                if fake.given_up:
                    break
            assert (fake.given_up, len(fake.bodies)) == (1, 1)

    asyncio.run(run())


def test_a_packed_answer_is_bounded_as_well() -> None:
    with pytest.raises(LMBadAnswer, match="more than"):
        ask(openai_http, "packed-huge", HELLO)


def test_what_is_unchanging_is_written_once_and_never_wrong() -> None:
    head = (Message("system", "Be kind."), Message("user", "a"), Message("assistant", "b"))
    other = (Message("system", "Be kind."), Message("user", "a"), Message("assistant", "c"))
    last = Message("user", "hello")

    async def run() -> None:
        async with fake_openai() as fake:
            lm = OpenAIHttpLM("good", fake.base_url)
            for first in (head, other, head, head[:1], (*head[:1], *other[1:])):
                for temperature in (0.0, 1.0):
                    request = Request(messages=(*first, last), temperature=temperature)
                    await lm.complete(request)
                    body = fake.bodies[-1]
                    assert [(turn["role"], turn["content"]) for turn in body["messages"]] == [
                        (turn.role, turn.content) for turn in request.messages
                    ]
                    assert body["temperature"] == temperature

    asyncio.run(run())


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, object()])
def test_a_request_that_is_no_json_is_refused_with_a_sentence(value: Any) -> None:
    with pytest.raises(LMInvalidRequest, match="JSON"):
        ask(openai_http, "good", replace(HELLO, schema={"const": value}), **ABLE)


def test_openais_own_server_is_able_and_others_must_be_said_to_be() -> None:
    own = OpenAIHttpLM("gpt", "https://api.openai.com/v1")
    assert (own.follows_schemas, own.calls_tools, own.sees_images) == (True, True, True)
    unable = OpenAIHttpLM("gpt", "https://api.openai.com/v1", follows_schemas=False)
    assert not unable.follows_schemas
    other = OpenAIHttpLM("x", "http://127.0.0.1:1/v1")
    assert (other.follows_schemas, other.calls_tools, other.sees_images) == (False,) * 3


@given(
    st.none()
    | st.text()
    | st.integers()
    | st.lists(st.text())
    | st.dictionaries(st.text(), st.text())
)
def test_arguments_are_always_an_object(written: Any) -> None:
    assert isinstance(read_arguments(written), dict)


@given(
    st.lists(
        st.binary(max_size=80) | st.sampled_from([b'data: {"choices": [{"delta": 1}]}']),
        max_size=8,
    )
)
def test_a_stream_of_anything_is_an_answer_or_an_lm_error(lines: list[bytes]) -> None:
    reader = StreamReader(name="m", price=(0.0, 0.0))
    try:
        for line in lines:
            assert isinstance(reader.feed(line), str)
        reader.completion()
    except LMError:
        pass


@pytest.mark.parametrize(
    "calls",
    [
        1,
        [1],
        [{}],
        [{"function": None}],
        [{"index": [], "function": {"name": 3, "arguments": 4}}],
        [{"index": 1, "function": {"arguments": "{}"}}],
    ],
)
def test_odd_pieces_of_tool_calls_are_an_lm_error(calls: Any) -> None:
    reader = StreamReader(name="m", price=(0.0, 0.0))
    event = {"choices": [{"delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}]}
    with pytest.raises(LMBadAnswer):
        _ = reader.add(event) + reader.completion().text

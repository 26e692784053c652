"""Every failure of a server becomes an error of our tree."""

from __future__ import annotations

import asyncio
import gc
import warnings
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from studio.engine.errors import (
    LMAuthError,
    LMBadAnswer,
    LMError,
    LMInvalidRequest,
    LMRateLimited,
    LMRefused,
    LMTimeout,
    LMUnavailable,
)
from studio.engine.lm.http_answers import retry_after_s
from studio.engine.lm.openai_http import OpenAIHttpLM
from studio.engine.messages import Completion, Message, Request
from tests.engine.lm.fake_openai import KEY, FakeOpenAI, fake_openai

HELLO = Request(messages=(Message("user", "hello"),), stop=("\n",), max_tokens=5, rollout=3)


def complete(model: str, request: Request = HELLO) -> tuple[Completion, FakeOpenAI]:
    async def run() -> tuple[Completion, FakeOpenAI]:
        async with fake_openai() as fake:
            lm = OpenAIHttpLM(model, fake.base_url, KEY, timeout_s=0.5, price=(2.0, 10.0))
            return await lm.complete(request), fake

    return asyncio.run(run())


def test_messages_go_to_the_chat_endpoint() -> None:
    completion, fake = complete("good")
    assert completion.text == "You said hello"
    assert fake.bodies == [
        {
            "model": "good",
            "messages": [{"role": "user", "content": "hello"}],
            "temperature": 0.0,
            "max_tokens": 5,
            "stop": ["\n"],
        }
    ]
    assert fake.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_a_prompt_goes_to_the_text_endpoint() -> None:
    completion, fake = complete("good", Request(prompt="Category:"))
    assert completion.text == " you said Category:"
    assert "messages" not in fake.bodies[0]


def test_usage_and_cost() -> None:
    completion, _ = complete("good")
    assert completion.usage.prompt_tokens == 11
    assert completion.usage.completion_tokens == 3
    assert completion.usage.cost == pytest.approx((11 * 2 + 3 * 10) / 1e6)


@pytest.mark.parametrize("model", ["long", "only-thoughts"])
def test_an_answer_cut_off_at_its_limit_says_so(model: str) -> None:
    assert complete(model)[0].truncated


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("denied", LMAuthError),
        ("forbidden", LMAuthError),
        ("unknown", LMInvalidRequest),
        ("odd", LMInvalidRequest),
        ("moved", LMInvalidRequest),
        ("busy", LMRateLimited),
        ("busy-date", LMRateLimited),
        ("slow-proxy", LMTimeout),
        ("hang", LMTimeout),
        ("broken", LMUnavailable),
        ("hang-up", LMUnavailable),
        ("garbage", LMBadAnswer),
        ("list", LMBadAnswer),
        ("deep", LMBadAnswer),
        ("cut-off", LMBadAnswer),
        ("no-choices", LMBadAnswer),
        ("null-choices", LMBadAnswer),
        ("odd-choice", LMBadAnswer),
        ("no-text", LMBadAnswer),
        ("huge", LMBadAnswer),
        ("refusing", LMRefused),
        ("filtered", LMRefused),
    ],
)
def test_failures(model: str, error: type[LMError]) -> None:
    with pytest.raises(LMError) as caught:
        complete(model)
    assert type(caught.value) is error
    assert len(str(caught.value)) < 500
    assert model in str(caught.value) or error is LMUnavailable


def test_nobody_there() -> None:
    lm = OpenAIHttpLM("good", "http://127.0.0.1:9/v1")
    with pytest.raises(LMUnavailable, match=r"http://127\.0\.0\.1:9/v1"):
        asyncio.run(lm.complete(HELLO))


def test_the_server_says_when_to_come_back() -> None:
    with pytest.raises(LMRateLimited) as caught:
        complete("busy")
    assert caught.value.retry_after_s == 7.0
    with pytest.raises(LMRateLimited) as caught:
        complete("busy-date")
    assert caught.value.retry_after_s == 0.0


def test_reading_retry_after() -> None:
    assert retry_after_s("1.5") == 1.5
    assert retry_after_s("-3") == 0.0
    assert retry_after_s("") is None
    assert retry_after_s("soon") is None
    assert retry_after_s("nan") is None
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after_s(later) == pytest.approx(60, abs=3)


def test_the_endpoint_holds_no_secret() -> None:
    lm = OpenAIHttpLM("m", "https://bob:hunter2@example.org/v1/?token=abc")
    assert lm.endpoint == "https://example.org/v1"
    assert "hunter2" not in repr(lm)


@pytest.mark.parametrize("url", ["", "example.org", "ftp://example.org", "http://", "http://a:b"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(LMInvalidRequest, match="begins with http"):
        OpenAIHttpLM("m", url)


def test_a_key_that_cannot_be_sent() -> None:
    with pytest.raises(LMAuthError, match="line end"):
        OpenAIHttpLM("m", "http://h/v1", "sk-1\nX-Evil: 1")
    OpenAIHttpLM("m", "http://h/v1", "sk-1\n")


def test_the_loop_closes_the_session_by_itself() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            complete("good")
        gc.collect()


def test_connections_are_kept_between_calls() -> None:
    async def run() -> int:
        async with fake_openai() as fake:
            lm = OpenAIHttpLM("good", fake.base_url)
            for _ in range(5):
                await lm.complete(HELLO)
            session = await lm.server.sessions.get()
            assert session.connector is not None
            return sum(map(len, session.connector._conns.values()))

    assert asyncio.run(run()) == 1

"""litellm's exceptions become errors of our tree, and it asks only once."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from studio.engine.errors import (
    LMAuthError,
    LMError,
    LMInvalidRequest,
    LMRateLimited,
    LMRefused,
    LMTimeout,
    LMUnavailable,
)
from studio.engine.lm.litellm_client import LiteLLMLM, known_abilities
from studio.engine.messages import Completion, Message, Request
from tests.engine.lm.fake_openai import KEY, FakeOpenAI, fake_openai

# litellm and what it brings along warn of their own futures.
pytestmark = pytest.mark.filterwarnings("ignore")

HELLO = Request(messages=(Message("user", "hello"),), stop=("\n",), max_tokens=5)


@pytest.fixture(autouse=True)
def _sweep() -> Iterator[None]:
    yield
    gc.collect()


def complete(
    model: str, price: tuple[float, float] | None = None
) -> tuple[Completion | LMError, FakeOpenAI]:
    async def run() -> tuple[Completion | LMError, FakeOpenAI]:
        async with fake_openai() as fake:
            lm = LiteLLMLM(f"openai/{model}", KEY, fake.base_url, timeout_s=1.0, price=price)
            try:
                return await lm.complete(HELLO), fake
            except LMError as error:
                return error, fake

    return asyncio.run(run())


def test_it_answers_with_usage_and_cost() -> None:
    completion, fake = complete("good", price=(2.0, 10.0))
    assert isinstance(completion, Completion)
    assert completion.text == "You said hello"
    assert completion.usage.to_dict() == {
        "calls": 1,
        "prompt_tokens": 11,
        "completion_tokens": 3,
        "cost": pytest.approx((11 * 2 + 3 * 10) / 1e6),
    }
    assert fake.bodies[0]["stop"] == ["\n"]


def test_a_known_model_has_its_price() -> None:
    completion, _ = complete("gpt-4o-mini")
    assert isinstance(completion, Completion)
    assert completion.usage.cost > 0


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("denied", LMAuthError),
        ("forbidden", LMAuthError),
        ("unknown", LMInvalidRequest),
        ("odd", LMInvalidRequest),
        ("busy", LMRateLimited),
        ("broken", LMUnavailable),
        ("hang", LMTimeout),
        ("hang-up", LMUnavailable),
        ("filtered", LMRefused),
        ("refusing", LMRefused),
    ],
)
def test_failures(model: str, error: type[LMError]) -> None:
    raised, fake = complete(model)
    assert type(raised) is error, raised
    assert len(str(raised)) < 500
    assert len(fake.bodies) == 1


def test_the_server_says_when_to_come_back() -> None:
    raised, _ = complete("busy")
    assert isinstance(raised, LMRateLimited)
    assert raised.retry_after_s == 7.0


@pytest.mark.parametrize("model", ["garbage", "cut-off", "no-choices", "null-choices", "no-text"])
def test_an_answer_that_is_none_is_an_error(model: str) -> None:
    raised, _ = complete(model)
    assert isinstance(raised, LMError)


def test_the_endpoint_names_the_provider_or_the_address() -> None:
    assert LiteLLMLM("anthropic/claude", KEY).endpoint == "litellm:anthropic"
    assert LiteLLMLM("openai/x", KEY, "http://a:b@h:1/v1?key=k").endpoint == "http://h:1/v1"


def test_the_price_of_a_stream_is_that_of_the_whole() -> None:
    async def run() -> None:
        async with fake_openai() as fake:
            for options in ({}, {"price": (2.0, 10.0)}):
                lm = LiteLLMLM("openai/gpt-4o-mini", KEY, fake.base_url, **options)  # type: ignore[arg-type]
                whole = await lm.complete(HELLO)
                *_, streamed = [piece async for piece in lm.stream(HELLO)]
                assert isinstance(streamed, Completion)
                assert streamed.usage.cost == pytest.approx(whole.usage.cost)
                assert streamed.usage.cost > 0
                await lm.aclose()

    asyncio.run(run())


def test_litellm_says_what_models_can() -> None:
    able = asyncio.run(known_abilities("gpt-4o-mini"))
    assert (able.follows_schemas, able.calls_tools, able.sees_images) == (True, True, True)
    unknown = asyncio.run(known_abilities("openai/no-such-model"))
    assert (unknown.follows_schemas, unknown.calls_tools, unknown.sees_images) == (False,) * 3


def test_importing_litellm_reaches_for_no_network_and_nothing_else_imports_it() -> None:
    """In a process of its own, where every connection and every look-up fails."""
    code = """
import socket, sys

def refuse(*arguments, **options):
    sys.stderr.write(f"reached for {arguments}\\n")
    raise OSError("no network here")

socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = socket.create_connection = refuse
from studio.engine.lm.litellm_client import LiteLLMEmbedder, LiteLLMLM, load_litellm
LiteLLMLM("anthropic/claude", "key"), LiteLLMEmbedder("voyage/voyage-3.5", "key")
assert not {"litellm", "openai", "aiohttp"} & set(sys.modules), "imported too early"
assert load_litellm().model_cost
"""
    environment = {key: value for key, value in os.environ.items() if "LITELLM" not in key}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")

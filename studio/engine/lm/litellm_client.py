"""Any provider that litellm reaches. The only file that imports it, and only when it is used:
the import takes seconds and 160 MB, which a web process never needs.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from studio.engine.errors import (
    LMBadAnswer,
    LMError,
    LMRefused,
    LMTimeout,
    LMUnavailable,
)
from studio.engine.lm.embedding import BatchedEmbedder, Batching
from studio.engine.lm.http_answers import public_address, shorten, status_error
from studio.engine.lm.openai_answers import StreamReader, read_tool_calls
from studio.engine.lm.per_loop import PerLoop
from studio.engine.lm.plain import Plain
from studio.engine.lm.wire import message_json, response_format_json, tools_json
from studio.engine.messages import Completion, Request, Usage


def load_litellm() -> Any:
    """Import litellm, set so that it neither calls home nor fetches a price list.

    Takes seconds the first time: a worker may call it in a thread when it starts.
    """
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm as imported

    litellm: Any = imported
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    # Embeddings take our `max_retries` of 0 for "not said", and would be asked for three times.
    litellm.DEFAULT_MAX_RETRIES = 0
    return litellm


@dataclass(frozen=True, slots=True)
class Abilities:
    """What litellm's list says of a model."""

    follows_schemas: bool
    calls_tools: bool
    sees_images: bool


async def known_abilities(name: str) -> Abilities:
    """What litellm knows of a model; all false for one that it does not know.

    Imports litellm, which takes seconds the first time.
    """
    litellm = await asyncio.to_thread(load_litellm)
    return Abilities(
        follows_schemas=bool(litellm.supports_response_schema(model=name)),
        calls_tools=bool(litellm.supports_function_calling(model=name)),
        sees_images=bool(litellm.supports_vision(model=name)),
    )


class _Reached:
    """A model named as litellm names it, and how it is reached."""

    def __init__(
        self,
        name: str,
        api_key: str = "",
        base_url: str = "",
        *,
        timeout_s: float,
        price: tuple[float, float] | None,
    ) -> None:
        self.name = name
        self.endpoint = (
            public_address(base_url) if base_url else f"litellm:{name.partition('/')[0]}"
        )
        self._api_key = api_key.strip()
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._price = price
        self._loops = PerLoop(lambda: None, _close_clients)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.endpoint!r})"

    async def aclose(self) -> None:
        """Give back this loop's connections; another model in it opens them anew."""
        await self._loops.aclose()

    async def _ready(self) -> Any:
        litellm = await asyncio.to_thread(load_litellm)
        await self._loops.get()
        return litellm

    def _arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "model": self.name,
            "timeout": self._timeout_s,
            # Retries are counted and paced by us; models that know no temperature do without.
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": True,
        }
        if self._api_key:
            arguments["api_key"] = self._api_key
        if self._base_url:
            arguments["api_base"] = self._base_url
        return arguments

    def _translated(self, error: Exception) -> LMError:
        """Our error for one of litellm's, which are all made after OpenAI's."""
        import litellm
        import openai

        said = shorten(getattr(error, "message", "") or str(error), self._api_key)
        if isinstance(error, litellm.exceptions.ContentPolicyViolationError):
            return LMRefused(f"{self.name} declined to answer: {said}")
        if isinstance(error, openai.APITimeoutError):
            return LMTimeout(f"{self.name} did not answer in {self._timeout_s:g} s.")
        if isinstance(error, openai.APIResponseValidationError):
            return LMBadAnswer(f"{self.name} answered something that is no completion: {said}")
        status = getattr(error, "status_code", None)
        if isinstance(error, openai.APIConnectionError) or not isinstance(status, int):
            return LMUnavailable(f"{self.name} cannot be reached: {said}")
        # The exception's own `response` is made up; the server's headers stand apart from it.
        headers: Mapping[str, str] = getattr(error, "litellm_response_headers", None) or {}
        return status_error(status, headers, said, name=self.name, secret=self._api_key)

    def _read_usage(self, answer: Any) -> Usage:
        counts = getattr(answer, "usage", None)
        prompt = int(getattr(counts, "prompt_tokens", 0) or 0)
        completion = int(getattr(counts, "completion_tokens", 0) or 0)
        if self._price is not None:
            cost = (prompt * self._price[0] + completion * self._price[1]) / 1e6
        else:
            hidden = getattr(answer, "_hidden_params", None) or {}
            cost = float(hidden.get("response_cost") or 0.0)
        return Usage(calls=1, prompt_tokens=prompt, completion_tokens=completion, cost=cost)


class LiteLLMLM(_Reached, Plain):
    """A model named as litellm names it, such as `anthropic/claude-sonnet-4-5`.

    Without an `api_key` litellm looks into the provider's own environment variable. `price`
    (US dollars for a million tokens of the prompt and of the answer) replaces litellm's list.
    `follows_schemas`, `calls_tools` and `sees_images` say what the model can; `known_abilities`
    tells what litellm knows of it. Every failure is an `LMError`, and neither those nor `repr`
    ever show the key.
    """

    def __init__(
        self,
        name: str,
        api_key: str = "",
        base_url: str = "",
        *,
        default_format: str = "chat",
        timeout_s: float = 120.0,
        price: tuple[float, float] | None = None,
        follows_schemas: bool = False,
        calls_tools: bool = False,
        sees_images: bool = False,
    ) -> None:
        super().__init__(name, api_key, base_url, timeout_s=timeout_s, price=price)
        self.default_format = default_format
        self.follows_schemas = follows_schemas
        self.calls_tools = calls_tools
        self.sees_images = sees_images

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise an `LMError`."""
        return self._read(await self._ask(request))

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """Answer piece by piece, or raise an `LMError`; whole within `timeout_s`."""
        until = asyncio.get_running_loop().time() + self._timeout_s
        chunks = await self._ask(request, stream=True, stream_options={"include_usage": True})
        if not hasattr(chunks, "__aiter__"):
            whole = self._read(chunks)
            if whole.text:
                yield whole.text
            yield whole
            return
        import openai

        reader = StreamReader(name=self.name, price=self._price or self._listed_price())
        try:
            async with aclosing(_bounded(chunks, until)) as each:
                async for chunk in each:
                    if text := reader.add(chunk.model_dump()):
                        yield text
        except TimeoutError:
            raise LMTimeout(f"{self.name} did not answer in {self._timeout_s:g} s.") from None
        except openai.OpenAIError as error:
            raise self._translated(error) from None
        yield reader.completion()

    async def _ask(self, request: Request, **more: Any) -> Any:
        """What litellm answers, a completion or a stream."""
        self.refuse_unseen(request)
        litellm = await self._ready()
        import openai

        arguments = {
            **self._arguments(),
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            **more,
        }
        if request.stop:
            arguments["stop"] = list(request.stop)
        try:
            if not request.messages:
                # litellm makes a client for each of these and closes none: base models are better
                # reached through `OpenAIHttpLM`.
                return await litellm.atext_completion(prompt=request.prompt, **arguments)
            if request.schema is not None and self.follows_schemas:
                arguments["response_format"] = response_format_json(request.schema)
            if request.tools and self.calls_tools:
                arguments["tools"] = tools_json(request.tools)
            turns = [message_json(turn) for turn in request.messages]
            return await litellm.acompletion(messages=turns, **arguments)
        except openai.OpenAIError as error:
            # Not `from error`: the request it carries has the key in its headers.
            raise self._translated(error) from None

    def _read(self, answer: Any) -> Completion:
        choices = getattr(answer, "choices", None)
        if not choices:
            raise LMBadAnswer(f"{self.name} answered without a choice.")
        choice = choices[0]
        message = getattr(choice, "message", None)
        more = getattr(message, "provider_specific_fields", None) or {}
        if choice.finish_reason == "content_filter" or more.get("refusal"):
            raise LMRefused(f"{self.name} declined to answer.")
        text = message.content if message is not None else getattr(choice, "text", None)
        asked = [call.model_dump() for call in getattr(message, "tool_calls", None) or ()]
        calls = read_tool_calls(asked, name=self.name)
        truncated = choice.finish_reason == "length"
        if text is None and (truncated or calls):
            text = ""
        if not isinstance(text, str):
            raise LMBadAnswer(f"{self.name} answered a choice without text.")
        usage = self._read_usage(answer)
        return Completion(text=text, usage=usage, truncated=truncated, tool_calls=calls)

    def _listed_price(self) -> tuple[float, float]:
        """The price in litellm's list, for a million tokens; 0 where it knows none."""
        import litellm

        listed = litellm.model_cost
        found = listed.get(self.name) or listed.get(self.name.partition("/")[2]) or {}
        prompt = float(found.get("input_cost_per_token") or 0.0)
        completion = float(found.get("output_cost_per_token") or 0.0)
        return prompt * 1e6, completion * 1e6


class LiteLLMEmbedder(_Reached, BatchedEmbedder):
    """An embedding model named as litellm names it, such as `voyage/voyage-3.5`.

    The key, the address and the price (US dollars for a million tokens; the second number is not
    used) are those of `LiteLLMLM`; how it asks, and how often, is `BatchedEmbedder`'s.
    """

    def __init__(
        self,
        name: str,
        api_key: str = "",
        base_url: str = "",
        *,
        timeout_s: float = 60.0,
        price: tuple[float, float] | None = None,
        batching: Batching | None = None,
    ) -> None:
        _Reached.__init__(self, name, api_key, base_url, timeout_s=timeout_s, price=price)
        BatchedEmbedder.__init__(self, batching)

    async def embed_batch(self, texts: Sequence[str]) -> tuple[Any, Usage]:
        """See `BatchedEmbedder`."""
        litellm = await self._ready()
        import openai

        try:
            answer = await litellm.aembedding(input=list(texts), **self._arguments())
        except openai.OpenAIError as error:
            raise self._translated(error) from None
        return getattr(answer, "data", None), self._read_usage(answer)


async def _bounded(chunks: Any, until: float) -> AsyncGenerator[Any, None]:
    """The chunks, those that come in time; raises TimeoutError."""
    each = aiter(chunks)
    try:
        while True:
            async with asyncio.timeout_at(until):
                try:
                    chunk = await anext(each)
                except StopAsyncIteration:
                    return
            yield chunk
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


async def _close_clients(_: None) -> None:
    """Close the clients that litellm holds for the running loop.

    It keeps them under the loop's id, in memory, and never closes them when the loop ends: each
    Celery task would leave connections behind, and a later loop with the same id would get them.
    """
    import litellm

    held = litellm.in_memory_llm_clients_cache
    ending = f"-{id(asyncio.get_running_loop())}"
    for key in [key for key in held.cache_dict if str(key).endswith(ending)]:
        client = held.cache_dict.pop(key)
        held.ttl_dict.pop(key, None)
        close = getattr(client, "close", None)
        if inspect.iscoroutinefunction(close):
            await close()

"""The fast road to servers that speak OpenAI's protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from studio.engine.errors import LMInvalidRequest
from studio.engine.lm.http_server import HttpServer
from studio.engine.lm.openai_answers import StreamReader, read_completion
from studio.engine.lm.plain import Plain
from studio.engine.lm.wire import BodyWriter
from studio.engine.messages import Completion, Request

_STREAMED = b',"stream":true,"stream_options":{"include_usage":true}'
_ABLE_HOSTS = ("api.openai.com",)
"""Hosts whose present models follow schemas, call tools and see images."""


class OpenAIHttpLM(Plain):
    """A model behind `/chat/completions` and `/completions`.

    `base_url` is the part before those, such as `https://api.openai.com/v1`; `price` is in US
    dollars for a million tokens, of the prompt and of the answer. `follows_schemas`,
    `calls_tools` and `sees_images` say what model and server can; left at None they are true for
    OpenAI's own server and false for others, because a server that cannot says so late or never.
    Every failure is an `LMError`, and neither those nor `repr` ever show the key.
    """

    folder = ""
    """What stands between `base_url` and the protocol's paths."""
    schemas_of_prompts = False
    """Whether `/completions` takes the member `json_schema`, as llama.cpp's server does."""

    def __init__(
        self,
        name: str,
        base_url: str,
        api_key: str = "",
        *,
        default_format: str = "chat",
        timeout_s: float = 60.0,
        price: tuple[float, float] = (0.0, 0.0),
        connections: int = 64,
        max_answer_bytes: int = 4 * 2**20,
        follows_schemas: bool | None = None,
        calls_tools: bool | None = None,
        sees_images: bool | None = None,
    ) -> None:
        self.server = HttpServer(
            name,
            base_url,
            api_key,
            timeout_s=timeout_s,
            connections=connections,
            max_answer_bytes=max_answer_bytes,
        )
        able = self.server.host in _ABLE_HOSTS
        self.name = name
        self.default_format = default_format
        self.follows_schemas = able if follows_schemas is None else follows_schemas
        self.calls_tools = able if calls_tools is None else calls_tools
        self.sees_images = able if sees_images is None else sees_images
        self._price = price
        self._bodies = BodyWriter(
            name,
            follows_schemas=self.follows_schemas,
            calls_tools=self.calls_tools,
            schemas_of_prompts=self.schemas_of_prompts,
        )
        self._chat_path = f"{self.folder}chat/completions"
        self._text_path = f"{self.folder}completions"

    @property
    def endpoint(self) -> str:
        """The server's address without anything that could be a secret."""
        return self.server.address

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.endpoint!r})"

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise an `LMError`."""
        path, body = self._written(request)
        try:
            data = await self.server.send(path, body)
        except LMInvalidRequest as error:
            raise self._advised(error, request) from None
        return read_completion(data, name=self.name, price=self._price)

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """The answer while it is written; it must be whole in `timeout_s`, as with `complete`."""
        path, body = self._written(request, _STREAMED)
        try:
            async with self.server.lines(path, body) as lines:
                if not lines.is_stream:
                    whole = read_completion(await lines.whole(), name=self.name, price=self._price)
                    if whole.text:
                        yield whole.text
                    yield whole
                    return
                reader = StreamReader(name=self.name, price=self._price, secret=self.server.secret)
                async with aclosing(lines.each()) as each:
                    async for line in each:
                        if text := reader.feed(line):
                            yield text
                        if reader.done:
                            break
            yield reader.completion()
        except LMInvalidRequest as error:
            raise self._advised(error, request) from None

    async def aclose(self) -> None:
        """Give back this loop's connections."""
        await self.server.aclose()

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that the server answers at `path`, or raise an `LMError`."""
        return await self.server.post(path, body)

    def _written(self, request: Request, more: bytes = b"") -> tuple[str, bytes]:
        if not self.sees_images:
            self.refuse_unseen(request)
        if request.messages:
            return self._chat_path, self._bodies.chat(request, more)
        return self._text_path, self._bodies.text(request, more)

    def _advised(self, error: LMInvalidRequest, request: Request) -> LMInvalidRequest:
        """The server's refusal, with the way out when it does not know what was asked of it."""
        said = str(error).lower()
        if (
            request.schema is not None
            and self.follows_schemas
            and any(word in said for word in ("response_format", "json_schema", "schema"))
        ):
            return LMInvalidRequest(
                f"{error} The request asks for an answer of a fixed JSON shape; if the server "
                "cannot do that, say in the connection that it follows no schemas."
            )
        if request.tools and self.calls_tools and "tool" in said:
            return LMInvalidRequest(
                f"{error} The request offers tools; if the server knows none, say in the "
                "connection that it calls no tools."
            )
        return error

"""A server that speaks JSON over HTTP: one pool of connections a loop, no middleman."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from studio.engine.errors import (
    LMAuthError,
    LMBadAnswer,
    LMError,
    LMInvalidRequest,
    LMTimeout,
    LMUnavailable,
)
from studio.engine.lm.http_answers import public_address, read_json, server_message, status_error
from studio.engine.lm.per_loop import PerLoop
from studio.engine.lm.wire import to_bytes

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

_CHUNK = 65_536
_LAST = {"Connection": "close"}


class HttpServer:
    """Posts JSON to the paths below `base_url`. Every failure is an `LMError`.

    `name` stands in those errors; neither they nor `repr` ever show the key. A redirect is not
    followed: it would carry the key and the prompt to a place that nobody named. When a call is
    cancelled or takes longer than `timeout_s`, its connection is closed, so that a server that
    notices stops working for nobody.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        api_key: str = "",
        *,
        timeout_s: float,
        connections: int,
        max_answer_bytes: int,
    ) -> None:
        from yarl import URL

        try:
            url = URL(base_url.strip())
        except ValueError:
            url = URL()
        if url.scheme not in ("http", "https") or not url.host:
            raise LMInvalidRequest("The address of a server begins with http:// or https://.")
        api_key = api_key.strip()
        if not api_key.isprintable():
            raise LMAuthError("The key holds characters that cannot be sent, such as a line end.")
        self.name = name
        self.host = url.host
        self.address = public_address(base_url.strip())
        self.secret = api_key or url.password or ""
        self.max_answer_bytes = max_answer_bytes
        self.sessions: PerLoop[aiohttp.ClientSession] = PerLoop(self._new_session, _close)
        self._url = url.with_user(None)
        self._urls: dict[str, URL] = {}
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if authorization := f"Bearer {api_key}" if api_key else _basic(url):
            self._headers["Authorization"] = authorization
        self._timeout_s = timeout_s
        self._connections = connections

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.address!r})"

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that the server answers at `path`."""
        return await self.send(path, to_bytes(body))

    async def send(self, path: str, body: bytes) -> dict[str, Any]:
        """The same for a body that is written already."""
        import aiohttp

        session = self.sessions.known() or await self.sessions.get()
        try:
            async with session.post(
                self._urls.get(path) or self._url_of(path), data=body, allow_redirects=False
            ) as response:
                raw = await self._read(response)
        except TimeoutError:
            raise self._too_late() from None
        except aiohttp.ClientError as error:
            # Not `from error`: the request it carries has the key in its headers.
            raise self._unreachable(error) from None
        if response.status != 200:
            raise self.refused(response.status, response.headers, raw)
        return read_json(raw, name=self.name)

    @asynccontextmanager
    async def lines(self, path: str, body: bytes) -> AsyncGenerator[Lines, None]:
        """The lines of an answer while they come, or the whole of it when it is no stream."""
        import aiohttp

        session = self.sessions.known() or await self.sessions.get()
        try:
            async with session.post(
                self._urls.get(path) or self._url_of(path),
                data=body,
                allow_redirects=False,
                # Not kept for the next call: llama.cpp's server hangs up after a stream without
                # saying so, and the next call would find out only when it is sent.
                headers=_LAST,
            ) as response:
                if response.status != 200:
                    raw = await self._read(response)
                    raise self.refused(response.status, response.headers, raw)
                yield Lines(self, response)
        except TimeoutError:
            raise self._too_late() from None
        except aiohttp.ClientError as error:
            raise self._unreachable(error) from None

    def refused(self, status: int, headers: Mapping[str, str], raw: bytes) -> LMError:
        """The error for an answer of that status."""
        said = server_message(raw)
        return status_error(status, headers, said, name=self.name, secret=self.secret)

    async def aclose(self) -> None:
        """Give back this loop's connections."""
        await self.sessions.aclose()

    def _url_of(self, path: str) -> URL:
        url = self._url.joinpath(path).with_query(self._url.query)
        self._urls[path] = url
        return url

    def _new_session(self) -> aiohttp.ClientSession:
        import aiohttp

        return aiohttp.ClientSession(
            headers=self._headers,
            connector=aiohttp.TCPConnector(limit=self._connections),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            # Nothing here lives on cookies, and looking for them takes a tenth of a call.
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    def _too_late(self) -> LMTimeout:
        return LMTimeout(f"{self.name} did not answer in {self._timeout_s:g} s.")

    def _unreachable(self, error: Exception) -> LMUnavailable:
        return LMUnavailable(f"{self.address} cannot be reached ({type(error).__name__}).")

    def too_long(self) -> LMBadAnswer:
        """The error for an answer of more than `max_answer_bytes`."""
        return LMBadAnswer(f"{self.name} answered more than {self.max_answer_bytes:,} bytes.")

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        length = response.content_length
        if length is not None and "Content-Encoding" not in response.headers:
            if length > self.max_answer_bytes:
                raise self.too_long()
            return await response.read()
        # Of unknown length: chunked, or packed.
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_chunked(_CHUNK):
            size += len(part)
            if size > self.max_answer_bytes:
                raise self.too_long()
            parts.append(part)
        return b"".join(parts)


class Lines:
    """An answer that comes line by line."""

    def __init__(self, server: HttpServer, response: aiohttp.ClientResponse) -> None:
        self._server = server
        self._response = response
        self.is_stream = response.content_type == "text/event-stream"

    async def whole(self) -> dict[str, Any]:
        """The answer of a server that does not stream."""
        return read_json(await self._server._read(self._response), name=self._server.name)

    async def each(self) -> AsyncGenerator[bytes, None]:
        """Each line without its end; of all together at most `max_answer_bytes`."""
        size, rest = 0, b""
        async for part in self._response.content.iter_any():
            size += len(part)
            if size > self._server.max_answer_bytes:
                raise self._server.too_long()
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                yield line.removesuffix(b"\r")
        if rest:
            yield rest


async def _close(session: aiohttp.ClientSession) -> None:
    await session.close()


def _basic(url: URL) -> str:
    """The header for a server whose address carries a user and a password."""
    import aiohttp

    if url.user is None:
        return ""
    return aiohttp.encode_basic_auth(url.user, url.password or "")

"""A tool that asks a web server: hosts, method and headers are the operator's, never the LM's."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from studio.engine.errors import ToolError
from studio.engine.messages import ToolSpec
from studio.engine.tools.addresses import Hosts
from studio.engine.tools.arguments import CheckedTool
from studio.engine.tools.html_text import html_text

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

_CHUNK = 65_536
_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_AGENT = "compile-studio"
_TEXTS = re.compile(r"text/|application/(?:[\w.-]+\+)?(?:json|xml)\Z|application/(?:x-)?ndjson\Z")
_PAGES = ("text/html", "application/xhtml+xml")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}\Z")


class HttpTool(CheckedTool):
    """GET or POST to hosts that the operator allows.

    `url` is a template such as `https://api.example.com/orders/{order}?full={full}`: its
    arguments fill the places, percent-encoded, and cannot change host or path; other arguments of
    a POST are its JSON body. Without `url` the LM gives the address itself, as `url`, inside of
    `allow`.

    `allow` holds hosts: `example.com`, `*.example.com`, `https://example.com:8443`, or `*` for
    every public one; the host of `url` is allowed by itself. A host at a private address is
    refused unless it stands in `allow_private`, or `allow` (or `url`) names the address itself.
    The address is looked up once, checked, and that one is connected to. Redirects are followed
    for GET, to allowed hosts only, and lose `headers` on the way to another one.

    The answer is text: of a page what people read of it. Raises `ToolError` when made with
    something that makes no sense.
    """

    def __init__(
        self,
        name: str,
        description: str,
        *,
        url: str = "",
        method: str = "GET",
        parameters: Mapping[str, Any] | None = None,
        allow: Sequence[str] = (),
        allow_private: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 15.0,
        max_bytes: int = 1_000_000,
        max_chars: int = 50_000,
    ) -> None:
        if method not in ("GET", "POST"):
            raise ToolError(f"A tool asks with GET or POST, not with “{method}”.")
        if method == "POST" and not url:
            raise ToolError("A tool that posts needs the address to which it does.")
        self._method = method
        self._template = _read_template(url)
        self._hosts = Hosts.parse((*_own_host(url), *allow), allow_private)
        if not self._hosts.public and not self._hosts.private:
            raise ToolError(f"The tool “{name}” needs a host that it may ask.")
        self._headers = _read_headers(headers or {})
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._max_chars = max_chars
        self._places = tuple(place for _, place in self._template if place)
        if url:
            self._hosts.read(self._filled(dict.fromkeys(self._places, "x")))
        super().__init__(ToolSpec(name, description, parameters or self._parameters()))

    async def run(self, arguments: dict[str, Any]) -> str:
        """See `CheckedTool.run`."""
        body: dict[str, Any] | None = None
        if self._template:
            text = self._filled(arguments)
            rest = {name: arguments[name] for name in arguments if name not in self._places}
            body = rest if self._method == "POST" else None
        else:
            text = str(arguments["url"])
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(self._hosts.read(text), body)
        except TimeoutError:
            raise ToolError(f"There was no answer in {self._timeout_s:g} s.") from None

    async def _ask(self, url: URL, body: dict[str, Any] | None) -> str:
        import aiohttp

        from studio.engine.tools.connector import CheckedSession

        origin = url.origin()
        checked = CheckedSession(self._hosts)
        async with checked as session:
            for _ in range(_MOST_REDIRECTS + 1):
                # What the operator keeps secret is for the host that it was meant for.
                headers = self._headers if url.origin() == origin else {}
                await checked.admit(url)
                try:
                    async with session.request(
                        self._method,
                        url,
                        json=body,
                        headers={"User-Agent": _AGENT, "Accept-Encoding": "gzip", **headers},
                        allow_redirects=False,
                    ) as response:
                        if response.status not in _REDIRECTS:
                            return await self._read(response)
                        target = response.headers.get("Location", "")
                except aiohttp.ClientError as error:
                    raise ToolError(
                        f"{url.host}:{url.port} cannot be reached ({type(error).__name__})."
                    ) from None
                if self._method == "POST":
                    raise ToolError("The server sends on to another address; a POST stays.")
                url = self._next(url, target)
        raise ToolError("The server sends on from address to address without an end.")

    def _next(self, url: URL, target: str) -> URL:
        from yarl import URL as Url

        try:
            joined = str(url.join(Url(target)))
        except ValueError:
            joined = ""
        if not target or not joined:
            raise ToolError("The server sends on to an address that cannot be read.")
        try:
            return self._hosts.read(joined)
        except ToolError as error:
            raise ToolError(f"The server sends on to another address. {error}") from None

    async def _read(self, response: aiohttp.ClientResponse) -> str:
        kind = response.content_type.lower()
        if not _TEXTS.match(kind):
            raise ToolError(f"The answer is no text, but {kind[:100] or 'of no named type'}.")
        raw, whole = await self._read_bounded(response)
        text = _decode(raw, response.charset)
        if "\x00" in text:
            raise ToolError("The answer is no text: it holds bytes that no text has.")
        if kind in _PAGES:
            text = html_text(text)
        if response.status >= 400:
            raise ToolError(f"The server answered with status {response.status}: {text[:300]}")
        if not whole or len(text) > self._max_chars:
            return f"{text[: self._max_chars]}\n… The answer goes on; this is its beginning."
        return text

    async def _read_bounded(self, response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
        """The body up to the bound, unpacked, and whether that is all of it."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip", ""):
            raise ToolError("The answer is packed in a way that was not asked for.")
        unpack = zlib.decompressobj(wbits=31) if encoding.endswith("gzip") else None
        parts: list[bytes] = []
        left = self._max_bytes
        async for part in response.content.iter_chunked(_CHUNK):
            try:
                part = unpack.decompress(part, left + 1) if unpack else part
            except zlib.error:
                raise ToolError("The answer is packed, and cannot be unpacked.") from None
            parts.append(part[:left])
            left -= len(part)
            if left < 0:
                return b"".join(parts), False
        return b"".join(parts), True

    def _filled(self, arguments: Mapping[str, Any]) -> str:
        """The template with the arguments in their places."""
        return "".join(
            text + (quote(_as_text(arguments.get(place, "")), safe="") if place else "")
            for text, place in self._template
        )

    def _parameters(self) -> dict[str, Any]:
        """The schema when the operator gave none: every place of the template is a text."""
        places = self._places if self._template else ("url",)
        described = {} if self._template else {"description": "The address, with https://."}
        return {
            "type": "object",
            "properties": {place: {"type": "string", **described} for place in places},
            "required": list(places),
            "additionalProperties": self._method == "POST",
        }


def _read_template(url: str) -> tuple[tuple[str, str], ...]:
    """Text and the name of the place after it, in turn."""
    if not url:
        return ()
    try:
        parts = [(text, place or "") for text, place, _, _ in Formatter().parse(url)]
    except ValueError:
        raise ToolError(f"The address “{url}” has a bracket {{ that is not closed.") from None
    if not re.match(r"https?://[^/?#{}]+(?:[/?#]|\Z)", url):
        raise ToolError(f"The address “{url}” must begin with https:// and a host without places.")
    if bad := next((place for _, place in parts if place and not place.isidentifier()), ""):
        raise ToolError(f"The address “{url}” has a place with the name “{bad}”, which is none.")
    return tuple(parts)


def _own_host(url: str) -> tuple[str, ...]:
    found = re.match(r"https?://[^/?#{}]+", url)
    return (found.group(),) if found else ()


def _read_headers(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER.match(name) or not isinstance(value, str) or not value.isprintable():
            # Not the value: it may be a secret.
            raise ToolError(f"The header “{name}” cannot be sent.")
    return dict(headers)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise ToolError("A place in an address takes a text or a number, no list and no object.")
    text = "" if value is None else str(value)
    if text and not text.strip("."):
        # A path such as /orders/.. would be another one than the operator wrote.
        raise ToolError("A place in an address cannot be filled with dots alone.")
    return text


def _decode(raw: bytes, charset: str | None) -> str:
    try:
        return raw.decode(charset or "utf-8", "replace")
    except (LookupError, UnicodeError):
        return raw.decode("utf-8", "replace")

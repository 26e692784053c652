"""An HTTP session that connects to checked addresses only. Imported when first needed: aiohttp."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from studio.engine.errors import ToolError
from studio.engine.tools.addresses import Hosts, read_address


class CheckedSession:
    """Looks up each host once, checks what was found, and connects to that and nothing else.

    It has no cookies, takes no proxies from the environment and follows no redirects by itself.
    An asynchronous context manager.
    """

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._pins = _Pins()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._pins, use_dns_cache=False, force_close=True
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None),
        )

    async def __aenter__(self) -> aiohttp.ClientSession:
        return self._session

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()

    async def admit(self, url: URL) -> None:
        """Let `url` be asked; raises `ToolError` when its host is where it may not be."""
        host, port = url.raw_host or "", url.port or 0
        if read_address(host) is not None:
            self._hosts.check(url.scheme, host, port, host)
            return
        found = await _look_up(host, port)
        for address in found:
            self._hosts.check(url.scheme, host, port, address["host"])
        self._pins.known[host, port] = found


class _Pins(AbstractResolver):
    """Knows what was checked, and asks nobody."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, int], list[ResolveResult]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The checked addresses of a host that was admitted."""
        if (host, port) not in self.known:
            raise OSError(f"{host} was not looked at.")
        return self.known[host, port]

    async def close(self) -> None:
        """Nothing to give back."""


async def _look_up(host: str, port: int) -> list[ResolveResult]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ToolError(f"{host[:200]} cannot be found.") from None
    return [
        ResolveResult(
            hostname=host,
            host=str(place[0]),
            port=port,
            family=family,
            proto=proto,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for family, _, proto, _, place in found
        if family in (socket.AF_INET, socket.AF_INET6)
    ]

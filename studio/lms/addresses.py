"""Which servers a connection may name: the studio must not be a way into the network behind it."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from studio.errors import Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def allows_private() -> bool:
    """Whether servers on this machine and in its private network may be named."""
    return bool(settings.STUDIO_ALLOW_PRIVATE_LMS)


def origin_of(url: str) -> tuple[str, str, int | None]:
    """What a key is given to: scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port


def check_address(url: str) -> str:
    """The address of a server, tidied. Raises `Invalid` that says what is wrong with it."""
    url = url.strip().rstrip("/")
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(
            "The address begins with http:// or https://, such as https://api.openai.com/v1."
        )
    if parts.username is not None or parts.password is not None:
        raise Invalid("Leave name and password out of the address; the key has its own box.")
    check_reach(url)
    return url


def check_reach(url: str) -> None:
    """Raise `Invalid` when the server is in a place that the studio does not call.

    Called when the address is saved and again before calls, because names can be moved.
    """
    host = _split(url).hostname or ""
    private = allows_private()
    for address in _resolve(host, look_up=not private):
        if address.is_link_local or address.is_multicast:
            raise Invalid(f"{host} is an address that the studio never calls.")
        if not private and not address.is_global:
            raise Invalid(
                f"{host} is in a private network, which this site does not call. "
                "Its operator can allow it with STUDIO_ALLOW_PRIVATE_LMS=true."
            )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises when it is no number
    except ValueError:
        raise Invalid("This is not an address. Write https://host/v1.") from None
    return parts


def _resolve(host: str, *, look_up: bool) -> list[Address]:
    try:
        return [_plain(ipaddress.ip_address(host.partition("%")[0]))]
    except ValueError:
        if not look_up:
            return []
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Invalid(f"There is no server called {host}. Check the spelling.") from None
    return [_plain(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found]


def _plain(address: Address) -> Address:
    """The IPv4 address inside of an IPv6 one."""
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address

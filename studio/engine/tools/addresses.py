"""Where a tool may connect to: hosts that the operator named, at addresses that are looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from studio.engine.errors import ToolError

if TYPE_CHECKING:
    from yarl import URL

_PORTS = {"http": 80, "https": 443}
_PATTERN = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\*|\[[0-9a-f:.]+\]|(?:\*\.)?[a-z0-9_.-]+)"
    r"(?::(?P<port>\d{1,5}|\*))?/?\Z"
)
_LONGEST_URL = 4_000
_EMBEDDING = [ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"), ip_network("::/96")]
"""IPv6 networks whose addresses end in an IPv4 address."""

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Host:
    """One pattern of the operator's."""

    name: str
    """Exact, `*.domain` for everything below it, or `*` for every public host."""
    scheme: str = ""
    """Empty: http and https."""
    port: int | None = None
    """None: the scheme's own."""
    any_port: bool = False

    @classmethod
    def parse(cls, text: str) -> Host:
        """Read `example.com`, `*.example.com`, `https://example.com`, `[::1]:8080` or `*`.

        Raises `ToolError` for anything else.
        """
        found = _PATTERN.match(text.strip().lower())
        if not found:
            raise ToolError(
                f"“{text}” is no host: write example.com, *.example.com or https://example.com:8443."
            )
        port = found["port"]
        if port and port != "*" and not 0 < int(port) < 65_536:
            raise ToolError(f"“{text}” has a port that does not exist.")
        name = found["host"].strip("[]")
        if (address := read_address(name)) is not None:
            name = str(address)
        return cls(
            name=name.rstrip("."),
            scheme=found["scheme"] or "",
            port=int(port) if port and port != "*" else None,
            any_port=port == "*",
        )

    def matches(self, scheme: str, host: str, port: int) -> bool:
        """Whether the operator meant this place."""
        if self.scheme and self.scheme != scheme:
            return False
        if not self.any_port and port != (self.port or _PORTS[scheme]):
            return False
        if self.name == "*":
            return True
        if self.name.startswith("*."):
            return host.endswith(self.name[1:]) and len(host) > len(self.name) - 1
        return host == self.name

    @property
    def is_address(self) -> bool:
        """Whether it names an address itself."""
        return read_address(self.name) is not None


@dataclass(frozen=True, slots=True)
class Hosts:
    """What may be reached: `public` hosts at public addresses, `private` ones anywhere.

    An address that the operator wrote out as such may be private, too.
    """

    public: tuple[Host, ...]
    private: tuple[Host, ...] = ()

    @classmethod
    def parse(cls, public: Iterable[str], private: Iterable[str] = ()) -> Hosts:
        """Read patterns, or raise `ToolError`."""
        hosts = cls(
            tuple(Host.parse(text) for text in public), tuple(Host.parse(text) for text in private)
        )
        if any("*" in host.name for host in hosts.private):
            raise ToolError("Private hosts are named one by one, without *.")
        return hosts

    def read(self, text: str) -> URL:
        """`text` as an address that may be asked; raises `ToolError` with the reason if not."""
        from yarl import URL

        if not isinstance(text, str) or len(text) > _LONGEST_URL:
            raise ToolError(f"An address is a text of at most {_LONGEST_URL:,} characters.")
        text = text.strip()
        if not text.isprintable() or " " in text or "\\" in text:
            raise ToolError("The address holds characters that no address has.")
        try:
            url = URL(text).with_fragment(None)
            host, port = (url.raw_host or "").lower(), url.port
        except ValueError:
            raise ToolError(f"“{text[:200]}” is no address.") from None
        if url.scheme not in _PORTS:
            raise ToolError("An address begins with http:// or https://.")
        if not host or port is None or not port:
            raise ToolError(f"“{text[:200]}” has no host.")
        if url.raw_user is not None or url.raw_password is not None or "@" in url.raw_authority:
            raise ToolError("An address must not hold a user or a password.")
        if not self.allows(url.scheme, host, port):
            raise ToolError(f"This tool may not ask {host[:200]}:{port}.")
        return url

    def allows(self, scheme: str, host: str, port: int) -> bool:
        """Whether the operator named this place."""
        name = _normal(host)
        return any(one.matches(scheme, name, port) for one in (*self.public, *self.private))

    def check(self, scheme: str, host: str, port: int, address: str) -> None:
        """Raise `ToolError` when `host` is at an `address` where it may not be."""
        found = read_address(address)
        if found is None:
            raise ToolError(f"{host[:200]} is at no address that can be read.")
        if is_public(found):
            return
        name = _normal(host)
        if any(one.matches(scheme, name, port) for one in self.private):
            return
        if any(one.is_address and one.matches(scheme, name, port) for one in self.public):
            return
        raise ToolError(f"{host[:200]} is inside a private network, and this tool may not ask it.")


def _normal(host: str) -> str:
    address = read_address(host)
    return str(address) if address is not None else host.lower().rstrip(".")


def read_address(text: str) -> Address | None:
    """An IP address in its one proper form; None when `text` is none."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether an address is on the public network, and so is the one that it embeds."""
    if isinstance(address, IPv6Address):
        embedded = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if any(address in network for network in _EMBEDDING):
            embedded.append(IPv4Address(int(address) & 0xFFFFFFFF))
        if any(one is not None and not is_public(one) for one in embedded):
            return False
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast

"""Where a tool may connect to."""

from __future__ import annotations

import pytest

from studio.engine.errors import ToolError
from studio.engine.tools.addresses import Host, Hosts, is_public, read_address


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    found = read_address(address)
    assert found is not None
    assert not is_public(found)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_that_are_public(address: str) -> None:
    found = read_address(address)
    assert found is not None
    assert is_public(found)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (
            "example.com",
            ["https://example.com/x", "http://EXAMPLE.com", "https://example.com./x"],
            [
                "https://www.example.com",
                "https://example.com.evil.org",
                "https://example.com:8443",
                "https://evilexample.com",
            ],
        ),
        (
            "*.example.com",
            ["https://a.example.com", "https://a.b.example.com"],
            ["https://example.com", "https://evil-example.com", "https://.example.com"],
        ),
        ("https://example.com", ["https://example.com"], ["http://example.com"]),
        ("http://example.com:8080/", ["http://example.com:8080"], ["http://example.com"]),
        ("example.com:*", ["http://example.com:1", "https://example.com"], ["http://a.com:1"]),
        ("[::1]:80", ["http://[::1]/", "http://[0:0:0:0:0:0:0:1]/"], ["http://[::2]/"]),
        ("*", ["https://anything.org"], ["ftp://anything.org", "https://anything.org:22"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    hosts = Hosts.parse([pattern])
    for text in yes:
        hosts.read(text)
    for text in no:
        with pytest.raises(ToolError):
            hosts.read(text)


@pytest.mark.parametrize(
    "text", ["", "a b", "exa*mple.com", "*.*.com", "ftp://x", "x:0", "x:99999", "u@x", "x/path"]
)
def test_what_is_no_pattern(text: str) -> None:
    with pytest.raises(ToolError):
        Host.parse(text)


def test_private_hosts_are_named_one_by_one() -> None:
    with pytest.raises(ToolError, match="one by one"):
        Hosts.parse([], ["*.corp"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/etc/passwd",
        "file:///etc/passwd",
        "gopher://example.com",
        "javascript:alert(1)",
        "http://",
        "http:///x",
        "http://example.com:0",
        "http://example.com:99999",
        "http://example.com:abc",
        "http://user@example.com",
        "http://user:secret@example.com",
        "http://:secret@example.com",
        "http://@example.com",
        "http://127.0.0.1@evil.org",
        "http://example.com@evil.org",
        "http://example.com\\@evil.org",
        "http://example.com#@evil.org:1",
        "http://exa\nmple.com",
        "http://example.com/\r\nHost: evil",
        "http://example.com/ a",
        "http://exa mple.com",
        "http://[::1",
        "http://example.com/" + "x" * 5_000,
    ],
)
def test_addresses_that_are_not_asked(text: str) -> None:
    hosts = Hosts.parse(["example.com"])
    try:
        url = hosts.read(text)
    except ToolError:
        return
    assert url.host == "example.com"
    assert url.port == 80


def test_any_public_host_is_not_any_address() -> None:
    hosts = Hosts.parse(["*"])
    for address in ("127.0.0.1", "10.1.2.3", "::1", "::ffff:10.0.0.1", "169.254.169.254"):
        with pytest.raises(ToolError, match="private network"):
            hosts.check("http", "rebinding.example.org", 80, address)
        with pytest.raises(ToolError, match="private network"):
            hosts.check("http", address, 80, address)
    hosts.check("http", "example.org", 80, "93.184.216.34")


def test_what_the_operator_named_may_be_private() -> None:
    hosts = Hosts.parse(["10.0.0.5:8080", "intern.example.org"], ["wiki.corp:80"])
    hosts.check("http", "10.0.0.5", 8080, "10.0.0.5")
    hosts.check("http", "wiki.corp", 80, "10.0.0.9")
    with pytest.raises(ToolError):
        hosts.check("http", "intern.example.org", 80, "10.0.0.9")
    with pytest.raises(ToolError):
        hosts.check("http", "wiki.corp", 8080, "10.0.0.9")
    with pytest.raises(ToolError):
        hosts.check("http", "10.0.0.5", 80, "10.0.0.5")

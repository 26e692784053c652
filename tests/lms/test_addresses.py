"""Which servers a connection may name."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from studio.errors import Invalid
from studio.lms.addresses import check_address, check_reach


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/v1",
        "file:///etc/passwd",
        "example.org/v1",
        "http://",
        "http://host:port/",
        "javascript:alert(1)",
        "http://[::1",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="address"):
        check_address(url)


def test_a_password_in_the_address_is_refused() -> None:
    with pytest.raises(Invalid, match="the key has its own box"):
        check_address("https://user:secret@example.org/v1")


def test_the_address_is_tidied() -> None:
    assert check_address(" http://127.0.0.1:8080/v1/ ") == "http://127.0.0.1:8080/v1"


def test_metadata_servers_are_never_called() -> None:
    for host in ("169.254.169.254", "[fe80::1]", "224.0.0.1", "[::ffff:169.254.169.254]"):
        with pytest.raises(Invalid, match="never calls"):
            check_address(f"http://{host}/v1")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.1.2.3", "192.168.0.9", "[::1]", "[::ffff:10.0.0.1]", "0.0.0.0"],
)
def test_in_production_private_hosts_are_refused(settings: Settings, host: str) -> None:
    settings.STUDIO_ALLOW_PRIVATE_LMS = False
    with pytest.raises(Invalid, match="private network"):
        check_address(f"http://{host}:8080/v1")


def test_a_name_that_points_inside_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STUDIO_ALLOW_PRIVATE_LMS = False
    answers: dict[str, list[str]] = {
        "inside.example.org": ["10.0.0.5"],
        "mixed.example.org": ["93.184.216.34", "127.0.0.1"],
        "fine.example.org": ["93.184.216.34"],
    }

    def look_up(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        if host not in answers:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, 1, 6, "", (address, 0)) for address in answers[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    check_reach("https://fine.example.org/v1")
    for host in ("inside", "mixed"):
        with pytest.raises(Invalid, match="private network"):
            check_reach(f"https://{host}.example.org/v1")
    with pytest.raises(Invalid, match="There is no server called"):
        check_reach("https://gone.example.org/v1")

"""Hints of personal data: several formats, few false alarms."""

from __future__ import annotations

import pytest

from studio.datasets.scanning.personal import find, mask


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to bob.b@firm.co.uk, please", "email"),
        ("my card is 4111 1111 1111 1111", "card"),
        ("my card is 5500-0000-0000-0004.", "card"),
        ("amex 378282246310005", "card"),
        ("DE89 3704 0044 0532 0130 00 is my account", "iban"),
        ("pay to GB29NWBK60161331926819 now", "iban"),
        ("BE68 5390 0754 7034 that is", "iban"),
        ("call +49 30 1234567 today", "phone"),
        ("call 0049 171 1234567", "phone"),
        ("call (555) 867-5309", "phone"),
        ("call 030/9876543", "phone"),
        ("appelez 06 12 34 56 78", "phone"),
        ("from 93.184.216.34 again", "ip"),
        ("from 2606:2800:220:1:248:1893:25c8:1946", "ip"),
        ("my number is 078-05-1120", "ssn"),
    ],
)
def test_what_looks_personal_is_found(text: str, kind: str) -> None:
    assert [hint.kind for hint in find(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111112 is late",  # no card: the checksum is wrong
        "DE12 3456 7890 1234 5678 91",
        "on 01-02-2024 at 12:30:45",
        "2024-01-02T10:20:30",
        "version 10.2.3.4 of the app, or v1.2.3.4",
        "at 192.168.1.1 and 127.0.0.1",
        "it costs 1,234,567.89 euros",
        "somebody@example.com",
        "serial 123456789012",
        "the ratio was 1:2:3",
        "ISBN 978-3-16-148410-0",
        "all 10 of 20 came, 3 did not",
        "@alice wrote that",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert find(text) == []


def test_hints_are_covered() -> None:
    text = "I am bob@firm.de, card 4111 1111 1111 1111, thanks"
    assert mask(text) == "I am [e-mail address], card [card number], thanks"


def test_a_long_text_of_digits_takes_no_long_time() -> None:
    assert find("1 " * 100_000) == []
    assert find("a" * 100_000 + "@" * 1_000) == []

"""Hints of personal data in a text. Checksums and forms keep false alarms low; none is a proof."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LONGEST = 200_000
"""So many characters of a text are looked through."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Where something stands that looks personal."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """A form, and what else has to be true of what has it."""

    name: str
    title: str
    form: re.Pattern[str]
    holds: Callable[[str], bool]
    cut: Callable[[str], str] = str
    """How much of what has the form is meant."""


_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20,
    "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27,
    "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30,
    "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22,
    "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "TN": 24, "TR": 26, "UA": 29, "XK": 20,
}  # fmt: skip
_CARD_LENGTHS = {
    "30": (14,), "34": (15,), "35": (16,), "36": (14,), "37": (15,), "38": (14,),
    "4": (13, 16, 19), "5": (16,), "6": (16, 19),
}  # fmt: skip
_NOBODYS = re.compile(r"(?:^|[@.])(?:example\.(?:com|net|org)|example|test|invalid|localhost)$")


def digits_of(text: str) -> str:
    """Its digits."""
    return "".join(filter(str.isdecimal, text))


def passes_luhn(digits: str) -> bool:
    """The checksum of card numbers."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_card(text: str) -> bool:
    digits = digits_of(text)
    lengths = _CARD_LENGTHS.get(digits[:2], _CARD_LENGTHS.get(digits[0], ()))
    return len(digits) in lengths and len(set(digits)) > 1 and passes_luhn(digits)


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "").upper()
    if _IBAN_LENGTHS.get(plain[:2]) != len(plain):
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _iban_of(text: str) -> str:
    """As much as an account number of that country has; words behind it look alike."""
    length, count = _IBAN_LENGTHS.get(text[:2].upper(), 0), 0
    for at, letter in enumerate(text, 1):
        count += letter != " "
        if count == length:
            return text[:at]
    return text


def _is_email(text: str) -> bool:
    return not _NOBODYS.search(text.lower())


def _is_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def _is_phone(text: str) -> bool:
    digits = digits_of(text)
    return 9 <= len(digits) <= 15 and len(set(digits)) > 2


def _always(_text: str) -> bool:
    return True


PATTERNS: dict[str, Pattern] = {
    one.name: one
    for one in (
        Pattern(
            "email",
            "e-mail address",
            re.compile(
                r"(?<![\w.+-])[\w.+-]{1,64}@(?:[^\W_][\w-]{0,62}\.){1,6}[^\W\d_]{2,24}(?![\w-])"
            ),
            _is_email,
        ),
        Pattern(
            "iban",
            "bank account (IBAN)",
            re.compile(
                r"(?<![^\W_])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?"
                r"(?![^\W_])"
            ),
            _is_iban,
            _iban_of,
        ),
        Pattern(
            "card",
            "card number",
            re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){12,18}(?![\w-]|[.,]\d)", re.ASCII),
            _is_card,
        ),
        Pattern(
            "ip",
            "internet address (IP)",
            re.compile(
                r"(?<![\w.:])(?<![vV])(?<!ersion )(?:\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)"
                r"|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:]))",
                re.ASCII,
            ),
            _is_address,
        ),
        Pattern(
            "ssn",
            "social security number",
            re.compile(
                r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])", re.ASCII
            ),
            _always,
        ),
        Pattern(
            "phone",
            "phone number",
            re.compile(
                r"(?<![\w.,/+-])(?:"
                r"(?:\+|00)[1-9](?:[ ()./-]{0,3}\d){7,13}"  # international
                r"|\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4}"  # North America
                r"|\(?0[1-9]\d{1,4}\)?(?: ?[/-] ?| )\d{2,4}(?:[ -]?\d{2,4}){1,4}"  # national
                r"|0[1-9](?:[ .]\d{2}){4}"  # France
                r")(?![\w]|[.,/-]\d)",
                re.ASCII,
            ),
            _is_phone,
        ),
    )
}
_MAYBE = re.compile(
    r"@|\d(?:[ ()./:-]{0,3}[\dA-Fa-f:]){6}|\d:[\dA-Fa-f]|[A-Za-z]{2}\d\d", re.ASCII
)


def find(text: str) -> list[Hint]:
    """All hints in the order in which they stand; where two overlap, the surer one."""
    text = text[:LONGEST]
    if not _MAYBE.search(text):
        return []
    found: list[Hint] = []
    for hint in _all(text):
        if not any(hint.start < other.end and other.start < hint.end for other in found):
            found.append(hint)
    return sorted(found, key=lambda hint: hint.start)


def _all(text: str) -> Iterator[Hint]:
    for pattern in PATTERNS.values():
        for match in pattern.form.finditer(text):
            meant = pattern.cut(match[0])
            if pattern.holds(meant):
                yield Hint(pattern.name, match.start(), match.start() + len(meant))


def mask(text: str) -> str:
    """The text with every hint covered."""
    covered, at = [], 0
    for hint in find(text):
        covered += [text[at : hint.start], f"[{PATTERNS[hint.kind].title}]"]
        at = hint.end
    return "".join([*covered, text[at:]])

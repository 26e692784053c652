"""Letters that a wrong encoding has damaged."""

from __future__ import annotations

import pytest

from studio.datasets.scanning.encoding import is_damaged, repair


@pytest.mark.parametrize("text", ["café", "Größe", "“quoted” — 5 €", "Привет", "naïve 😀"])
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_damage_is_found_and_repaired(text: str, encoding: str) -> None:
    try:
        damaged = text.encode().decode(encoding)
    except UnicodeDecodeError:
        pytest.skip("Windows-1252 has no letter for one of the bytes.")
    assert is_damaged(damaged)
    assert repair(damaged) == text


@pytest.mark.parametrize(
    "text",
    ["SÃO PAULO", "café", "Âge", "Ðorđe", "日本語", "plain", "naïve — “so”", "4 × 5 ÷ 2 ±3"],
)
def test_sound_text_is_left_alone(text: str) -> None:
    assert not is_damaged(text)
    assert repair(text) == text


def test_lost_letters_are_told_of_and_stay() -> None:
    assert is_damaged("caf\ufffd")
    assert repair("caf\ufffd") == "caf\ufffd"

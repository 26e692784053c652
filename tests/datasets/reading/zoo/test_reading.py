"""Every animal is read right, or refused with a precise sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.datasets.reading import detect, open_source
from studio.datasets.reading.problems import KINDS
from studio.errors import Invalid
from tests.datasets.builders import ReadRow, rows_of
from tests.datasets.reading.zoo.animal import Animal
from tests.datasets.reading.zoo.animals import ZOO


def titles(animal: Animal) -> str:
    return animal.title


def test_it_is_a_zoo() -> None:
    assert len(ZOO) >= 60
    assert len({animal.title for animal in ZOO}) == len(ZOO)


@pytest.mark.parametrize("animal", [a for a in ZOO if a.refused], ids=titles)
def test_it_is_refused_with_a_sentence(tmp_path: Path, animal: Animal) -> None:
    path = tmp_path / "file"
    path.write_bytes(animal.make())
    with pytest.raises(Invalid) as refused:
        read(path, animal.filename)
    sentence = str(refused.value)
    assert animal.refused in sentence
    assert sentence[0].isupper() or sentence[0] == "“"
    assert sentence.endswith(".")
    assert len(sentence) < 400


@pytest.mark.parametrize("animal", [a for a in ZOO if not a.refused], ids=titles)
def test_it_is_read_right(tmp_path: Path, animal: Animal) -> None:
    path = tmp_path / "file"
    path.write_bytes(animal.make())
    columns, rows, problems, asks = read(path, animal.filename)
    kept = [row.values for row in rows if not row.dropped]
    if isinstance(animal.rows, int):
        assert len(kept) == animal.rows
        assert tuple(columns) == animal.columns
    else:
        assert kept == list(animal.rows)
        assert tuple(columns) == (animal.columns or tuple(animal.rows[0]))
    assert len(rows) - len(kept) == animal.left_out
    assert problems == animal.problems
    assert asks == animal.asks
    json.dumps(kept, allow_nan=False).encode()


def read(path: Path, filename: str) -> tuple[list[str], list[ReadRow], set[str], bool]:
    format_, found = detect(path, filename)
    with open_source(path, format_) as source:
        rows = rows_of(source)
        found = [*found, *source.problems, *(problem for row in rows for problem in row.problems)]
    for problem in found:
        assert problem.what.endswith(".")
        assert problem.done.endswith(".")
        assert problem.kind in KINDS
    return source.columns, rows, {problem.kind for problem in found}, format_.header == ""

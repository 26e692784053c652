"""The zoo: broken and odd files, and what becomes of each."""

from __future__ import annotations

from tests.datasets.reading.zoo.animal import Animal
from tests.datasets.reading.zoo.binaries import COMPRESSED, PARQUETS, WORKBOOKS
from tests.datasets.reading.zoo.texts import ENCODINGS, OBJECTS, TEXTS

ZOO: tuple[Animal, ...] = (*ENCODINGS, *TEXTS, *OBJECTS, *COMPRESSED, *PARQUETS, *WORKBOOKS)

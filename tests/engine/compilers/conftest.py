"""Compiles in these tests are many and small: their intervals need not be fine."""

from __future__ import annotations

import pytest

from studio.engine import statistics


@pytest.fixture(autouse=True)
def _coarse_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "_DRAWS", 0)

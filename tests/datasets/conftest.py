"""Every test of datasets has an upload folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    """The studio's data folder, empty."""
    settings.STUDIO_DATA_DIR = tmp_path / "data"
    return tmp_path / "data"

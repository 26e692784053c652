"""Files are whole, or they are not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.engine.errors import StateError
from studio.engine.saving.files import read_file, write_file
from studio.engine.saving.reading import MOST_BYTES


def test_a_file_is_written_and_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_file(path, "{}\n")
    path.chmod(0o640)
    write_file(path, "Jürgen\n")
    assert read_file(path) == "Jürgen\n".encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["state.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_file(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_file(path, "new \ud800")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["state.json"]


@pytest.mark.parametrize("name", ["program.pkl", "x.pickle"])
def test_pickles_are_not_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(StateError, match="is a pickle"):
        read_file(tmp_path / name)


def test_what_is_not_there_or_too_large_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"gone\.json cannot be read"):
        read_file(tmp_path / "gone.json")
    with pytest.raises(StateError, match="cannot be read"):
        read_file(tmp_path)
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(StateError, match="larger than 20 MB"):
        read_file(large)

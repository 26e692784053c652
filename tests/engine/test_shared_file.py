import sqlite3
import threading
from pathlib import Path

import pytest

from studio.engine.shared_file import open_shared

TABLE = ("CREATE TABLE IF NOT EXISTS thing (id INTEGER PRIMARY KEY)",)


def test_many_open_a_new_file_at_once(tmp_path: Path) -> None:
    """SQLite refuses all but one of those that set the journal mode at the same time."""
    refused: list[sqlite3.Error] = []

    for round_ in range(20):
        path = tmp_path / f"{round_}.db"
        start = threading.Barrier(6)

        def enter(path: Path = path, start: threading.Barrier = start) -> None:
            start.wait()
            try:
                connection = open_shared(path, TABLE, busy_s=10)
                connection.execute("INSERT INTO thing DEFAULT VALUES")
                connection.close()
            except sqlite3.Error as error:
                refused.append(error)

        threads = [threading.Thread(target=enter) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT count(*) FROM thing").fetchone() == (6,)
        connection.close()

    assert not refused


def test_a_file_locked_for_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        open_shared(path, TABLE, busy_s=0.1)
    holder.close()

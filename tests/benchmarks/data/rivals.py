"""What the bare drivers take for the same rows."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path
from time import perf_counter

import psycopg

from tests.benchmarks.data.world import COLUMNS

_TABLE = ", ".join(f"{name} text" for name in COLUMNS)


def executemany(path: Path, folder: Path) -> float:
    """Seconds of `sqlite3`'s executemany, fed by `csv.reader`, with the studio's journal."""
    database = folder / "bare.sqlite3"
    begun = perf_counter()
    connection = sqlite3.connect(database)
    connection.executescript(
        f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE bare ({_TABLE});"
    )
    with path.open(newline="", encoding="utf-8") as file, connection:
        reader = csv.reader(file)
        next(reader)
        connection.executemany("INSERT INTO bare VALUES (?, ?, ?, ?)", reader)
    connection.close()
    took = perf_counter() - begun
    for name in folder.glob("bare.sqlite3*"):
        name.unlink()
    return took


def copy(path: Path, url: str) -> float:
    """Seconds of `COPY … FROM STDIN` of the file into a plain table of the same Postgres."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS bare")
        connection.commit()
        begun = perf_counter()
        connection.execute(f"CREATE TABLE bare ({_TABLE})")
        with (
            path.open("rb") as file,
            connection.cursor().copy("COPY bare FROM STDIN (FORMAT csv, HEADER)") as target,
        ):
            while block := file.read(1024 * 1024):
                target.write(block)
        connection.commit()
        took = perf_counter() - begun
        connection.execute("DROP TABLE bare")
        return took

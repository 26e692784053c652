"""How long large datasets take, beside the bare drivers of the same databases.

`python -m tests.benchmarks.data --json [--rows 1000000] [--rounds 3] [--only sqlite postgres
near]` starts a web process and a worker on folders and databases of its own, and throws them away
at the end. The Postgres is the one of STUDIO_TEST_DATABASE_URL, or of this machine.

The last line is JSON: `import_vs_executemany` and `import_vs_copy` (upload to browsable, over
HTTP, divided by what the bare driver takes, the median of the rounds; at most 2 and 3),
`parquet_vs_csv`, `peak_mb` of the web process, `page_p95_ms`, `edit_ms` and `edit_kb`,
`near_duplicate_recall`, `near_duplicate_seconds`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.benchmarks.data import measures, rivals, world
from tests.benchmarks.data.site import running_site

POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
NAME = "studio_benchmark"


def tell(text: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(f"{text} (load {os.getloadavg()[0]:.1f})\n")


def on_sqlite(csv: Path, parquet: Path, folder: Path, wanted: Any) -> dict[str, Any]:
    """Everything that is measured on SQLite."""
    found: dict[str, Any] = {}
    with running_site(folder, "") as site:
        ratios, as_parquet = [], []
        for _round in range(wanted.rounds):
            bare = rivals.executemany(csv, folder)
            took, slug = measures.upload(site, csv)
            measures.wait_for_index(site, slug)
            other, slug = measures.upload(site, parquet)
            measures.wait_for_index(site, slug)
            ratios.append(took / bare)
            as_parquet.append(other / took)
            tell(f"SQLite: {took:.1f} s, executemany {bare:.1f} s, Parquet {other:.1f} s")
        found["import_vs_executemany"] = round(median(ratios), 2)
        found["parquet_vs_csv"] = round(median(as_parquet), 2)
        found |= _browsed(site, slug, wanted.rows, lambda: _sqlite_size(folder))
        found["peak_mb"] = round(site.peak_mb())
    return found


def on_postgres(csv: Path, folder: Path, wanted: Any) -> dict[str, Any]:
    """The same on Postgres, beside COPY."""
    found: dict[str, Any] = {}
    with a_database() as url, running_site(folder, url) as site:
        ratios = []
        for _round in range(wanted.rounds):
            bare = rivals.copy(csv, url)
            took, slug = measures.upload(site, csv)
            measures.wait_for_index(site, slug)
            ratios.append(took / bare)
            tell(f"Postgres: {took:.1f} s, COPY {bare:.1f} s")
        found["import_vs_copy"] = round(median(ratios), 2)
        browsed = _browsed(site, slug, wanted.rows, lambda: _postgres_size(url))
        found |= {f"{name}_postgres": value for name, value in browsed.items()}
        found["peak_mb_postgres"] = round(site.peak_mb())
    return found


def _browsed(site: Any, slug: str, count: int, size: Callable[[], int]) -> dict[str, Any]:
    measures.wait_for_index(site, slug)
    tell(f"  sorted by two columns in {measures.sort(site, slug):.1f} s")
    times = measures.pages(site, slug, measures.questions(count))
    for kind, values in times.items():
        tell(f"  {kind}: {median(values):.0f} ms, at most {max(values):.0f} ms")
    edit_ms, edit_kb = measures.edits(site, slug, count, size)
    return {
        "page_p95_ms": round(measures.p95([one for values in times.values() for one in values])),
        "edit_ms": round(edit_ms, 1),
        "edit_kb": round(edit_kb, 1),
    }


def _sqlite_size(folder: Path) -> int:
    import sqlite3

    path = folder / "database.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.stat().st_size


def _postgres_size(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        assert row is not None
        return int(row[0])


@contextmanager
def a_database() -> Iterator[str]:
    """The address of an empty database that is dropped at the end."""
    server = os.environ.get("STUDIO_TEST_DATABASE_URL") or POSTGRES
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME}")
        connection.execute(f"CREATE DATABASE {NAME}")
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{NAME}"))
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def near_duplicates() -> dict[str, Any]:
    """The scan of 100,000 rows with planted pairs."""
    from tests.benchmarks import near_duplicates as scan

    recall, seconds = scan.measure(rows=100_000)
    tell(f"Near duplicates: recall {recall:.3f} in {seconds:.1f} s")
    return {"near_duplicate_recall": round(recall, 4), "near_duplicate_seconds": round(seconds, 1)}


def main() -> None:
    """Prints one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="what is printed anyway")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    kinds = ("sqlite", "postgres", "near")
    parser.add_argument("--only", nargs="+", choices=kinds, default=list(kinds))
    wanted = parser.parse_args()
    found: dict[str, Any] = {"rows": wanted.rows}
    with tempfile.TemporaryDirectory(prefix="studio-data-") as name:
        folder = Path(name)
        csv, parquet = folder / "large.csv", folder / "large.parquet"
        if set(wanted.only) - {"near"}:
            world.write_csv(csv, wanted.rows)
            world.write_parquet(parquet, csv)
            tell(f"{wanted.rows:,} rows, {csv.stat().st_size / 1e6:.0f} MB")
        for kind in ("sqlite", "postgres"):
            (folder / kind).mkdir()
        if "sqlite" in wanted.only:
            found |= on_sqlite(csv, parquet, folder / "sqlite", wanted)
        if "postgres" in wanted.only:
            found |= on_postgres(csv, folder / "postgres", wanted)
    if "near" in wanted.only:
        found |= near_duplicates()
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()

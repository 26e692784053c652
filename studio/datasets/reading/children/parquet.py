"""Sends a Parquet file as an Arrow stream; a process of its own, see `apart`."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator

from arro3.core import RecordBatch, RecordBatchReader
from arro3.io import read_parquet, write_ipc_stream

LARGEST = 4 * 1024 * 1024
"""Bytes of a batch, unless a single row has more."""


def _pieces(batch: RecordBatch) -> Iterator[RecordBatch]:
    if batch.nbytes <= LARGEST or batch.num_rows <= 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half))
    yield from _pieces(batch.slice(half))


def _refuse(sentence: str) -> None:
    sys.stderr.write("\n" + json.dumps({"refused": sentence}) + "\n")
    sys.exit(1)


def _limit(kind: int, amount: int) -> None:
    hard = resource.getrlimit(kind)[1]
    soft = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    resource.setrlimit(kind, (soft, hard))


def main() -> None:
    """Arguments: limits, path, rows of a batch, the most columns."""
    limits, path, rows, columns = sys.argv[1:]
    allowed = json.loads(limits)
    _limit(resource.RLIMIT_AS, allowed["memory"])
    _limit(resource.RLIMIT_CPU, allowed["seconds"])
    reader = read_parquet(path, batch_size=int(rows))
    width = len(reader.schema)
    if width > int(columns):
        _refuse(
            f"The file has {width:,} columns; {int(columns):,} is the most. Keep the columns "
            "that your fields need, and upload it again."
        )
    if not width:
        _refuse("The file has no columns. Upload one that has.")
    pieces = (piece for batch in reader for piece in _pieces(batch))
    write_ipc_stream(
        RecordBatchReader.from_batches(reader.schema, pieces), sys.stdout.buffer, compression=None
    )
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

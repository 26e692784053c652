"""The rows of datasets that are there become blocks: their first version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from typing import Any

import zstandard
from django.db import migrations

ROWS, SIZE, ABSENT = 512, 256_000, 255
CODES = {"train": 0, "dev": 1, "test": 2}


def pieces(rows: Any) -> Iterator[list[tuple[dict[str, Any], int]]]:
    """(values, code) of rows whose numbers follow each other; a number without a row is absent."""
    piece: list[tuple[dict[str, Any], int]] = []
    size, expected = 0, 1
    for row in rows:
        missing = [({}, ABSENT)] * (row.number - expected)
        for values, code in (*missing, (row.values, CODES[row.split])):
            piece.append((values, code))
            size += len(str(values))
            if len(piece) >= ROWS or size >= SIZE:
                yield piece
                piece, size = [], 0
        expected = row.number + 1
    if piece:
        yield piece


def encode(columns: list[str], rows: list[dict[str, Any]]) -> tuple[str, bytes]:
    """Hash and data of a block."""
    cells = [[row.get(name) for row in rows] for name in columns]
    text = json.dumps(
        {"columns": columns, "cells": cells},
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
    ).encode()
    return sha256(text).hexdigest(), zstandard.compress(text, 1)


def rows_to_blocks(apps: Any, schema_editor: Any) -> None:
    """Every dataset that is ready; what an import left half done is dropped."""
    get = apps.get_model
    Dataset, Row = get("datasets", "Dataset"), get("datasets", "Row")
    Block, Place = get("datasets", "Block"), get("datasets", "Place")
    Version = get("datasets", "Version")
    Dataset._base_manager.filter(ready=False).delete()
    for dataset in Dataset._base_manager.all().iterator():
        start = 1
        rows = Row._base_manager.filter(dataset=dataset).order_by("number")
        waiting = pieces(rows.iterator(chunk_size=2_000))
        while taken := list(islice(waiting, 16)):
            for piece in taken:
                hash_, data = encode(dataset.columns, [values for values, _code in piece])
                block, _made = Block._base_manager.get_or_create(
                    dataset=dataset, hash=hash_, defaults={"data": data}
                )
                Place._base_manager.create(
                    dataset=dataset,
                    block=block,
                    start=start,
                    splits=bytes(code for _values, code in piece),
                    first=1,
                )
                start += len(piece)
        counts = {
            split: Row._base_manager.filter(dataset=dataset, split=split).count()
            for split in CODES
        }
        Version._base_manager.create(
            dataset=dataset,
            number=1,
            kind="import",
            fingerprint=dataset.fingerprint,
            columns=dataset.columns,
            mapping=dataset.mapping,
            row_count=dataset.row_count,
            splits=counts,
            created_by=dataset.created_by,
        )
        labels = dataset.report.get("labels") or {}
        dataset.label_column = labels.get("column", "")
        dataset.report = {**dataset.report, "splits": counts}
        dataset.save(update_fields=["label_column", "report"])


class Migration(migrations.Migration):
    dependencies = [("datasets", "0002_versions")]

    operations = [migrations.RunPython(rows_to_blocks, elidable=False)]

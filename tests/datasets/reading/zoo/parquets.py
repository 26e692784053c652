"""Parquet files, some of them with a footer that was changed afterwards."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from arro3.core import Array, DataType, Field, RecordBatch, Schema
from arro3.io import write_parquet

_STRING = b"\x25\x00\x4c\x1c\x00\x00\x00"
"""In a footer: the converted type UTF8, and the logical type STRING."""


class _Kept(io.BytesIO):
    def close(self) -> None:
        """What was written is still asked for."""


def make_parquet(columns: Mapping[str, Array], **options: Any) -> bytes:
    """A Parquet file of these columns."""
    fields = [Field(name, values.type) for name, values in columns.items()]
    batch = RecordBatch.from_arrays(list(columns.values()), schema=Schema(fields))
    file = _Kept()
    write_parquet(batch, file, **options)
    return file.getvalue()


def values(type_: DataType, *given: Any) -> Array:
    """A column of plain values."""
    return Array(list(given), type=type_)


def counts(type_: DataType, *given: Any) -> Array:
    """A column of dates, times, durations or decimals, by the integers that stand for them."""
    whole = DataType.int32() if DataType.is_date32(type_) else DataType.int64()
    return Array(list(given), type=whole).cast(type_)


def make_texts(count: int = 2, **options: Any) -> bytes:
    """A file with one column of texts, `a`."""
    column = values(DataType.string(), *(f"text {n}" for n in range(count)))
    return make_parquet({"a": column}, **options)


def repeated(text: str, count: int) -> bytes:
    """One text in many rows: a small file, and a large batch."""
    one = values(DataType.string(), text)
    many = one.cast(DataType.dictionary(DataType.int32(), DataType.string()))
    many = many.take(values(DataType.int32(), *[0] * count))
    return make_parquet(
        {"a": many},
        compression="zstd(1)",
        skip_arrow_metadata=True,
        dictionary_page_size_limit=2**30,
    )


def with_logical_type(number: int) -> bytes:
    """The same with another logical type than text: unknown to every reader past 18."""
    head = bytes([number << 4 | 0x0C]) if number < 16 else b"\x0c" + _varint(2 * number)
    return _with_footer(_STRING, b"\x6c" + head + b"\x00\x00\x00")


def with_converted_type(number: int) -> bytes:
    """The same with another of the old names of types."""
    return _with_footer(_STRING, b"\x25" + _varint(2 * number) + b"\x00")


def with_another_physical_type() -> bytes:
    """Texts of which the footer says that they are numbers."""
    return _with_footer(b"\x15\x0c\x25\x02\x18\x01a" + _STRING, b"\x15\x04\x25\x02\x18\x01a\x00")


def with_intervals() -> bytes:
    """Months, days and milliseconds, which an old type holds."""
    column = values(DataType.binary(12), bytes(12), b"\x01\0\0\0" * 3)
    written = make_parquet({"a": column, "b": values(DataType.int64(), 1, 2)},
                           skip_arrow_metadata=True)  # fmt: skip
    return _with_footer(b"\x18\x01a\x00", b"\x18\x01a\x25\x2a\x00", written)


def with_footer_length(length: int) -> bytes:
    """A file that says its footer is so long."""
    return make_texts()[:-8] + length.to_bytes(4, "little") + b"PAR1"


def _with_footer(old: bytes, new: bytes, written: bytes = b"") -> bytes:
    written = written or make_texts(skip_arrow_metadata=True)
    length = int.from_bytes(written[-8:-4], "little")
    body, footer = written[: -8 - length], written[-8 - length : -8]
    assert footer.count(old) == 1
    footer = footer.replace(old, new)
    return body + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes([value])
    return bytes([value & 0x7F | 0x80]) + _varint(value >> 7)

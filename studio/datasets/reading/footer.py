"""How many rows a Parquet file says it has: for a progress bar, nothing depends on it."""

from __future__ import annotations

from pathlib import Path

_MOST = 16 * 1024 * 1024
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 12
_VERSION, _SCHEMA, _ROWS = 1, 2, 3
_DEEP = 64


class _Unreadable(Exception):
    """The footer is not what it should be; the reader that matters will say it better."""


def row_count(path: Path) -> int:
    """The number of rows in the footer, or 0 when it cannot be told."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        length = int.from_bytes(file.read(4), "little")
        if not 0 < length <= min(size - 8, _MOST):
            return 0
        file.seek(size - 8 - length)
        footer = _Thrift(file.read(length))
    try:
        return max(0, footer.integer_field(_ROWS))
    except (_Unreadable, IndexError):
        return 0


class _Thrift:
    """As much of Thrift's compact protocol as it takes to get over a schema."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def integer_field(self, wanted: int) -> int:
        """The integer in a field of the outermost struct."""
        field = 0
        while True:
            field, kind = self._field(field)
            if kind == _STOP or field > wanted:
                raise _Unreadable
            if field == wanted:
                return self._zigzag()
            self._skip(kind, 0)

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise _Unreadable

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _field(self, before: int) -> tuple[int, int]:
        head = self._byte()
        kind, delta = head & 0x0F, head >> 4
        if kind == _STOP:
            return before, kind
        return (before + delta if delta else self._zigzag()), kind

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _DEEP:
            raise _Unreadable
        if kind in (_TRUE, _FALSE):
            return
        if kind == _BINARY:
            length = self._varint()
            self._at += length
        elif kind == _DOUBLE:
            self._at += 8
        elif kind == _BYTE:
            self._at += 1
        elif kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._varint()
            for _ in range(count):
                self._skip(head & 0x0F, depth + 1)
                if self._at > len(self._data):
                    raise _Unreadable
        elif kind == _STRUCT:
            field = 0
            while True:
                field, kind = self._field(field)
                if kind == _STOP:
                    return
                self._skip(kind, depth + 1)
        else:
            self._varint()

"""The bytes of a file, unpacked on the way when it is compressed, never whole in memory."""

from __future__ import annotations

import errno
import io
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from studio.datasets.reading.sniffing import Format
from studio.errors import Invalid

MAX_UNPACKED = 8 * 1024**3
"""Bytes that a compressed file may unpack to."""
MAX_RATIO = 200
"""So many times its own size, once it is past `FREE_UNPACKED`: tables shrink 3 to 30 times."""
FREE_UNPACKED = 64 * 1024**2
_BUFFER = 256 * 1024
_INPUT = 64 * 1024
_WINDOW = 128 * 1024**2
_TITLES = {"gzip": "gzip", "zstd": "Zstandard"}


@dataclass(frozen=True, slots=True)
class Bytes:
    """An open file."""

    stream: BinaryIO
    part: Callable[[], float]
    """How much of the file on disk has been read, 0 to 1."""


@contextmanager
def open_bytes(path: Path, compression: str = "") -> Iterator[Bytes]:
    """The content of a file. Reading raises `Invalid` when it is no such archive, or a bomb."""
    size = max(1, path.stat().st_size)
    with path.open("rb", buffering=_BUFFER) as file:
        stream: Any = file
        if compression:
            stream = io.BufferedReader(_Unpacked(file, compression), _BUFFER)
        yield Bytes(stream, lambda: min(1.0, file.tell() / size))


@contextmanager
def unpacked_file(path: Path, compression: str = "") -> Iterator[Path]:
    """A file that can be read in any order: the file itself, or an unpacked copy for a while."""
    if not compression:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="unpacked-") as folder:
        copy = Path(folder) / "file"
        try:
            _unpack(path, compression, copy)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise Invalid(
                "There is no room on the disk to unpack the file. Ask the operator to make room, "
                "or upload it without compression."
            ) from None
        yield copy


def _unpack(path: Path, compression: str, copy: Path) -> None:
    with open_bytes(path, compression) as packed, copy.open("wb") as target:
        shutil.copyfileobj(packed.stream, target, _BUFFER)


@contextmanager
def open_text(path: Path, format_: Format) -> Iterator[tuple[io.TextIOWrapper, Bytes]]:
    """The characters of a file; line ends stay as they are."""
    with open_bytes(path, format_.compression) as found:
        text = io.TextIOWrapper(
            found.stream, encoding=format_.encoding, errors=format_.errors, newline=""
        )
        yield text, found


class _Unpacked(io.RawIOBase):
    """What is in a gzip or Zstandard file."""

    def __init__(self, file: BinaryIO, compression: str) -> None:
        self._file, self._title = file, _TITLES[compression]
        self._blocks = (_gunzip if compression == "gzip" else _unzstd)(file)
        self._rest = memoryview(b"")
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                block = next(self._blocks, None)
            except (zlib.error, zstandard.ZstdError) as error:
                raise Invalid(
                    f"The file is no sound {self._title} archive ({error}). Pack it again, or "
                    "upload it without compression."
                ) from None
            if block is None:
                return 0
            self._note(len(block))
            self._rest = memoryview(block)
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken

    def _note(self, count: int) -> None:
        self._count += count
        read = max(1, self._file.tell())
        if self._count > MAX_UNPACKED:
            raise Invalid(
                f"The archive unpacks to more than {MAX_UNPACKED // 1024**3} GB. Upload a part "
                "of it."
            )
        if self._count > FREE_UNPACKED and self._count > MAX_RATIO * read:
            raise Invalid(
                f"The archive unpacks to more than {MAX_RATIO} times its size: that is no table, "
                "or one that repeats itself. Upload it without compression."
            )


def _gunzip(file: BinaryIO) -> Iterator[bytes]:
    data = file.read(_INPUT)
    while data:
        member = zlib.decompressobj(wbits=31)
        while True:
            yield member.decompress(data, _BUFFER)
            data = member.unconsumed_tail or (b"" if member.eof else file.read(_INPUT))
            if member.eof:
                break
            if not data:
                raise zlib.error("it breaks off")
        data = member.unused_data or file.read(_INPUT)
        while data and not (data := data.lstrip(b"\0")):  # padding of tapes
            data = file.read(_INPUT)


def _unzstd(file: BinaryIO) -> Iterator[bytes]:
    """Fed in small pieces: four bytes can become 128 KB."""
    context = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    data = file.read(_FEED)
    while data:
        frame = context.decompressobj()
        while True:
            yield frame.decompress(data)
            if frame.eof:
                break
            if not (data := file.read(_FEED)):
                raise zstandard.ZstdError("it breaks off")
        data = frame.unused_data or file.read(_FEED)


_FEED = 1024

"""Where uploaded files lie until they are datasets."""

from __future__ import annotations

import errno
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError

from studio.errors import Invalid, NoRoom

MEGABYTE = 1024 * 1024
SPARE = 64 * MEGABYTE
"""So much of the disk is left for everything else."""
_COPY = 256 * 1024
_TOKEN = re.compile(r"[0-9a-f]{32}")
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Readable(Protocol):
    """Something that is read piece by piece, such as the body of a request."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, none at the end."""
        ...


def max_upload() -> int:
    """The largest file that is taken, in bytes."""
    return int(settings.STUDIO_MAX_UPLOAD_MB) * MEGABYTE


def refuse_large(size: int) -> None:
    """Raise `Invalid` when a file of `size` bytes is not taken."""
    if size > max_upload():
        raise Invalid(
            f"The file has {size / MEGABYTE:,.0f} MB; {settings.STUDIO_MAX_UPLOAD_MB} MB is the "
            "most. Upload a part of it, or ask the operator to raise STUDIO_MAX_UPLOAD_MB."
        )


def folder() -> Path:
    """The folder of all uploads."""
    return Path(settings.STUDIO_DATA_DIR) / "uploads"


def path_of(token: str) -> Path:
    """The file of an upload."""
    return folder() / token


def problems_path_of(token: str) -> Path:
    """What is wrong with the rows of an upload, one by one; see `problem_files`."""
    return folder() / f"{token}.problems"


def new_token() -> str:
    """A name for a file that nobody can guess."""
    return secrets.token_hex(16)


def refuse_without_room(size: int) -> None:
    """Raise `NoRoom` when the disk cannot hold a file of that size and the rows made of it."""
    folder().mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder()).free
    if free < 2 * size + SPARE:
        raise NoRoom(
            f"The studio's disk has {free / MEGABYTE:,.0f} MB left, and a file of "
            f"{size / MEGABYTE:,.0f} MB needs twice its size and {SPARE // MEGABYTE} MB. Ask the "
            "operator for room, or upload a smaller file."
        )


def is_full(error: BaseException | None) -> bool:
    """The error, or one that it came from, says that a disk is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        # SQLite's words, and Postgres's code.
        if "disk is full" in str(error) or getattr(error, "sqlstate", "") == "53100":
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def telling_full_disks() -> Iterator[None]:
    """Inside, a full disk is `NoRoom`; nothing half written is to be left by then."""
    try:
        yield
    except (OSError, DatabaseError) as error:
        if not is_full(error):
            raise
        raise NoRoom(
            "The studio's disk is full, and nothing of the file was kept. Ask the operator for "
            "room, then upload it again."
        ) from error


def store(file: UploadedFile[Any]) -> str:
    """Put an uploaded file into its place; returns its token.

    Large files are on disk already and are moved; small ones are written in chunks.
    """
    refuse_large(file.size or 0)
    token = new_token()
    path = path_of(token)
    done = False
    try:
        with telling_full_disks():
            path.parent.mkdir(parents=True, exist_ok=True)
            if hasattr(file, "temporary_file_path"):
                shutil.move(file.temporary_file_path(), path)
            else:
                with path.open("wb") as target:
                    for chunk in file.chunks():
                        target.write(chunk)
            path.chmod(0o600)
        done = True
    finally:
        if not done:
            remove(token)
    return token


def write_piece(token: str, offset: int, stream: Readable, most: int) -> int:
    """Write what comes to the upload's file from `offset` on; returns the number of bytes.

    Raises `Invalid` for more than `most` bytes and `NoRoom` on a full disk; the file ends at
    `offset` then.
    """
    path = path_of(token)
    written = 0
    done = False
    with telling_full_disks():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        with path.open("r+b", buffering=0) as file:
            try:
                file.seek(offset)
                while block := stream.read(_COPY):
                    written += len(block)
                    if written > most:
                        raise Invalid("More bytes came than were announced. Upload it again.")
                    _write_all(file, block)
                done = True
            finally:
                if not done:
                    file.truncate(offset)
    return written


def _write_all(file: Any, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]  # an unbuffered file may take a part of it


def remove(token: str) -> None:
    """Delete the file of an upload and what was found in it, if they are still there."""
    path_of(token).unlink(missing_ok=True)
    problems_path_of(token).unlink(missing_ok=True)


def stored_before(seconds: float) -> set[str]:
    """Names of the uploads whose files nothing was written to for so long."""
    if not folder().is_dir():
        return set()
    limit = time.time() - seconds
    found = set()
    for path in folder().iterdir():
        try:
            old = path.stat().st_mtime < limit
        except FileNotFoundError:  # removed by somebody else just now
            continue
        token = path.name.partition(".")[0]
        if old and _TOKEN.fullmatch(token):
            found.add(token)
    return found

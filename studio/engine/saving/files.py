"""Files: written whole or not at all, read up to a bound."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from studio.engine.errors import StateError
from studio.engine.saving.reading import MOST_BYTES


def write_file(path: Path | str, text: str) -> None:
    """Write `text` as UTF-8 so that whoever reads sees the old file or the new one, whole.

    Raises `OSError`; then the old file is untouched and nothing is left beside it.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_file(path: Path | str) -> bytes:
    """The bytes of a file of at most 20 MB.

    Raises `StateError` when it cannot be read, is too large, or is a pickle by its name.
    """
    path = Path(path)
    if path.suffix in (".pkl", ".pickle", ".joblib"):
        raise StateError(
            f"{path.name} is a pickle, which could run code when it is opened, so it is not "
            "opened. Save it as JSON: in DSPy program.save(“state.json”)."
        )
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise StateError(f"{path.name} cannot be read: {error.strerror}.") from None
    if len(data) > MOST_BYTES:
        raise StateError(f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB.")
    return data

"""`python -m tests.datasets.reading.zoo FOLDER` writes all animals there, to be looked at."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.datasets.reading.zoo.animals import ZOO


def main() -> None:
    """Write the files, each as `NUMBER title.suffix`."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.datasets.reading.zoo FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, animal in enumerate(ZOO, 1):
        name, dot, suffix = animal.filename.partition(".")
        (folder / f"{number:03d} {animal.title} {name}{dot}{suffix}").write_bytes(animal.make())
    sys.stdout.write(f"{len(ZOO)} files in {folder}\n")


if __name__ == "__main__":
    main()

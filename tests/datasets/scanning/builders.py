"""Datasets to scan, and what the scan says of them."""

from __future__ import annotations

from typing import Any

from studio.accounts.models import Project
from studio.datasets.models import Chore, Dataset
from studio.datasets.scanning.scan import make_scan
from tests.builders import make_dataset

THINGS = (
    "kettle", "lamp", "radio", "heater", "camera", "router", "speaker", "toaster", "printer",
    "fridge", "oven", "clock",
)  # fmt: skip


def make_messages(
    project: Project, *rows: tuple[str, str, str], slug: str = "messages", **fields: Any
) -> Dataset:
    """A dataset of (message, category, split)."""
    return make_dataset(
        project,
        slug,
        rows=[{"message": text, "category": label} for text, label, _split in rows],
        splits=[split for _text, _label, split in rows],
        label_column="category",
        **fields,
    )


def scan(dataset: Dataset, about: str = "") -> dict[str, Any]:
    """The result of a scan of the newest version."""
    dataset.refresh_from_db()
    chore = Chore(dataset=dataset, number=dataset.number, kind=Chore.Kind.SCAN, about=about)
    return make_scan(chore, lambda _part: None)


def listed(result: dict[str, Any], kind: str) -> list[list[int]]:
    """The numbers of the rows of each finding of a kind that is not waived."""
    found = result["kinds"].get(kind, {"open": []})
    return [[number for number, _split in one["rows"]] for one in found["open"]]

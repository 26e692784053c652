"""The short names of datasets."""

from __future__ import annotations

from django.utils.text import slugify

from studio.accounts.models import Project
from studio.datasets.models import Dataset

PAGES = frozenset({"upload", "uploads"})
"""Addresses beside those of datasets."""


def free_slug(project: Project, name: str) -> str:
    """A slug made of `name` that no dataset of the project has."""
    base = slugify(name)[:50].strip("-") or "dataset"
    found = Dataset.everything.filter(project=project, slug__startswith=base)
    taken = {*found.values_list("slug", flat=True), *PAGES}
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug

"""Addresses made of names."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.text import slugify


def free_slug(
    rows: models.QuerySet[Any], name: str, *, fallback: str, max_length: int = 60
) -> str:
    """A slug of `name` that no row of `rows` has: `billing`, then `billing-2`, …"""
    stem = slugify(name)[:max_length].strip("-_") or fallback
    taken = set(rows.filter(slug__startswith=stem).values_list("slug", flat=True))
    slug, number = stem, 2
    while slug in taken or slug in RESERVED:
        ending = f"-{number}"
        slug, number = stem[: max_length - len(ending)].rstrip("-_") + ending, number + 1
    return slug


def findable(slug: str) -> str:
    """The slug as a database can look for it: what no row can have is found nowhere."""
    return "" if "\0" in slug else slug


RESERVED = frozenset({"new", "upload", "preview", "fields", "kind", "try"})
"""Words that stand in addresses where a slug would."""

"""No door of a dataset shows what a sealed test row says: pages and API, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from studio.accounts.models import User
from studio.datasets.editing.changes import Changes, change
from studio.datasets.splits.sealing import seal
from tests.builders import make_client, make_dataset, make_project, make_user

pytestmark = pytest.mark.django_db

SECRET = "a treasure under the oak"
ROWS = [
    {"message": f"Where is order {n}?", "category": ("billing", "shipping")[n % 2], "who": f"c{n}"}
    for n in range(30)
] + [
    {"message": f"There is {SECRET} number {n}", "category": "shipping", "who": f"{SECRET} {n}"}
    for n in range(6)
]
SPLITS = ["train", "dev"] * 15 + ["test"] * 6
ASKED: tuple[dict[str, Any], ...] = (
    {},
    {"split": "test", "sort": "-message", "format": "jsonl"},
    {"q": "treasure", "column": "who", "kind": "leak"},
    {"version": 1, "sort": "-who", "row": 35, "rows": 35, "format": "csv"},
    {"from": 1, "to": 2, "first": 1, "second": 2, "page": 2},
)
POSTED: tuple[dict[str, Any], ...] = (
    {"action": "preview"},
    {"action": "preview", "way": "column", "column": "who", "inputs": ["message"], "group": "who"},
    {"action": "preview", "way": "group", "group": "who", "seed": 0, "inputs": ["message"]},
    {"action": "preview", "way": "stratified", "column": "who", "train": 50, "dev": 50, "test": 0},
    {"rows": [31, 32], "number": 31, "column": "who", "kind": "leak"},
    {"q": "treasure", "split": "test", "operation": "set", "column": "who", "value": "x"},
)
VALUES: dict[str, tuple[Any, ...]] = {
    "project": ("support",),
    "slug": ("messages",),
    "number": (2, 35),
}


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def browser(alice: User) -> Client:
    """Alice's, of a dataset whose rows 31 to 36 are sealed; some were for train before."""
    project = make_project(admin=alice)
    splits = [*SPLITS[:-2], "train", "train"]
    dataset = make_dataset(
        project, rows=ROWS, splits=splits, mapping={"message": "message"}, label_column="category"
    )
    change(actor=alice, dataset=dataset, changes=Changes(splits={35: "test", 36: "test"}))
    change(actor=alice, dataset=dataset, changes=Changes(cells={36: {"category": "billing"}}))
    seal(actor=alice, dataset=dataset)
    return make_client(alice)


def addresses() -> list[str]:
    """Every address of a dataset's pages and API, with its arguments filled in."""
    return sorted({url for url in _walk(get_resolver().url_patterns, "/") if "/messages/" in url})


def _walk(patterns: list[Any], before: str) -> Iterator[str]:
    for one in patterns:
        part = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, part)
        elif isinstance(one, URLPattern) and "datasets/<slug:slug>/" in part:
            names = [piece.split(">")[0].partition(":")[2] for piece in part.split("<")[1:]]
            if set(names) <= set(VALUES) and "delete" not in part and "unseal" not in part:
                for values in product(*(VALUES[name] for name in names)):
                    yield _filled(part, values)


def _filled(part: str, values: tuple[Any, ...]) -> str:
    for value in values:
        start, _, rest = part.partition("<")
        part = f"{start}{value}{rest.partition('>')[2]}"
    return part


def said(answer: Any) -> str:
    streamed = getattr(answer, "streaming", False)
    content = b"".join(answer.streaming_content) if streamed else answer.content
    return str(content.decode())


def test_there_are_doors_to_try() -> None:
    found = addresses()
    assert "/p/support/datasets/messages/" in found
    assert "/p/support/datasets/messages/splits/" in found
    assert "/api/projects/support/datasets/messages/splits/" in found
    assert len(found) > 15


def test_no_page_shows_a_sealed_row(browser: Client) -> None:
    shown = [
        (url, asked)
        for url in addresses()
        for asked in ASKED
        if SECRET in said(browser.get(url, asked))
    ]
    assert shown == []


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_no_form_shows_a_sealed_row(browser: Client, headers: dict[str, str]) -> None:
    shown = []
    for url in addresses():
        for data in POSTED:
            kind: dict[str, Any] = (
                {"content_type": "application/json"} if url.startswith("/api/") else {}
            )
            if SECRET in said(browser.post(url, data, headers=headers, **kind)):
                shown.append((url, data))
    assert shown == []


def test_unsealed_the_same_doors_show_it(browser: Client, alice: User) -> None:
    """The words are there to be found, so that the other tests can fail."""
    reason = {"reason": "Everybody may look now."}
    browser.post("/p/support/datasets/messages/splits/unseal/", reason)
    assert SECRET in said(browser.get("/p/support/datasets/messages/", {"split": "test"}))

"""Every address of datasets, for those who are not members and for those who may only look."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from studio.accounts.models import AuditEntry, Project, Role, User
from studio.datasets.models import Chore, Dataset, Upload, Version, Waiver
from tests.builders import make_client, make_dataset, make_project, make_user
from tests.datasets.builders import make_csv, make_file, upload_file

SAID: dict[str, Any] = {
    "action": "keep", "number": 1, "numbers": [1], "base": 1, "row": 1, "kind": "delete",
    "column": "message", "value": "x", "reason": "Because I would like to.", "filename": "a.csv",
    "size": 5, "values": {"message": "x"}, "rows": [{"values": {"message": "x"}}],
}  # fmt: skip


def addresses(project: str, slug: str, token: str) -> list[str]:
    """All of them, with their arguments filled in."""
    values = {"project": project, "slug": slug, "token": token, "number": "1"}
    found = set()
    for pattern in _walk(get_resolver().url_patterns, "/"):
        parts = pattern.split("<")
        names = [one.split(">")[0].rpartition(":")[2] for one in parts[1:]]
        if "/datasets/" in pattern and set(names) <= set(values):
            rest = (one.split(">")[1] for one in parts[1:])
            filled = (values[name] + end for name, end in zip(names, rest, strict=True))
            found.add(parts[0] + "".join(filled))
    return sorted(found)


def _walk(patterns: list[Any], before: str) -> list[str]:
    found = []
    for one in patterns:
        part = before + str(one.pattern)
        if isinstance(one, URLResolver):
            found += _walk(one.url_patterns, part)
        elif isinstance(one, URLPattern):
            found.append(part)
    return found


@pytest.fixture
def upload(alice: User, project: Project) -> Upload:
    """A checked file beside a dataset with a second version."""
    make_dataset(project)
    return upload_file(alice, project, make_csv())


def state() -> list[Any]:
    """What nobody of those may change."""
    return [
        list(Dataset.everything.values("pk", "name", "number", "sealed", "report").order_by("pk")),
        list(Upload.objects.values("pk", "state", "choices", "target")),
        [one.objects.count() for one in (Version, Waiver, AuditEntry)],
    ]


def send(client: Any, url: str, method: str) -> int:
    """The status of an answer."""
    if "/upload/" in url or not url.startswith("/api/"):
        data = {name: one for name, one in SAID.items() if not isinstance(one, dict | list)}
        return int(getattr(client, method)(url, data).status_code)
    return int(getattr(client, method)(url, SAID, content_type="application/json").status_code)


def test_strangers_find_nothing(upload: Upload, charlie: User) -> None:
    client, before = make_client(charlie), state()
    urls = addresses("support", "messages", upload.token)
    assert len(urls) > 40
    for url in urls:
        assert client.get(url).status_code in (403, 404, 405), url
        for method in ("post", "put", "patch", "delete"):
            assert send(client, url, method) in (403, 404, 405, 415), (method, url)
    assert state() == before


def test_things_of_another_project_are_not_there(upload: Upload, charlie: User) -> None:
    """Who is an admin elsewhere reaches nothing by the names of things that are here."""
    make_project("Other", "other", admin=charlie)
    client, before = make_client(charlie), state()
    urls = addresses("other", "messages", upload.token)
    for url in urls:
        if "messages" in url or upload.token in url:
            assert client.get(url).status_code in (404, 405), url
            for method in ("post", "put", "patch", "delete"):
                assert send(client, url, method) in (404, 405, 415, 422), (method, url)
    into = {"file": make_file(make_csv()), "into": "messages"}
    assert client.post("/api/projects/other/datasets/", into).status_code == 404
    assert client.get("/p/other/datasets/upload/?into=messages").status_code == 404
    assert state() == before


def test_viewers_change_nothing(upload: Upload, project: Project) -> None:
    viewer = make_user("vera")
    project.memberships.create(user=viewer, role=Role.VIEWER)
    client, before = make_client(viewer), state()
    for url in addresses("support", "messages", upload.token):
        for method in ("post", "put", "patch", "delete"):
            send(client, url, method)
            assert state() == before, (method, url)
    assert not Chore.objects.filter(state=Chore.State.FAILED).exists()

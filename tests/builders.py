"""Plain functions that make what tests need, straight in the database and without services."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from typing import Any

from django.test import Client

from studio.accounts.models import Membership, Project, Role, User
from studio.datasets.blocks import content_of, cut
from studio.datasets.models import Dataset, Split
from studio.datasets.table import SPLITS, Row, Table
from studio.datasets.uploading.importing import Stage, finish, set_splits
from studio.lms.models import Connection, Kind
from studio.metrics.models import Metric
from studio.metrics.services import keep_version
from studio.pipelines.models import Module, Pipeline, PipelineVersion, Signature
from studio.runs.models import Artifact, Run

_numbers = itertools.count(1)

PASSWORD = "correct horse battery"
CATEGORIES = ("billing", "shipping")

MESSAGES = (
    ("I was charged twice this month.", "billing"),
    ("My parcel has not moved for a week.", "shipping"),
    ("Please send me the invoice for May.", "billing"),
    ("The courier left the box at the wrong door.", "shipping"),
    ("Why is there a fee on my card?", "billing"),
    ("When will my order arrive?", "shipping"),
)


def make_user(name: str = "", **fields: Any) -> User:
    """A person with the password `PASSWORD`."""
    name = name or f"user{next(_numbers)}"
    return User.objects.create_user(name, f"{name}@example.org", PASSWORD, **fields)


def make_client(user: User) -> Client:
    """A browser in which `user` has signed in."""
    client = Client()
    client.force_login(user)
    return client


def make_project(
    name: str = "Support",
    slug: str = "support",
    *,
    admin: User | None = None,
    author: User | None = None,
    reviewer: User | None = None,
    viewer: User | None = None,
) -> Project:
    """A project with the members that are named."""
    project = Project.objects.create(name=name, slug=slug)
    members = {
        Role.ADMIN: admin,
        Role.AUTHOR: author,
        Role.REVIEWER: reviewer,
        Role.VIEWER: viewer,
    }
    for role, user in members.items():
        if user is not None:
            Membership.objects.create(project=project, user=user, role=role)
    return project


def make_connection(
    project: Project, slug: str = "scripted", *, kind: str = Kind.SCRIPTED, **fields: Any
) -> Connection:
    """A language model; the scripted one unless told otherwise."""
    fields = {"name": slug.replace("-", " ").title(), "model": "scripted", **fields}
    return Connection.objects.create(project=project, slug=slug, kind=kind, **fields)


def make_dataset(
    project: Project,
    slug: str = "messages",
    *,
    rows: Sequence[dict[str, Any]] | None = None,
    splits: Sequence[str] | None = None,
    mapping: dict[str, str] | None = None,
    **fields: Any,
) -> Dataset:
    """A dataset of `message` and `category`, split train, dev, test in turn."""
    if rows is None:
        rows = [{"message": text, "category": label} for text, label in MESSAGES]
    columns = list(rows[0]) if rows else []
    turns = itertools.cycle([Split.TRAIN, Split.DEV, Split.TEST])
    splits = list(splits) if splits is not None else [next(turns) for _ in rows]
    fields = {"name": slug.replace("-", " ").title(), **fields}
    report = fields.pop("report", {})
    dataset = Dataset.objects.create(
        project=project,
        slug=slug,
        columns=columns,
        mapping=mapping if mapping is not None else {name: name for name in columns},
        **fields,
    )
    stage, start = Stage(dataset), 1
    for piece in cut(rows):
        stage.add(start, content_of(piece))
        start += len(piece)
    stage.flush()
    set_splits(dataset, bytes(SPLITS.index(Split(split)) for split in splits))
    counts = {split.value: list(splits).count(split) for split in SPLITS}
    finish(dataset, actor=None, report={**report, "splits": counts})
    return dataset


def rows_of(dataset: Dataset, split: str = "") -> list[Row]:
    """The rows of the newest version, in order."""
    dataset.refresh_from_db()
    return list(Table(dataset).rows(split))


def make_metric(
    project: Project,
    slug: str = "exact",
    *,
    kind: str = "exact_match",
    params: dict[str, Any] | None = None,
    **fields: Any,
) -> Metric:
    """A metric of the project."""
    fields = {"name": slug.replace("-", " ").title(), **fields}
    metric = Metric.objects.create(
        project=project, slug=slug, kind=kind, params=params or {}, **fields
    )
    keep_version(metric, None)
    return metric


def make_field(
    name: str, type: str = "str", role: str = "", description: str = ""
) -> dict[str, str]:
    """A field as specs write it; with a role inside a signature, without one at the ends."""
    field = {"name": name, "type": type, "description": description}
    return {**field, "role": role} if role else field


def make_signature_spec(labels: Sequence[str] = CATEGORIES) -> dict[str, Any]:
    """`message -> category` as a spec writes it."""
    return {
        "fields": [
            make_field("message", role="input"),
            make_field("category", f"enum[{', '.join(labels)}]", role="output"),
        ],
        "instruction": "Sort the message into one category.",
    }


def make_spec(*, kind: str = "predict", labels: Sequence[str] = CATEGORIES) -> dict[str, Any]:
    """The drawing of a one-step pipeline: input → classify → output."""
    return {
        "version": 1,
        "nodes": [
            {
                "id": "n1",
                "kind": "input",
                "name": "input",
                "position": {"x": 0, "y": 0},
                "fields": [make_field("message")],
            },
            {
                "id": "n2",
                "kind": kind,
                "name": "classify",
                "position": {"x": 320, "y": 0},
                "signature": make_signature_spec(labels),
                "params": {},
                "module": "",
            },
            {
                "id": "n3",
                "kind": "output",
                "name": "output",
                "position": {"x": 640, "y": 0},
                "fields": [make_field("category", f"enum[{', '.join(labels)}]")],
            },
        ],
        "edges": [
            make_edge("e1", "n1", "message", "n2", "message"),
            make_edge("e2", "n2", "category", "n3", "category"),
        ],
    }


def make_edge(
    id: str, source: str, source_field: str, target: str, target_field: str
) -> dict[str, str]:
    """A wire as specs write it."""
    return {
        "id": id,
        "source": source,
        "source_field": source_field,
        "target": target,
        "target_field": target_field,
    }


def make_signature(project: Project, slug: str = "triage", **fields: Any) -> Signature:
    """A named signature `message -> category`."""
    fields = {"name": slug.title(), "spec": make_signature_spec(), **fields}
    return Signature.objects.create(project=project, slug=slug, **fields)


def make_module(project: Project, slug: str = "classify", **fields: Any) -> Module:
    """A configured step."""
    if "signature" not in fields:
        fields["signature"] = make_signature(project, f"{slug}-signature")
    fields = {"name": slug.title(), "kind": "predict", **fields}
    return Module.objects.create(project=project, slug=slug, **fields)


def make_pipeline(
    project: Project, slug: str = "triage", *, spec: dict[str, Any] | None = None, **fields: Any
) -> Pipeline:
    """A drawing; input → classify → output unless told otherwise."""
    fields = {"name": slug.replace("-", " ").title(), **fields}
    spec = make_spec() if spec is None else spec
    return Pipeline.objects.create(project=project, slug=slug, spec=spec, **fields)


def make_version(pipeline: Pipeline, **fields: Any) -> PipelineVersion:
    """A frozen state of the pipeline as it is drawn now."""
    content = json.dumps(pipeline.spec, sort_keys=True)
    fields = {
        "number": pipeline.versions.count() + 1,
        "spec": pipeline.spec,
        "hash": hashlib.sha256(content.encode()).hexdigest(),
        **fields,
    }
    return PipelineVersion.objects.create(pipeline=pipeline, **fields)


def make_run(project: Project, **fields: Any) -> Run:
    """A queued compile of a small pipeline on the scripted LM."""
    if "version" not in fields:
        slug = f"pipeline{next(_numbers)}"
        fields["version"] = make_version(make_pipeline(project, slug))
    fields = {"kind": Run.Kind.COMPILE, "compiler": "random-search", **fields}
    return Run.objects.create(project=project, **fields)


def make_artifact(project: Project, **fields: Any) -> Artifact:
    """The result of a compile, with content that only fills the column."""
    if "version" not in fields:
        slug = f"pipeline{next(_numbers)}"
        fields["version"] = make_version(make_pipeline(project, slug))
    number = next(_numbers)
    fields = {
        "hash": hashlib.sha256(str(number).encode()).hexdigest(),
        "content": {"spec": fields["version"].spec, "candidate": {}},
        **fields,
    }
    return Artifact.objects.create(project=project, **fields)

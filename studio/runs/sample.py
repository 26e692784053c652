"""The sample project: sorting customers' messages, ready to be compiled and called."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Any

from django.db import transaction

from studio.accounts.models import Membership, Project, Role, User
from studio.datasets.models import Dataset
from studio.datasets.services import add_dataset_from_rows
from studio.engine.signature import Signature as EngineSignature
from studio.lms.models import Connection, Kind
from studio.metrics.models import Metric
from studio.metrics.services import keep_version
from studio.pipelines.models import Module, Pipeline, Signature
from studio.pipelines.services import create_pipeline

SLUG = "support"
DATASET = "support-messages"
METRIC = "exact-category"
EMBEDDED = "embedded"
SCRIPTED = "scripted"
ONE_STEP = "support-triage"
TWO_STEPS = "support-triage-two-steps"

LABELS = "enum[billing, shipping, technical, account, returns]"
TRIAGE = EngineSignature.parse(
    f"message -> category: {LABELS}",
    "Sort a customer's message to a shop for home electronics "
    "into the team that should answer it.",
)
SUMMARY = EngineSignature.parse(
    "message -> problem", "Say in one short sentence what the customer's problem is."
)
SORTING = EngineSignature.parse(
    f"message, problem -> category: {LABELS}",
    "Sort the message, whose problem was summed up, into the team that should answer it.",
)


@transaction.atomic
def ensure_sample_project(*, username: str = "demo", password: str | None = None) -> Project:
    """The sample project with its user; makes what is missing and changes nothing else.

    Without a password the user, if it is new, cannot sign in until one is set.
    """
    user = User.objects.filter(username=username).first()
    if user is None:
        user = User.objects.create_user(
            username, password=password, is_staff=True, is_superuser=True
        )
    project, made = Project.objects.get_or_create(
        slug=SLUG, defaults={"name": "Support triage (sample)"}
    )
    if made:
        Membership.objects.create(project=project, user=user, role=Role.ADMIN)
    elif not Membership.objects.filter(project=project, user=user, role=Role.ADMIN).exists():
        return project
    _connections(project)
    _modules(project)
    metric, made_metric = Metric.objects.get_or_create(
        project=project,
        slug=METRIC,
        defaults={
            "name": "Exact match on category",
            "kind": "exact_match",
            "params": {"field": "category"},
        },
    )
    if made_metric:
        keep_version(metric, user)
    _dataset(project, user)
    _pipelines(project, user)
    return project


def one_step_spec() -> dict[str, Any]:
    """Input → classify → output."""
    return {
        "version": 1,
        "nodes": [
            _end("input", "input", 0, [TRIAGE["message"]]),
            _predict("classify", "classify", 340, TRIAGE, module="classify-message"),
            _end("output", "output", 720, [TRIAGE["category"]]),
        ],
        "edges": [
            _edge("e1", "input", "message", "classify", "message"),
            _edge("e2", "classify", "category", "output", "category"),
        ],
    }


def two_step_spec() -> dict[str, Any]:
    """Input → sum up → classify → output; the message goes to both steps."""
    return {
        "version": 1,
        "nodes": [
            _end("input", "input", 0, [TRIAGE["message"]]),
            # A base model would go on after its sentence; forty tokens hold one.
            _predict(
                "sum-up",
                "sum_up",
                320,
                SUMMARY,
                y=-110,
                module="sum-up-problem",
                max_tokens=40,
            ),
            _predict("classify", "classify", 700, SORTING, y=40),
            _end("output", "output", 1080, [TRIAGE["category"]], y=40),
        ],
        "edges": [
            _edge("e1", "input", "message", "sum-up", "message"),
            _edge("e2", "input", "message", "classify", "message"),
            _edge("e3", "sum-up", "problem", "classify", "problem"),
            _edge("e4", "classify", "category", "output", "category"),
        ],
    }


def _connections(project: Project) -> None:
    Connection.objects.get_or_create(
        project=project,
        slug=EMBEDDED,
        defaults={
            "name": "Embedded model",
            "kind": Kind.EMBEDDED,
            "model": "gemma-3-270m",
            "concurrency": 4,
        },
    )
    Connection.objects.get_or_create(
        project=project,
        slug=SCRIPTED,
        defaults={"name": "Scripted", "kind": Kind.SCRIPTED, "model": "support-triage"},
    )


def _modules(project: Project) -> None:
    for slug, name, signature in (
        ("classify-message", "Classify a message", TRIAGE),
        ("sum-up-problem", "Sum up the problem", SUMMARY),
    ):
        row, _ = Signature.objects.get_or_create(
            project=project, slug=slug, defaults={"name": name, "spec": signature.to_dict()}
        )
        Module.objects.get_or_create(
            project=project,
            slug=slug,
            defaults={"name": name, "kind": "predict", "signature": row},
        )


def _dataset(project: Project, user: User) -> None:
    if Dataset.objects.filter(project=project, slug=DATASET).exists():
        return
    text = (files("studio.samples") / "support_triage.csv").read_text(encoding="utf-8")
    reader = csv.DictReader(text.splitlines(keepends=True))
    rows = [(dict(row), row.pop("split")) for row in ({**row} for row in reader)]
    columns = [name for name in (reader.fieldnames or ()) if name != "split"]
    add_dataset_from_rows(
        actor=user,
        project=project,
        name="Support messages",
        slug=DATASET,
        columns=columns,
        mapping={"message": "message", "category": "category"},
        rows=[({name: values[name] for name in columns}, split) for values, split in rows],
    )


def _pipelines(project: Project, user: User) -> None:
    for slug, name, spec in (
        (ONE_STEP, "Support triage", one_step_spec()),
        (TWO_STEPS, "Support triage in two steps", two_step_spec()),
    ):
        if not Pipeline.objects.filter(project=project, slug=slug).exists():
            create_pipeline(actor=user, project=project, name=name, slug=slug, spec=spec)


def _end(id_: str, kind: str, x: int, fields: list[Any], *, y: int = 0) -> dict[str, Any]:
    return {
        "id": id_,
        "kind": kind,
        "name": kind,
        "position": {"x": x, "y": y},
        "fields": [
            {"name": field.name, "type": str(field.type), "description": field.description}
            for field in fields
        ],
    }


def _predict(
    id_: str,
    name: str,
    x: int,
    signature: EngineSignature,
    *,
    y: int = 0,
    module: str = "",
    **params: Any,
) -> dict[str, Any]:
    return {
        "id": id_,
        "kind": "predict",
        "name": name,
        "position": {"x": x, "y": y},
        "signature": signature.to_dict(),
        "params": params,
        "module": module,
    }


def _edge(id_: str, source: str, out: str, target: str, into: str) -> dict[str, str]:
    return {
        "id": id_,
        "source": source,
        "source_field": out,
        "target": target,
        "target_field": into,
    }

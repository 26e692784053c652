"""Findings for programs: read them, ask for a scan, resolve, waive, take back."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Role
from studio.accounts.services import get_project
from studio.datasets.models import Dataset
from studio.datasets.scanning import findings, waiving
from studio.datasets.scanning.actions import ACTIONS
from studio.datasets.scanning.collecting import LISTED
from studio.datasets.scanning.findings import Finding, Report
from studio.datasets.scanning.kinds import KINDS
from studio.datasets.services import get_dataset
from studio.errors import Invalid

_KEY_LENGTH = 64


def _known_kind(name: str) -> None:
    if name not in KINDS:
        raise serializers.ValidationError(f"Say one of {', '.join(KINDS)}.")


class AskedSerializer(serializers.Serializer[Any]):
    """Which findings are wanted."""

    kind = serializers.CharField(required=False, validators=[_known_kind])
    """One kind in full; without it only how many there are of each."""
    waived = serializers.BooleanField(default=False)
    """Those that are waived, not those that are open."""
    offset = serializers.IntegerField(min_value=0, max_value=LISTED, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=LISTED, default=100)


class KeysSerializer(serializers.Serializer[Any]):
    """Findings of one kind."""

    kind = serializers.CharField(validators=[_known_kind])
    keys = serializers.ListField(
        child=serializers.CharField(max_length=_KEY_LENGTH), required=False, max_length=LISTED
    )
    all = serializers.BooleanField(default=False)
    """All that are listed, in the place of `keys`."""

    def keys_(self) -> list[str] | None:
        """None: all."""
        said = self.validated_data
        if said["all"] == ("keys" in said):
            raise Invalid("Name findings by `keys`, or say `all`: one of the two.")
        return None if said["all"] else said["keys"]


class WaiveSerializer(KeysSerializer):
    """Findings that may stay, and why."""

    reason = serializers.CharField(max_length=waiving.LONGEST_REASON)


class ResolveSerializer(KeysSerializer):
    """What is done about findings."""

    action = serializers.ChoiceField(choices=list(ACTIONS))
    label = serializers.JSONField(required=False, default=None)  # type: ignore[assignment]
    """With the action `label`: what all rows get."""
    row = serializers.IntegerField(required=False, min_value=1)
    """With the action `delete-row`."""
    version = serializers.IntegerField(required=False, min_value=1)
    """The version that was looked at: 409 when it is not the newest any more."""


@extend_schema(parameters=[AskedSerializer], responses=dict)
@api_view(["GET"])
def listing(request: Request, project: str, slug: str) -> Response:
    """What the scan of the newest version found; `state` says whether there is one already."""
    dataset = _dataset(request, project, slug)
    asked = AskedSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    report, said = findings.report_of(dataset), asked.validated_data
    told = _told(report)
    if name := said.get("kind"):
        found = report.findings(KINDS[name], waived=said["waived"])
        some = found[said["offset"] : said["offset"] + said["limit"]]
        told |= {"listed": len(found), "findings": [_as_json(one) for one in some]}
    return Response(told)


@extend_schema(request=None, responses={200: dict, 202: dict})
@api_view(["POST"])
def scan(request: Request, project: str, slug: str) -> Response:
    """Scan the newest version anew: 200 when it is done already, 202 while a worker has it."""
    dataset = _dataset(request, project, slug)
    report = findings.scan_again(actor=request.user, dataset=dataset)
    return Response(_told(report), status=202 if report.is_waiting else 200)


@extend_schema(request=WaiveSerializer, responses=dict)
@api_view(["POST"])
def waive(request: Request, project: str, slug: str) -> Response:
    """Let findings stay, with a reason that stands in the log."""
    dataset = _author(request, project, slug)
    said = WaiveSerializer(data=request.data)
    said.is_valid(raise_exception=True)
    count = waiving.waive(
        actor=request.user,
        dataset=dataset,
        kind=said.validated_data["kind"],
        keys=said.keys_(),
        reason=said.validated_data["reason"],
    )
    return Response({"waived": count, **_told(findings.report_of(dataset))})


@extend_schema(request=KeysSerializer, responses=dict)
@api_view(["POST"])
def unwaive(request: Request, project: str, slug: str) -> Response:
    """Open waived findings again."""
    dataset = _author(request, project, slug)
    said = KeysSerializer(data=request.data)
    said.is_valid(raise_exception=True)
    kind, keys = said.validated_data["kind"], said.keys_()
    if keys is None:
        report = findings.report_of(dataset)
        keys = [one.key for one in report.findings(KINDS[kind], waived=True)]
    count = waiving.take_back(actor=request.user, dataset=dataset, kind=kind, keys=keys)
    return Response({"opened": count, **_told(findings.report_of(dataset))})


@extend_schema(request=ResolveSerializer, responses={201: dict})
@api_view(["POST"])
def resolve(request: Request, project: str, slug: str) -> Response:
    """Do something about findings: 201 with the new version, and how its scan stands."""
    dataset = _author(request, project, slug)
    said = ResolveSerializer(data=request.data)
    said.is_valid(raise_exception=True)
    asked = said.validated_data
    version = findings.resolve(
        actor=request.user,
        dataset=dataset,
        kind=asked["kind"],
        action=asked["action"],
        keys=said.keys_(),
        label=asked["label"],
        row=asked.get("row"),
        base=asked.get("version"),
    )
    told = _told(findings.report_of(dataset))
    return Response({"changes": version.changes, **told}, status=201)


def _dataset(request: Request, project: str, slug: str) -> Dataset:
    return get_dataset(project=get_project(user=request.user, slug=project), slug=slug)


def _author(request: Request, project: str, slug: str) -> Dataset:
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    return get_dataset(project=found, slug=slug)


def _told(report: Report) -> dict[str, Any]:
    chore = report.chore
    return {
        "version": report.dataset.number,
        "state": chore.state if chore else "none",
        "progress": chore.progress if chore else 0,
        "error": chore.error if chore else "",
        "inputs": report.inputs,
        "label": report.label,
        "kinds": [
            {
                "kind": one.kind.name,
                "title": one.kind.title,
                "severity": one.kind.severity,
                "open": one.open,
                "waived": one.waived,
                "rows": one.rows,
            }
            for one in report.summaries
        ],
        "notes": report.notes,
    }


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "key": finding.key,
        "what": finding.what,
        "rows": [{"row": number, "split": split} for number, split in finding.rows],
        "total": finding.total,
        "actions": [action.name for action in finding.actions],
        "reason": finding.waiver.reason if finding.waiver else None,
    }

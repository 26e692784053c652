"""Somebody’s word that a finding may stay: given with a reason, logged, taken back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction

from studio.accounts.models import Role
from studio.accounts.services import record, require
from studio.datasets.models import Dataset, Waiver
from studio.datasets.scanning.collecting import LISTED
from studio.datasets.scanning.findings import choose, get_kind, report_of, scan_again
from studio.errors import Invalid, NotFound

SHORTEST_REASON = 10
LONGEST_REASON = 400


@transaction.atomic
def waive(
    *,
    actor: Any,
    dataset: Dataset,
    kind: str,
    keys: Collection[str] | None,
    reason: str,
    about: str = "",
) -> int:
    """Let findings of a kind stay, those of the keys or all that are listed; returns how many.

    Needs the role author. Raises `Invalid` without a reason, and what `findings.choose` raises.
    """
    require(user=actor, project=dataset.project, role=Role.AUTHOR)
    reason = " ".join(reason.replace("\0", " ").split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise Invalid(
            f"Say why this may stay, in {SHORTEST_REASON} to {LONGEST_REASON} letters: the reason "
            "stands in the log, for those who trust the scores.",
            problems=[{"field": "reason", "message": "Say why this may stay."}],
        )
    found = get_kind(kind)
    report = report_of(dataset, about)
    findings = choose(report, found, keys)
    more = report.summary(found).open > len(report.findings(found)) and keys is None
    Waiver.objects.bulk_create(
        (
            Waiver(dataset=dataset, kind=kind, key=one.key, reason=reason, created_by=actor)
            for one in findings
        ),
        ignore_conflicts=True,
        batch_size=LISTED,
    )
    record(
        project=dataset.project,
        actor=actor,
        action="dataset.waive",
        subject=dataset.name,
        version=dataset.number,
        kind=kind,
        findings=len(findings),
        rows=[finding.numbers[:2] for finding in findings[:20]],
        reason=reason,
    )
    if more:
        scan_again(actor=actor, dataset=dataset, about=about)  # which lists others
    return len(findings)


@transaction.atomic
def take_back(*, actor: Any, dataset: Dataset, kind: str, keys: Collection[str]) -> int:
    """Open waived findings again; returns how many. Needs the role author.

    Raises `NotFound` when none of them is waived.
    """
    require(user=actor, project=dataset.project, role=Role.AUTHOR)
    get_kind(kind)
    waivers = dataset.waivers.filter(kind=kind, key__in=list(keys))
    count = waivers.count()
    if not count:
        raise NotFound("These findings are not waived, or not any more.")
    waivers.delete()
    record(
        project=dataset.project,
        actor=actor,
        action="dataset.unwaive",
        subject=dataset.name,
        version=dataset.number,
        kind=kind,
        findings=count,
    )
    return count

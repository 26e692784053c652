"""Stores what a compile tells, once, however often the compile is started again."""

from __future__ import annotations

from collections import Counter

from django.db import transaction

from studio.engine.codec import canonical_json
from studio.engine.compilers.events import (
    CandidateMade,
    Confirmed,
    Event,
    ExampleScored,
    TraceTried,
)
from studio.runs import leases
from studio.runs.models import CandidateRow, Run
from studio.runs.models import Event as EventRow
from studio.runs.storable import storable


class Recorder:
    """Stores the events of a compile; what an earlier attempt has stored is not stored again.

    A compile that is started again tells the same from its beginning. Equal events are counted,
    for one may be told several times.
    """

    def __init__(self, run: Run, owner: str) -> None:
        self._run = run
        self._owner = owner
        self._stored: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._number = 0
        self._hashes: dict[int, str] = {}
        self.confirmed = ""
        """Hash of the candidate that was compared with the uncompiled program."""

    def load(self) -> None:
        """Read what is stored."""
        for event in EventRow.objects.filter(run=self._run):
            self._stored[canonical_json([event.kind, event.data])] += 1
            self._number = event.number

    def record(self, event: Event) -> None:
        """Store an event, unless it is stored, or told by score and trace rows already."""
        if isinstance(event, ExampleScored | TraceTried):
            return
        if isinstance(event, CandidateMade):
            self._hashes[event.number] = event.candidate.hash
        if isinstance(event, Confirmed):
            self.confirmed = self._hashes.get(event.number, "")
        data = storable(event.to_dict())
        mark = canonical_json([event.kind, data])
        self._told[mark] += 1
        if self._told[mark] <= self._stored[mark]:
            return
        with transaction.atomic():
            leases.holds(self._run.pk, self._owner)
            if isinstance(event, CandidateMade):
                self._keep_candidate(event)
            EventRow.objects.create(
                run=self._run, number=self._number + 1, kind=event.kind, data=data
            )
        self._number += 1
        self._stored[mark] += 1

    def _keep_candidate(self, event: CandidateMade) -> None:
        CandidateRow.objects.get_or_create(
            run=self._run,
            hash=event.candidate.hash,
            defaults={
                "number": event.number,
                "origin": storable(event.origin)[:200],
                "states": storable(event.candidate.to_dict()),
                "parents": list(event.parents),
            },
        )

"""A compile and the leaks of its dataset: it is not started while there are any.

What stops it is a test example that equals, or nearly equals, a train or dev example. The engine
leaves such test examples out when it confirms a result (`engine.compilers.splitting`), so no score
counts them; but then fewer are left than the dataset says, and everything else that is made of
train and test, such as an evaluation, would count them. Train and dev examples that are nearly the
same only warn: a candidate is never scored on what is nearly one of its own demos
(`NearDuplicates.not_own`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.urls import reverse
from django.utils.http import urlencode

from studio.datasets import chores
from studio.datasets.models import Chore, Dataset
from studio.datasets.scanning.columns import columns_of as scanned_columns
from studio.datasets.scanning.findings import Report, Summary, ask_scan
from studio.datasets.scanning.kinds import LEAK, OVERLAP
from studio.datasets.services import columns_of
from studio.datasets.table import Table
from studio.engine.program import Program
from studio.engine.signature import Field
from studio.errors import Conflict, Invalid

LOOK_EVERY_S = 1.0
LONGEST_WAIT_S = 1_800
_LONGEST_ABOUT = 200


class Leaks:
    """The leaks of a version of a dataset, by the columns that a program is given."""

    def __init__(self, program: Program, dataset: Dataset, number: int | None = None) -> None:
        self.dataset = dataset
        self.about = about_of(program.inputs, dataset, number)
        self._number = number or dataset.number
        self.report = ask_scan(dataset, self.about, self._number)

    @property
    def is_scanning(self) -> bool:
        """Whether nobody knows yet."""
        return self.report.is_waiting

    @property
    def url(self) -> str:
        """The page where leaks are resolved or waived."""
        path = reverse("datasets:findings", args=[self.dataset.project.slug, self.dataset.slug])
        inputs = {"inputs": self.about.split("\n")} if self.about else {}
        return f"{path}?{urlencode({'kind': LEAK.name, **inputs}, doseq=True)}"

    @property
    def overlaps(self) -> Summary:
        """Dev rows that train gives away."""
        return self.report.summary(OVERLAP)

    @property
    def problem(self) -> str:
        """Why no compile is started; empty when nothing speaks against it, as far as is known."""
        short = self.short
        return f"{short} Do that on its page of findings: {self.url}" if short else ""

    @property
    def short(self) -> str:
        """The same without the address of the page."""
        if self.report.is_waiting:
            return ""
        name = self.dataset.name
        if not self.report.is_ready:
            why = self.report.chore.error if self.report.chore else ""
            return f"The dataset {name} could not be scanned for leaks: {why} Scan it again."
        count = self.report.stops
        if not count:
            return ""
        one = self.report.findings(LEAK)[0]
        said = "1 leak" if count == 1 else f"{count:,} leaks"
        return (
            f"The dataset {name} has {said} between test and what is learned from. {one.what} "
            f"Resolve {'it, or waive it' if count == 1 else 'them, or waive them'} with a reason."
        )

    @property
    def caution(self) -> str:
        """What is worth knowing, and stops nothing."""
        if self.is_scanning:
            return (
                "The dataset is being scanned for leaks. A compile can be started: it waits for "
                "the scan, and stops there if there are any."
            )
        count = self.overlaps.open
        if not count:
            return ""
        rows = "1 group of rows is" if count == 1 else f"{count:,} groups of rows are"
        return (
            f"{rows} nearly the same in train and dev. No candidate is scored on what is nearly "
            "one of its own demos, so fewer examples are left to choose on."
        )

    def refuse(self) -> None:
        """Raise `Invalid` when there are leaks."""
        if problem := self.problem:
            told = [{"field": "dataset", "message": problem}]
            raise Invalid(problem, problems=told, url=self.url)

    async def wait(self, must_stop: Callable[[], bool]) -> None:
        """Until it is known: does the scan, or waits for whoever does. Raises `Conflict`.

        `must_stop` is asked again and again while the scan is done here, which then is given
        back: it is for the caller to end this wait.
        """
        end = time.monotonic() + LONGEST_WAIT_S
        while self.is_scanning:
            await sync_to_async(self._look)(must_stop)
            if self.is_scanning:
                if time.monotonic() > end:
                    raise Conflict("The scan for leaks does not end. Start the compile again.")
                await asyncio.sleep(LOOK_EVERY_S)

    def _look(self, must_stop: Callable[[], bool]) -> None:
        """Do the scan unless somebody does; then read what there is."""
        if self.report.chore is not None:
            try:
                chores.work(self.report.chore.pk, must_stop)
            except chores.Stopped:
                return
        self.report = Report(
            self.dataset, chores.find(self.dataset, Chore.Kind.SCAN, self.about, self._number)
        )


def about_of(inputs: Sequence[Field], dataset: Dataset, number: int | None = None) -> str:
    """What a scan has to be about; empty: it compares rows by what the program is given anyway."""
    table = Table(dataset, number)
    found: dict[str, Any] = columns_of(table, inputs)
    names = list(dict.fromkeys(found[one.name] for one in inputs if one.name in found))
    about = "\n".join(sorted(names))
    if set(scanned_columns(dataset, table).inputs) == set(names) or len(about) > _LONGEST_ABOUT:
        return ""
    return about

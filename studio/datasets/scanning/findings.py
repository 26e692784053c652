"""What the scan of a dataset found, and doing something about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from studio.accounts.models import Role
from studio.accounts.services import require
from studio.datasets import chores
from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import Chore, Dataset, Version, Waiver
from studio.datasets.scanning.actions import ACTIONS, Action, Choice, Plan
from studio.datasets.scanning.kinds import KINDS, LEAK, Kind
from studio.datasets.scanning.personal import PATTERNS
from studio.datasets.table import SPLITS, Row, Table
from studio.errors import Conflict, Invalid, NotFound

SCAN = Chore.Kind.SCAN


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the scan found."""

    kind: Kind
    key: str
    rows: tuple[tuple[int, str], ...]
    """Numbers and splits; of very many the first ones."""
    total: int
    """How many rows there are."""
    data: Mapping[str, Any]
    waiver: Waiver | None = None

    @property
    def numbers(self) -> list[int]:
        """Of its rows."""
        return [number for number, _split in self.rows]

    @property
    def what(self) -> str:
        """What it is, in a sentence, without a value of a row."""
        said = self.data.get("what")
        return str(said) if said else _SENTENCES[self.kind.name](self)

    @property
    def actions(self) -> list[Action]:
        """What can be done about it."""
        return [ACTIONS[name] for name in self.kind.actions if self._makes_sense(ACTIONS[name])]

    def _makes_sense(self, action: Action) -> bool:
        splits = {split for _number, split in self.rows}
        if action.name.startswith("move-"):
            return action.name.removeprefix("move-") in splits
        return not action.touches or bool(action.touches & splits)


@dataclass(frozen=True, slots=True)
class Summary:
    """How many findings of a kind there are."""

    kind: Kind
    open: int
    waived: int
    rows: int
    """Rows that they are about, also of those that are waived."""


class Report:
    """What is known of a version by its scan, and what people have waived since."""

    def __init__(self, dataset: Dataset, chore: Chore | None) -> None:
        self.dataset = dataset
        self.chore = chore
        self.is_ready = chore is not None and chore.state == Chore.State.DONE
        self._result: Mapping[str, Any] = chore.result if chore and self.is_ready else {}
        self._kinds: Mapping[str, Any] = self._result.get("kinds", {})

    @property
    def is_waiting(self) -> bool:
        """Whether a worker has it, or will."""
        return self.chore is not None and self.chore.state == Chore.State.WAITING

    @property
    def inputs(self) -> list[str]:
        """The columns by which rows were compared."""
        return list(self._result.get("inputs", []))

    @property
    def label(self) -> str:
        """The column of the labels; empty: none."""
        return str(self._result.get("label", ""))

    @property
    def baseline(self) -> str:
        """What the most frequent label alone would score."""
        return str(self._result.get("baseline", ""))

    @property
    def notes(self) -> list[str]:
        """What was not looked at whole."""
        return list(self._result.get("notes", []))

    @cached_property
    def waivers(self) -> dict[tuple[str, str], Waiver]:
        """What is waived now."""
        found = self.dataset.waivers.select_related("created_by")
        return {(one.kind, one.key): one for one in found}

    @cached_property
    def summaries(self) -> list[Summary]:
        """One for each kind that something was found of, the most severe first."""
        return [self.summary(kind) for kind in KINDS.values() if kind.name in self._kinds]

    def summary(self, kind: Kind) -> Summary:
        """How many there are of a kind, with what was waived and taken back since the scan."""
        told = self._kinds.get(kind.name)
        if told is None:
            return Summary(kind, 0, 0, 0)
        known = self.waivers
        waived = int(told["waived"])
        waived += sum((kind.name, one["key"]) in known for one in told["open"])
        waived -= sum((kind.name, one["key"]) not in known for one in told["closed"])
        return Summary(kind, int(told["count"]) - waived, waived, int(told["rows"]))

    def findings(self, kind: Kind, *, waived: bool = False) -> list[Finding]:
        """Those of a kind that are listed: open ones, or those that are waived."""
        told = self._kinds.get(kind.name)
        if told is None:
            return []
        found = (self._finding(kind, one) for one in (*told["open"], *told["closed"]))
        return [one for one in found if (one.waiver is not None) == waived]

    def _finding(self, kind: Kind, told: Mapping[str, Any]) -> Finding:
        rows = tuple((number, SPLITS[code].value) for number, code in told["rows"])
        waiver = self.waivers.get((kind.name, told["key"]))
        return Finding(kind, told["key"], rows, int(told["of"]), told, waiver)

    @property
    def stops(self) -> int:
        """Leaks that stop a compile."""
        return self.summary(LEAK).open


def report_of(dataset: Dataset, about: str = "", number: int | None = None) -> Report:
    """What is known of the newest version, or another, without asking for a scan."""
    return Report(dataset, chores.find(dataset, SCAN, about, number))


def ask_scan(dataset: Dataset, about: str = "", number: int | None = None) -> Report:
    """What is known of the version; it is scanned if it was not: at once when it is small."""
    return Report(dataset, chores.ask(dataset, SCAN, about, number))


def scan_again(*, actor: Any, dataset: Dataset, about: str = "") -> Report:
    """Scan the newest version anew, unless it is being scanned; needs the role author."""
    require(user=actor, project=dataset.project, role=Role.AUTHOR)
    Chore.objects.filter(dataset=dataset, number=dataset.number, kind=SCAN, about=about).exclude(
        state=Chore.State.WAITING
    ).delete()
    return ask_scan(dataset, about)


def get_kind(name: str) -> Kind:
    """The kind of that name, or `NotFound`."""
    if name not in KINDS:
        raise NotFound(f"There is no kind of finding “{name[:40]}”; there are {', '.join(KINDS)}.")
    return KINDS[name]


def choose(report: Report, kind: Kind, keys: Collection[str] | None) -> list[Finding]:
    """The open findings of these keys, or all that are listed.

    Raises `Conflict` while there is no scan, `Invalid` when none is chosen, and `NotFound` when
    one is not open any more.
    """
    if not report.is_ready:
        raise Conflict("The scan of this version is not ready yet. Wait for it, and try again.")
    listed = report.findings(kind)
    if keys is None:
        if not listed:
            raise Invalid(f"Nothing is open of “{kind.title}”.")
        return listed
    if not keys:
        raise Invalid("Tick findings first, or choose all of them.")
    known = {one.key: one for one in listed}
    if any(key not in known for key in keys):
        raise NotFound("This finding is not open any more: the dataset, or its scan, is newer.")
    return [known[key] for key in dict.fromkeys(keys)]


def resolve(
    *,
    actor: Any,
    dataset: Dataset,
    kind: str,
    action: str,
    keys: Collection[str] | None,
    label: Any = None,
    row: int | None = None,
    base: int | None = None,
    about: str = "",
) -> Version:
    """Do something about findings, as one new version, and ask for its scan.

    `keys` None: all open ones that are listed. `base` is the version that was seen. Needs the
    role author. Raises what `choose` and `changes.change` raise, and `Invalid` for what does not
    go together.
    """
    require(user=actor, project=dataset.project, role=Role.AUTHOR)
    found_kind = get_kind(kind)
    report = report_of(dataset, about)
    if base is not None and base != dataset.number:
        raise Conflict("The dataset was changed in the meantime. Look at it, and try again.")
    findings = choose(report, found_kind, keys)
    chosen = _action(found_kind, action)
    if chosen.name == "label" and (label is None or not report.label):
        raise Invalid("Choose the label that all of the rows get.")
    plan = _plan(dataset, report, chosen, findings, label, row)
    noun = "finding" if len(findings) == 1 else "findings"
    version = change(
        actor=actor,
        dataset=dataset,
        changes=Changes(cells=plan.cells, removed=plan.removed, splits=plan.splits),
        message=f"{found_kind.title}: {len(findings):,} {noun} resolved ({chosen.title.lower()})",
        base=base,
    )
    ask_scan(dataset, about)
    return version


def _action(kind: Kind, name: str) -> Action:
    if name not in (*kind.actions, "delete-row"):
        known = ", ".join(kind.actions) or "nothing but waiving"
        raise Invalid(f"“{name[:40]}” is not what can be done here; there is {known}.")
    return ACTIONS[name]


def _plan(
    dataset: Dataset,
    report: Report,
    action: Action,
    findings: Sequence[Finding],
    label: Any,
    row: int | None,
) -> Plan:
    numbers = sorted({number for finding in findings for number in finding.numbers})
    if action.name == "delete-row" and row not in numbers:
        raise Invalid("Say which row of the finding is to go.")
    rows = {one.number: one for one in Table(dataset).at(numbers)}
    plan = Plan()
    for finding in findings:
        column = report.label if action.name == "label" else str(finding.data.get("column", ""))
        own = [rows[number] for number in finding.numbers if number in rows]
        action.do(plan, own, Choice(column=column, label=label, row=row))
    for number in plan.removed:
        plan.cells.pop(number, None)
        plan.splits.pop(number, None)
    if not (plan.cells or plan.removed or plan.splits):
        raise Invalid(f"“{action.title}” would change nothing here. Choose something else.")
    return plan


def rows_of(dataset: Dataset, findings: Sequence[Finding], most: int) -> dict[int, Row]:
    """The first `most` rows of each, by number."""
    numbers = {number for finding in findings for number in finding.numbers[:most]}
    return {row.number: row for row in Table(dataset).at(sorted(numbers))}


def _repeated(finding: Finding) -> str:
    numbers = finding.data["pair"]
    splits = dict(finding.rows)
    how = "equals" if finding.data["exact"] else "nearly equals"
    one, other = (f"row {number:,} ({splits[number]})" for number in numbers)
    more = finding.total - 2
    rest = "" if more < 1 else f", with {more:,} more {'row' if more == 1 else 'rows'}"
    return f"R{one[1:]} {how} {other}{rest}."


def _conflicting(finding: Finding) -> str:
    how = "the same" if finding.data["exact"] else "nearly the same"
    return f"{finding.total:,} rows ask {how} and have {finding.data['labels']} different labels."


def _at(finding: Finding) -> str:
    [(number, split)] = finding.rows
    column = finding.data.get("column")
    return f"Row {number:,} ({split})" + (f", “{column}”" if column else "")


def _of_type(finding: Finding) -> str:
    why = {"missing": "is empty, and is needed", "label": "is none of the labels"}
    wrong = why.get(finding.data["why"], "is not of the field’s type")
    return f"{_at(finding)} {wrong}."


def _personal(finding: Finding) -> str:
    names = " and ".join(PATTERNS[name].title for name in finding.data["types"])
    return f"{_at(finding)} holds what may be personal: {names}."


def _empty(finding: Finding) -> str:
    return f"{_at(finding)} has no inputs."


def _damaged(finding: Finding) -> str:
    return f"{_at(finding)} has damaged letters."


_SENTENCES = {
    **dict.fromkeys(("leak", "overlap", "duplicate", "near"), _repeated),
    "conflict": _conflicting,
    "type": _of_type,
    "personal": _personal,
    "empty": _empty,
    "encoding": _damaged,
}

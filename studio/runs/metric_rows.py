"""Rows that a metric is tried on: a dataset's examples, and answers to judge beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

from studio.accounts.models import Project
from studio.datasets.models import Dataset, Split
from studio.datasets.splits.sealing import Hidden
from studio.datasets.table import Row, Table
from studio.datasets.uploading.choices import normal
from studio.engine.errors import ParseError, SignatureError
from studio.engine.graph.nodes import node_fields
from studio.engine.signature import Field, Signature
from studio.errors import Invalid, NotFound
from studio.runs.models import Run, ScoreRow

ROWS = 10
"""So many are judged while one writes."""
GOLD = "gold"
COLUMN = "column:"
RUN = "run:"
_RUNS_LOOKED_AT = 40
_OPEN = (Split.TRAIN.value, Split.DEV.value)
"""What is shown unless somebody asks for more: the held-out part stays sealed."""


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One example, and the answer that the metric is to judge."""

    number: int | None
    """Of the dataset's row."""
    split: str
    values: Mapping[str, Any]
    """What the metric is given as the example, by field."""
    prediction: Mapping[str, Any]
    outputs: tuple[str, ...]
    """Which of the fields are answers; the others were given."""

    @property
    def inputs(self) -> dict[str, Any]:
        """What the program is given."""
        return {name: one for name, one in self.values.items() if name not in self.outputs}

    @property
    def gold(self) -> dict[str, Any]:
        """What it should answer."""
        return {name: self.values[name] for name in self.outputs if name in self.values}


@dataclass(frozen=True, slots=True)
class Option:
    """Somewhere answers come from."""

    value: str
    label: str


@dataclass(frozen=True)
class Sources:
    """What can be chosen for a dataset, and what is."""

    dataset: Dataset
    split: str
    """Empty: train and dev together."""
    source: str
    splits: tuple[Option, ...]
    sources: tuple[Option, ...]
    fields: Mapping[str, Field] = field(default_factory=dict)
    """The fields of the project's signatures and pipelines, by name."""

    @property
    def allowed(self) -> tuple[str, ...]:
        """The splits whose rows are read."""
        return (self.split,) if self.split else _OPEN


def choose(
    project: Project, *, dataset: str = "", split: str = "", source: str = "", wanted: str = ""
) -> Sources | None:
    """What was asked for where there is such a thing, and else the first of what there is.

    `wanted` is a field that the dataset should have when none was asked for. None: the project
    has no dataset. A test split that is sealed is never among the splits.
    """
    there = {row.slug: row for row in project.datasets.all()}
    if not there:
        return None
    fitting = (row for row in there.values() if wanted in (*row.mapping, *row.columns))
    found = there.get(dataset) or next(fitting, next(iter(there.values())))
    splits = [Option("", "Train and dev"), Option("train", "Train"), Option("dev", "Dev")]
    if not found.sealed:
        splits.append(Option("test", "Test"))
    sources = list(_sources(found))
    return Sources(
        found,
        split if any(option.value == split for option in splits) else "",
        source if any(option.value == source for option in sources) else sources[0].value,
        tuple(splits),
        tuple(sources),
        known_fields(project),
    )


def read_rows(
    chosen: Sources, *, metric_field: str = "", skip: int = 0, limit: int = ROWS
) -> list[TrialRow]:
    """The rows, with the answers of the chosen source.

    `metric_field` is the output that a column stands for; the first output without it. Raises
    `Invalid` when there is no output that it could stand for.
    """
    if chosen.source.startswith(RUN):
        return list(_of_run(chosen, skip, limit))
    rows = _table_rows(chosen, skip, limit)
    named = columns_by_field(chosen.dataset, chosen.fields)
    outputs = outputs_of(named, chosen, metric_field)
    if not chosen.source.startswith(COLUMN):
        return [_trial(row, named, outputs, chosen, {}) for row in rows]
    column = chosen.source.removeprefix(COLUMN)
    target = stands_for(chosen, metric_field)
    if not target:
        raise Invalid(
            f"The column “{column}” stands for no output: name the field in the metric, or map "
            "a column to an output of a signature on the dataset’s page."
        )
    # The column is the answer, so it is no input.
    named = {name: one for name, one in named.items() if one != column or name == target}
    return [_trial(row, named, outputs, chosen, {target: row.values.get(column)}) for row in rows]


def stands_for(chosen: Sources, metric_field: str = "") -> str:
    """The output that a column's values are taken for; empty: there is none."""
    named = columns_by_field(chosen.dataset, chosen.fields)
    return next(iter(outputs_of(named, chosen, metric_field)), "") or metric_field


def known_fields(project: Project) -> dict[str, Field]:
    """Every field of the project's signatures and of its pipelines' ends, by name.

    A field is an output when a pipeline answers it, or a signature does and no pipeline is given
    it; so the type of an answer is known without a run.
    """
    found: dict[str, Field] = {}
    for spec in project.signatures.values_list("spec", flat=True):
        try:
            fields = Signature.from_dict(spec).fields
        except SignatureError:
            continue  # its own page says what is wrong with it
        for one in fields:
            if one.name not in found or one.role == "output":
                found[one.name] = one
    for spec in project.pipelines.values_list("spec", flat=True):
        for kind in ("input", "output"):
            found |= {one.name: one for one in _ends(spec, kind)}
    return found


def columns_by_field(dataset: Dataset, fields: Mapping[str, Field]) -> dict[str, str]:
    """`{field: column}`: by the mapping, by name, and else every column as a field of its name."""
    by_name = {normal(column): column for column in reversed(dataset.columns)}
    named = {name: column for name, column in dataset.mapping.items() if column in dataset.columns}
    for name in fields:
        column = by_name.get(normal(name))
        if name not in named and column and column not in named.values():
            named[name] = column
    return named or {column: column for column in dataset.columns}


def outputs_of(named: Mapping[str, str], chosen: Sources, metric_field: str) -> tuple[str, ...]:
    """Which of a dataset's fields are answers, the metric's own first."""
    known = [name for name in named if (one := chosen.fields.get(name)) and one.role == "output"]
    label = chosen.dataset.label_column
    if not known and label:
        known = [name for name, column in named.items() if column == label]
    if metric_field in named and metric_field not in known:
        known = [metric_field, *known]
    return tuple(sorted(known, key=lambda name: name != metric_field))


def _trial(
    row: Row,
    named: Mapping[str, str],
    outputs: tuple[str, ...],
    chosen: Sources,
    given: Mapping[str, Any],
) -> TrialRow:
    values = {
        name: read_cell(chosen.fields.get(name), row.values[column])
        for name, column in named.items()
        if row.values.get(column) is not None
    }
    answers = {name: values[name] for name in outputs if name in values}
    answers |= {name: read_cell(chosen.fields.get(name), cell) for name, cell in given.items()}
    return TrialRow(row.number, row.split, values, answers, outputs)


def read_cell(field: Field | None, cell: Any) -> Any:
    """The cell as a value of the field, or as it is: whoever tries it is shown what it is."""
    if field is None or cell is None:
        return cell
    try:
        return field.read(cell)
    except ParseError:
        return cell


def _table_rows(chosen: Sources, skip: int, limit: int) -> list[Row]:
    table = Table(chosen.dataset)
    numbers = merge(*(table.numbers(split) for split in chosen.allowed))
    return table.at(islice(numbers, skip, skip + limit))


def _of_run(chosen: Sources, skip: int, limit: int) -> Iterator[TrialRow]:
    run = _run(chosen)
    candidate = _candidate(run)
    scores = ScoreRow.objects.filter(run=run, candidate=candidate, split__in=chosen.allowed)
    answers = [str(one["name"]) for one in _end_specs(run.version.spec, "output")]
    # A row may have been for something else when the run read it.
    hidden = Hidden(chosen.dataset)
    found = scores.order_by("number", "pk").iterator()
    seen = (one for one in found if not (one.number and hidden.number(one.number)))
    for score in islice(seen, skip, skip + limit):
        prediction = dict(score.prediction.get("values") or {})
        outputs = tuple(answers) or tuple(prediction)
        yield TrialRow(score.number, score.split, dict(score.gold), prediction, outputs)


def _run(chosen: Sources) -> Run:
    try:
        pk = UUID(chosen.source.removeprefix(RUN))
    except ValueError:
        raise NotFound("There is no such run.") from None
    found = Run.objects.select_related("version").filter(pk=pk, dataset=chosen.dataset).first()
    if found is None:
        raise NotFound("There is no such run on this dataset.")
    return found


def _candidate(run: Run) -> str:
    """What won, or else what was looked at on the most examples."""
    scored = Counter(ScoreRow.objects.filter(run=run).values_list("candidate", flat=True))
    winner = str(run.report.get("compared") or "")
    if winner in scored:
        return winner
    return max(scored, key=lambda hash_: (scored[hash_], hash_), default="")


def _sources(dataset: Dataset) -> Iterable[Option]:
    """Answers of the last run of each pipeline, the gold values, and the other columns."""
    seen: set[int] = set()
    runs = (
        Run.objects.filter(dataset=dataset, kind__in=(Run.Kind.EVALUATE, Run.Kind.COMPILE))
        .select_related("version__pipeline")
        .only("pk", "kind", "created_at", "version__number", "version__pipeline__name")
        .order_by("-created_at")
    )
    for run in runs[:_RUNS_LOOKED_AT]:
        pipeline = run.version.pipeline
        scored = ScoreRow.objects.filter(run=run, split__in=_OPEN)
        if pipeline.pk not in seen and scored.exists():
            seen.add(pipeline.pk)
            when = f"{run.created_at:%-d %b %H:%M}"
            yield Option(
                f"{RUN}{run.pk}",
                f"Answers of {pipeline.name} v{run.version.number} ({run.kind}, {when})",
            )
    yield Option(GOLD, "The gold values: what a perfect answer gets")
    for column in dataset.columns[:200]:
        yield Option(f"{COLUMN}{column}", f"Column “{column}”")


def _ends(spec: Mapping[str, Any], kind: str) -> Iterator[Field]:
    """The fields of the input or the output that can be read: a drawing may be unfinished."""
    for one in _end_specs(spec, kind):
        try:
            yield from node_fields({"kind": kind, "fields": [one]})
        except SignatureError:
            continue  # the drawing's own problems tell it


def _end_specs(spec: Mapping[str, Any], kind: str) -> Sequence[Mapping[str, Any]]:
    return [
        one
        for node in spec.get("nodes", ())
        if node.get("kind") == kind
        for one in (node.get("fields") or ())
        if isinstance(one, dict) and one.get("name")
    ]

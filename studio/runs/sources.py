"""What a run reads: a dataset's examples, each with the row that it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.datasets.models import Dataset, Split
from studio.datasets.services import numbered_examples
from studio.engine.example import Example
from studio.engine.program import Program
from studio.engine.signature import Field
from studio.errors import Invalid
from studio.metrics.models import Metric, MetricVersion


@dataclass(frozen=True, slots=True)
class Source:
    """Where an example stands."""

    number: int
    split: str
    values: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {"number": self.number, "split": self.split, "values": dict(self.values)}


@dataclass(frozen=True)
class Sources:
    """The examples of a dataset by split, without the ones that stand there twice."""

    splits: Mapping[str, tuple[Example, ...]]
    by_id: Mapping[str, Source] = field(default_factory=dict)
    doubled: int = 0
    """Rows left out because an equal one stands earlier, train before dev before test."""
    there: Mapping[str, int] = field(default_factory=dict)
    """Rows of each split, with those that stand there twice."""

    def __getitem__(self, split: str) -> tuple[Example, ...]:
        return self.splits.get(split, ())


def needed_fields(program: Program, metric: Metric | MetricVersion) -> tuple[Field, ...]:
    """The fields to read: what the program is given and, where there is a column, what it answers.

    Raises `Invalid` when the metric looks at something that the program does not answer.
    """
    gold = gold_field(metric)
    answers = [one.name for one in program.outputs]
    if gold and gold not in answers:
        raise Invalid(
            f"The metric {name_of(metric)} looks at “{gold}”, which the pipeline does not "
            f"answer: it answers {', '.join(answers)}. Choose another metric, or add the output.",
            problems=[{"field": "metric", "message": f"No output “{gold}”."}],
        )
    return (*program.inputs, *program.outputs)


def name_of(metric: Metric | MetricVersion) -> str:
    """How people call the metric."""
    return metric.name if isinstance(metric, Metric) else metric.metric.name


def gold_field(metric: Metric | MetricVersion) -> str:
    """The field of an example that the metric compares an answer with; may be empty."""
    return str(metric.params.get("field") or "")


def read_sources(
    dataset: Dataset,
    fields: Iterable[Field],
    splits: Iterable[str] = (Split.TRAIN, Split.DEV, Split.TEST),
    *,
    number: int | None = None,
) -> Sources:
    """Read the splits, of a version of the dataset or the newest.

    Raises `Invalid` when rows cannot be read, naming them.
    """
    wanted = tuple(fields)
    kept: dict[str, tuple[Example, ...]] = {}
    by_id: dict[str, Source] = {}
    doubled = 0
    there: dict[str, int] = {}
    for split in splits:
        fresh: list[Example] = []
        there[str(split)] = 0
        for row, example in numbered_examples(dataset, wanted, split=split, number=number):
            there[str(split)] += 1
            if example.id in by_id:
                doubled += 1
                continue
            by_id[example.id] = Source(row, str(split), example.values)
            fresh.append(example)
        kept[str(split)] = tuple(fresh)
    return Sources(kept, by_id, doubled, there)


def check_gold(sources: Sources, dataset: Dataset, metric: Metric) -> None:
    """Raise `Invalid` when the dataset has no column for what the metric compares with."""
    gold = gold_field(metric)
    first = next((one for split in sources.splits.values() for one in split), None)
    if gold and first is not None and gold not in first.values:
        raise Invalid(
            f"The dataset {dataset.name} has no column for “{gold}”, which the metric "
            f"{metric.name} compares answers with. Choose another dataset or metric.",
            problems=[{"field": gold, "message": "No column fills it."}],
        )

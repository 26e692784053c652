"""The three tasks: examples, labels, and the program in our terms."""

from __future__ import annotations

import csv
import os
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from studio.engine.example import Example
from studio.engine.fields import FieldType
from studio.engine.modules.predict import Predict
from studio.engine.program import Program
from studio.engine.signature import Field, Signature

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "studio" / "samples" / "support_triage.csv"
DATA_VARIABLE = "STUDIO_BENCH_DATA"
TASKS = ("triage", "intents10", "intents77")

_FEW = 10
"""Intents of the task `intents10`."""


@dataclass(frozen=True)
class Task:
    """A text, and the one label of several that fits it."""

    name: str
    signature: Signature
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    test: tuple[Example, ...]
    compiler: str
    """The one of ours that is measured."""
    calls: int
    """The budget that is taken when none is given."""

    @cached_property
    def program(self) -> Program:
        """One step that chooses the label."""
        return Program.of(Predict.of(self.signature), "classify")

    @property
    def text(self) -> str:
        """The name of the input."""
        return self.signature.inputs[0].name

    @property
    def label(self) -> str:
        """The name of the output."""
        return self.signature.outputs[0].name

    @property
    def labels(self) -> tuple[str, ...]:
        """What the output may be."""
        return self.signature.outputs[0].type.labels


def load(name: str, seed: int, data: Path) -> Task:
    """The task with its examples.

    The sample project's splits are those of its file; there the seed only changes the order of
    the training examples. Of the intents each seed draws its own examples, training and dev from
    the file for training, test from the file for testing.
    """
    if name == "triage":
        return _triage(seed)
    rows, held_out = (_by_label(data / "banking77" / f"{part}.csv") for part in ("train", "test"))
    labels = sorted(rows)
    if name == "intents10":
        labels = sorted(random.Random(name).sample(labels, _FEW))
        train, dev, test = 10, 6, 12
    else:
        train, dev, test = 10, 1, 2
    signature = Signature(
        (
            Field(name="text", role="input"),
            Field(name="intent", role="output", type=FieldType("enum", labels=tuple(labels))),
        ),
        "Say what a bank's customer wants.",
    )
    chosen: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
    for label in labels:
        rng = random.Random(f"{name}/{seed}/{label}")
        texts = rng.sample(rows[label], train + dev)
        asked = [text for text in held_out[label] if text not in texts]
        for part, found in (
            ("train", texts[:train]),
            ("dev", texts[train:]),
            ("test", rng.sample(asked, test)),
        ):
            chosen[part] += [Example({"text": text, "intent": label}) for text in found]
    for part, examples in chosen.items():
        random.Random(f"{name}/{seed}/{part}").shuffle(examples)
    return Task(
        name=name,
        signature=signature,
        train=tuple(chosen["train"]),
        dev=tuple(chosen["dev"]),
        test=tuple(chosen["test"]),
        compiler="random-search" if name == "intents10" else "knn",
        calls=500 if name == "intents10" else 400,
    )


def data_folder(given: str) -> Path:
    """Where the banking queries are: as given, else the variable, else beside the project.

    Raises `SystemExit` with what to do when they are not there.
    """
    folder = Path(given or os.environ.get(DATA_VARIABLE, "") or ROOT.parent / "shared" / "data")
    missing = [
        path
        for path in (folder / "banking77" / f"{part}.csv" for part in ("train", "test"))
        if not path.is_file()
    ]
    if missing:
        raise SystemExit(
            f"There is no {missing[0]}. The tasks intents10 and intents77 need the data set "
            "banking77 (PolyAI, CC BY 4.0): give its parent folder with --data or "
            f"{DATA_VARIABLE}, or measure --tasks triage alone."
        )
    return folder


def _triage(seed: int) -> Task:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = ("billing", "shipping", "technical", "account", "returns")
    signature = Signature(
        (
            Field(name="message", role="input"),
            Field(name="category", role="output", type=FieldType("enum", labels=labels)),
        ),
        "Sort a customer's message to a shop for home electronics "
        "into the team that should answer it.",
    )

    def part(name: str) -> list[Example]:
        return [
            Example({"message": row["message"], "category": row["category"]})
            for row in rows
            if row["split"] == name
        ]

    train = part("train")
    random.Random(f"triage/{seed}").shuffle(train)
    return Task(
        name="triage",
        signature=signature,
        train=tuple(train),
        dev=tuple(part("dev")),
        test=tuple(part("test")),
        compiler="random-search",
        calls=500,
    )


def _by_label(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            text = " ".join(row["text"].split())
            if text not in found[row["category"]]:
                found[row["category"]].append(text)
    return found


def right(task: Task, answers: Sequence[str | None]) -> list[int]:
    """1 for each test example whose answer is its label."""
    return [
        int(answer == example.values[task.label])
        for example, answer in zip(task.test, answers, strict=True)
    ]

"""Reads a whole file under the choices and says what the dataset would be, keeping nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from studio.datasets.reading import Batch, Format, Source, open_source
from studio.datasets.reading.problems import Problem, Problems, rows
from studio.datasets.splits.splitting import Splitter, label_text
from studio.datasets.uploading.ahead import ahead
from studio.datasets.uploading.choices import Choices
from studio.datasets.uploading.identifying import Ids
from studio.datasets.uploading.judging import Judge, text_of, values_of
from studio.datasets.uploading.previewing import Preview
from studio.engine.codec import content_hash
from studio.engine.signature import Signature
from studio.errors import Invalid

MAX_ROWS = 5_000_000
MAX_LABEL = 80
"""Characters of a value that `label_text` leaves as it is."""
BEAT_SECONDS = 0.5

Beat = Callable[[float], None]
"""Called now and then with the part of the file that has been read."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What a file would become."""

    report: dict[str, Any]
    """For people, JSON."""
    splits: bytes
    """For each row its byte as in `Place.splits`."""
    columns: list[str]


def examine(
    path: Path,
    format_: Format,
    choices: Choices,
    signature: Signature | None,
    *,
    keep: Callable[[Batch], None] = lambda batch: None,
    note: Callable[[Problem], None] = lambda problem: None,
    beat: Beat = lambda part: None,
) -> Examination:
    """Read every row once, and give each batch of them to `keep`, each problem to `note`.

    Raises `Invalid` when the file cannot become a dataset at all.
    """
    judge = Judge(choices, signature)
    splitter = Splitter(shares=(choices.train, choices.dev, choices.test), seed=choices.seed)
    problems, unknown_labels = Problems(), Counter[str]()
    preview, ids = Preview(choices, signature), Ids(choices.id_column)
    number, beaten = 0, monotonic()
    with open_source(path, format_) as source, ahead(source.batches()) as batches:
        for batch in batches:
            count = batch.count
            number = batch.start + count - 1
            if number > MAX_ROWS:
                raise Invalid(f"The file has more than {MAX_ROWS:,} rows. Split it, or sample it.")
            codes, odd = judge(batch)
            for index in sorted(odd):
                for problem in odd[index]:
                    problems.add(problem)
                    note(problem)
                    if problem.kind == "label" and len(unknown_labels) < 1000:
                        value = values_of(batch, index).get(problem.column)
                        unknown_labels[text_of(value)[:80]] += 1
            splitter.extend(codes, _labels(batch, choices.balance, count), judge.keys(batch))
            ids.add(batch, codes)
            preview.add(batch, odd)
            keep(batch)
            if monotonic() - beaten > BEAT_SECONDS:
                beat(batch.part)
                beaten = monotonic()
    for problem in _about_the_file(source):
        problems.add(problem)
        note(problem)
    splitter.draw()
    counts = splitter.counts()
    kept = sum(counts.values())
    report = {
        "columns": source.columns,
        "preview": preview.rows,
        "rows": number,
        "kept": kept,
        "left_out": number - kept,
        "problems": problems.to_dict(),
        "unknown_labels": dict(unknown_labels.most_common(10)),
        "splits": counts,
        "labels": {"column": choices.balance, "counts": splitter.labels()}
        if choices.balance
        else {},
        "duplicates": {} if choices.split_by == "group" else splitter.duplicates(),
        "ids": ids.to_dict(),
        "signature": content_hash(signature.to_dict()) if signature else "",
    }
    report["blockers"] = _blockers(choices, signature, report)
    report["notes"] = _notes(choices, signature, report)
    return Examination(report, bytes(splitter.splits), list(source.columns))


def _labels(batch: Batch, column: str, count: int) -> Sequence[str] | None:
    if not column:
        return None
    if column not in batch.columns:
        return [""] * count
    values = batch.cells[batch.columns.index(column)]
    if set(map(type, values)) == {str} and max(map(len, values)) <= MAX_LABEL:
        return values
    return [label_text(value) for value in values]


def _about_the_file(source: Source) -> list[Problem]:
    problems = list(source.problems)
    if source.blank_lines:
        what = f"Empty lines: {source.blank_lines:,}."
        problems.append(Problem(kind="blank", what=what, done="They are passed over."))
    return problems


def _blockers(choices: Choices, signature: Signature | None, report: dict[str, Any]) -> list[str]:
    """Why this cannot be kept as it is, and what to do."""
    found: list[str] = []
    if choices.header == "":
        found.append(
            "The first row looks like data. Say whether it holds column names or is the first row."
        )
    if choices.signature and signature is None:
        found.append(f"The signature “{choices.signature}” is gone. Choose another one.")
    if signature is not None:
        missing = [field.name for field in signature.inputs if field.name not in choices.mapping]
        if missing:
            found.append(f"Choose a column for {', '.join(f'“{name}”' for name in missing)}.")
    if report["rows"] == 0:
        found.append("The file has no rows under its column names. Upload one that has.")
    elif report["kept"] == 0:
        found.append(
            "No row would be left: every one has a problem. Choose other columns or another "
            "signature, or repair the file."
        )
    return found


def _notes(choices: Choices, signature: Signature | None, report: dict[str, Any]) -> list[str]:
    """What a person should know before keeping it."""
    found: list[str] = []
    if signature is not None:
        missing = [field.name for field in signature.outputs if field.name not in choices.mapping]
        if missing:
            names = ", ".join(f"“{name}”" for name in missing)
            found.append(f"No column fills {names}: metrics that compare with it will not work.")
    uses = {
        "train": "compilers learn on it",
        "dev": "compilers choose on it",
        "test": "the result is judged on it",
    }
    if report["kept"]:
        found.extend(
            f"No row is in {split}: {uses[split]}."
            for split, count in report["splits"].items()
            if count == 0
        )
    found.extend(_about_ids(report["ids"]))
    if choices.split_by == "group":
        found.append(
            f"All rows of one “{choices.group}” go to the same split. The shares are those of the "
            "groups: with groups of different sizes the rows come out otherwise."
        )
        return found
    duplicates = report["duplicates"]
    together = duplicates["rows"] - duplicates["across"]
    if duplicates["across"]:
        found.append(
            f"Inputs repeated across splits: {rows(duplicates['across'])}. What a compiler "
            "learned would be part of what it is judged on."
        )
    if together and choices.split_by == "random":
        found.append(
            f"Inputs repeated: {rows(together)}. Each goes to the split of the row it repeats."
        )
    return found


def _about_ids(ids: dict[str, Any]) -> list[str]:
    found = []
    if ids.get("repeated"):
        found.append(
            f"Ids in “{ids['column']}” that stand there before: {rows(ids['repeated'])}. When a "
            "file is uploaded into the dataset later, rows are found by their ids."
        )
    if ids.get("missing"):
        found.append(f"No id in “{ids['column']}”: {rows(ids['missing'])}.")
    return found

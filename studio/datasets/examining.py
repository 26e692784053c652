"""Reads a whole file under the choices and says what the dataset would be, keeping nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.datasets.choices import ID_COLUMNS, Choices, read_split
from studio.datasets.models import Split
from studio.datasets.problems import Problem, Problems, rows
from studio.datasets.reading import ReadRow, Table, open_table
from studio.datasets.sniffing import Format
from studio.datasets.splitting import Splitter
from studio.engine.codec import canonical_json
from studio.engine.errors import ParseError
from studio.engine.signature import Field, Signature
from studio.errors import Invalid

MAX_ROWS = 2_000_000
PREVIEW_ROWS = 20
PREVIEW_CELL = 200
BEAT_EVERY = 20_000

Beat = Callable[[float], None]
"""Called now and then with the part of the file that has been read."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What a file would become."""

    report: dict[str, Any]
    """For people, JSON."""
    splits: bytearray
    """For each row the index in `splitting.SPLITS`, or `LEFT_OUT`."""
    columns: list[str]


def examine(
    path: Path,
    format_: Format,
    choices: Choices,
    signature: Signature | None,
    *,
    beat: Beat = lambda part: None,
) -> Examination:
    """Read every row once. Raises `Invalid` when the file cannot become a dataset at all."""
    judge = _Judge(choices, signature)
    splitter = Splitter(shares=(choices.train, choices.dev, choices.test), seed=choices.seed)
    problems, unknown_labels = Problems(), Counter[str]()
    preview: list[dict[str, str]] = []
    size, read, number = max(1, path.stat().st_size), 0, 0
    format_ = replace(format_, delimiter=choices.delimiter, header=choices.header)
    with open_table(path, format_) as table:
        for row in table:
            number = row.number
            if number > MAX_ROWS:
                raise Invalid(f"The file has more than {MAX_ROWS:,} rows. Split it, or sample it.")
            split, found = judge(row)
            for problem in found:
                problems.add(problem)
                if problem.kind == "label" and len(unknown_labels) < 1000:
                    unknown_labels[str(row.values.get(problem.column, ""))[:80]] += 1
            if any(problem.drops for problem in found):
                splitter.leave_out()
            else:
                label = row.values.get(choices.balance, "") if choices.balance else ""
                splitter.add(split=split, label=_text(label)[:80], inputs=judge.key(row))
            if number <= PREVIEW_ROWS:
                preview.append({name: shorten(_text(value)) for name, value in row.values.items()})
            read += row.size
            if number % BEAT_EVERY == 0:
                beat(min(1.0, read / size))
    for problem in _about_the_file(table):
        problems.add(problem)
    splitter.draw()
    counts = splitter.counts()
    kept = sum(counts.values())
    report = {
        "columns": table.columns,
        "preview": preview,
        "rows": number,
        "kept": kept,
        "left_out": number - kept,
        "problems": problems.to_dict(),
        "unknown_labels": dict(unknown_labels.most_common(10)),
        "splits": counts,
        "labels": {"column": choices.balance, "counts": splitter.labels()}
        if choices.balance
        else {},
        "duplicates": splitter.duplicates(),
    }
    report["blockers"] = _blockers(choices, signature, report)
    report["notes"] = _notes(choices, signature, report)
    return Examination(report=report, splits=splitter.splits, columns=table.columns)


class _Judge:
    """Says of one row which split it names and what is wrong with it under the choices."""

    def __init__(self, choices: Choices, signature: Signature | None) -> None:
        self._split_column = choices.split_column if choices.split_by == "column" else ""
        self._fields: list[tuple[Field, str]] = []
        names = list(choices.mapping)
        if signature is not None:
            mapped = [field for field in signature.fields if field.name in choices.mapping]
            self._fields = [(f, choices.mapping[f.name]) for f in mapped]
            names = [field.name for field in mapped if field.role == "input"]
        not_inputs = (
            {choices.split_column} if signature else {choices.split_column, choices.balance}
        )
        inputs = {choices.mapping[name] for name in names} - not_inputs
        if signature is None:
            inputs = {name for name in inputs if name.strip().casefold() not in ID_COLUMNS}
        self._inputs = sorted(inputs)

    def __call__(self, row: ReadRow) -> tuple[Split | None, list[Problem]]:
        problems = list(row.problems)
        if row.dropped:
            return None, problems
        for field, column in self._fields:
            name, type_ = field.name, field.type
            value = row.values.get(column)
            if value is None:
                if field.required:
                    what = f"{name}: the column “{column}” is empty."
                    problems.append(_dropped(row, "missing", column, what))
                continue
            try:
                field.read(value)
            except ParseError as error:
                if type_.kind == "enum":
                    shown = shorten(_text(value), 60)
                    what = f"{name}: “{shown}” is none of {', '.join(type_.labels)}."
                    problems.append(_dropped(row, "label", column, what))
                else:
                    problems.append(_dropped(row, "type", column, str(error)))
        split = None
        if self._split_column:
            value = row.values.get(self._split_column)
            split = read_split(value)
            if split is None:
                what = f"“{shorten(_text(value), 40)}” is not train, dev, validation or test."
                problems.append(_dropped(row, "split", self._split_column, what))
        return split, problems

    def key(self, row: ReadRow) -> int:
        """A hash of what the row gives to a program: equal inputs, equal keys."""
        return hash(tuple(_text(row.values.get(column)) for column in self._inputs))


def _dropped(row: ReadRow, kind: str, column: str, what: str) -> Problem:
    return Problem(
        kind=kind,
        column=column,
        what=what,
        done="The row is left out.",
        drops=True,
        row=row.number,
        line=row.line,
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else canonical_json(value)


def shorten(text: str, limit: int = PREVIEW_CELL) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _about_the_file(table: Table) -> list[Problem]:
    problems = list(table.problems)
    if table.blank_lines:
        what = f"Empty lines: {table.blank_lines:,}."
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

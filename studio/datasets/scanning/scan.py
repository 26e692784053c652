"""The scan of a version: one pass over its rows, then a comparison of those that may be alike.

In memory it holds about 700 bytes and the words' hashes for each row with inputs of its own,
however long the texts are; nothing of a text is kept but hashes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from studio.datasets.blocks import ABSENT
from studio.datasets.chores import Beat
from studio.datasets.models import Chore
from studio.datasets.scanning.alike import MOST_TEXTS
from studio.datasets.scanning.collecting import Collector
from studio.datasets.scanning.columns import Columns, columns_of
from studio.datasets.scanning.folding import LONGEST
from studio.datasets.scanning.groups import Groups
from studio.datasets.scanning.labels import Labels
from studio.datasets.scanning.oddities import Oddities
from studio.datasets.scanning.repeats import Repeats
from studio.datasets.table import Piece, Table
from studio.datasets.uploading.judging import text_of
from studio.engine.codec import canonical_json

READING = 0.7
"""The part of the work that is reading."""
_BEAT_BLOCKS = 8
_BEAT_EVERY_S = 0.3


def make_scan(chore: Chore, beat: Beat) -> dict[str, Any]:
    """Scan the chore's version. A chore about columns compares rows by these, and nothing else."""
    dataset = chore.dataset
    table = Table(dataset, chore.number)
    about = about_columns(chore.about)
    columns = columns_of(dataset, table, about)
    collector = Collector(dataset.waivers.values_list("kind", "key"))
    oddities = None if about else Oddities(dataset, columns, collector)
    groups = [] if about else [Groups(name) for name in columns.groups]
    labels = Labels(columns.label)
    repeats = Repeats()
    for done, piece in enumerate(table.pieces()):
        _read(piece, columns, repeats, labels, groups, oddities)
        if done % _BEAT_BLOCKS == 0:
            beat(READING * done / len(table.spots))
    beat(READING)

    def read(places: Sequence[int]) -> dict[int, list[str]]:
        by_number = {repeats.numbers[place]: place for place in places}
        found = {}
        for row in table.at(by_number):
            texts = [text_of(row.values.get(name)) for name in _texts(columns)]
            found[by_number[row.number]] = texts
        beat(READING)
        return found

    clusters = repeats.inputs.clusters(read, _now_and_then(lambda: beat(READING)))
    beat(READING)
    repeats.tell(clusters, collector)
    beat(READING)
    if not about:
        labels.tell(collector)
        for one in groups:
            one.tell(collector)
    return {
        "inputs": list(columns.inputs),
        "label": columns.label,
        "rows": table.count(),
        "baseline": "" if about else labels.baseline,
        "kinds": collector.to_dict(),
        "notes": [*_notes(columns, repeats, groups), *_doubts(clusters.doubtful_left)],
    }


def _now_and_then(beat: Callable[[], None]) -> Callable[[], None]:
    """The beat, for whoever may call it very often."""
    last = time.monotonic()

    def maybe() -> None:
        nonlocal last
        if time.monotonic() - last >= _BEAT_EVERY_S:
            beat()
            last = time.monotonic()

    return maybe


def about_columns(about: str) -> tuple[str, ...]:
    """The columns that a chore is about."""
    return tuple(about.split("\n")) if about else ()


def _read(
    piece: Piece,
    columns: Columns,
    repeats: Repeats,
    labels: Labels,
    groups: Sequence[Groups],
    oddities: Oddities | None,
) -> None:
    spot, content = piece.spot, piece.content
    there = [index for index, code in enumerate(spot.splits) if code != ABSENT]
    texts = [content.column(name) for name in _texts(columns)]
    typed = [content.column(name) for name in columns.inputs if name in columns.typed]
    label_cells = content.column(columns.label) if columns.label else None
    for index in there:
        number, split = spot.start + index, spot.splits[index]
        label = text_of(label_cells[index]) if label_cells is not None else ""
        labels.add(label, split)
        values = [cells[index] for cells in texts]
        given = [value if isinstance(value, str) else text_of(value) for value in values]
        others = [cells[index] for cells in typed]
        rest = canonical_json(others).casefold() if any(v is not None for v in others) else ""
        if not repeats.add(number, split, given, rest, label) and oddities is not None:
            oddities.empty(number, split)
    for group in groups:
        cells = content.column(group.column)
        for index in there:
            group.add(spot.start + index, spot.splits[index], cells[index])
    if oddities is not None:
        oddities.add(piece, there)


def _texts(columns: Columns) -> list[str]:
    return [name for name in columns.inputs if name not in columns.typed]


def _notes(columns: Columns, repeats: Repeats, groups: Sequence[Groups]) -> list[str]:
    """What was not looked at whole, in sentences."""
    notes = []
    if cut := repeats.inputs.cut:
        noun = "text is" if cut == 1 else "texts are"
        notes.append(
            f"{cut:,} {noun} longer than {LONGEST:,} characters: to be nearly equal, only their "
            "beginnings were compared."
        )
    if len(_texts(columns)) > MOST_TEXTS:
        notes.append(
            f"There are {len(_texts(columns)):,} text inputs. In the {MOST_TEXTS} that differ "
            "most, rows may be nearly equal; in the others they have to be equal."
        )
    notes += [
        f"“{one.column}” has very many values; not all of them were followed."
        for one in groups
        if not one.is_whole
    ]
    return notes


def _doubts(left: int) -> list[str]:
    if not left:
        return []
    return [
        f"{left:,} pairs of rows share half of their words or more. They were too many to look "
        "for typos in each; what shares four fifths was found all the same."
    ]

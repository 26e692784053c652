"""Small pictures of drawings as SVG, for pages without JavaScript: as they are, or what changed.

A mark is told three times: by its colour, by its symbol, and by the title of the box or line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from studio.engine.graph import NODE_KINDS
from studio.engine.graph.changes import Change
from studio.engine.graph.diff import match_nodes
from studio.engine.graph.shape import shape_problem
from studio.pipelines.boxes import WIDTH, height_of

MOST_DRAWN = 400
"""A picture of more nodes would be a grey cloud."""
_MARGIN = 24
_WIDEST_GAP = 400
"""Between two columns or rows; wider ones are drawn that wide."""
_LETTERS = 19
"""Of a name inside of a box."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a mark is drawn."""

    word: str
    symbol: str
    box: str
    line: str
    fill: str = ""
    """Of the badge with the symbol."""
    ink: str = ""


LOOKS: Mapping[str, Look] = {
    "same": Look("", "", "fill-base-100 stroke-base-content/35", "stroke-base-content/40"),
    "moved": Look("moved", "", "fill-base-100 stroke-base-content/35", "stroke-base-content/40"),
    "added": Look(
        "added",
        "+",
        "fill-success/15 stroke-success",
        "stroke-success",
        "fill-success",
        "fill-success-content",
    ),
    "removed": Look(
        "removed",
        "−",
        "fill-error/10 stroke-error",
        "stroke-error",
        "fill-error",
        "fill-error-content",
    ),
    "changed": Look(
        "changed",
        "~",
        "fill-info/10 stroke-info",
        "stroke-info",
        "fill-info",
        "fill-info-content",
    ),
}


@dataclass(frozen=True, slots=True)
class _Box:
    node: Mapping[str, Any]
    mark: str
    x: float
    y: float
    height: int


@dataclass(frozen=True, slots=True)
class _Line:
    source: int
    target: int
    mark: str


def picture(spec: Any) -> SafeString:
    """A drawing as it is, for show: screen readers pass it by. Empty when it cannot be drawn."""
    if shape_problem(spec) or not 0 < len(spec["nodes"]) <= MOST_DRAWN:
        return SafeString()
    nodes = [(node, "same") for node in spec["nodes"]]
    places = {node["id"]: number for number, node in enumerate(spec["nodes"])}
    ends = dict.fromkeys(_ends(spec["edges"], places))
    return _svg(nodes, [_Line(*end, "same") for end in ends], label="", names=False)


def diff_picture(before: Any, after: Any, changes: Sequence[Change]) -> SafeString:
    """Both drawings in one, with marks. Empty when it cannot be drawn."""
    if shape_problem(before) or shape_problem(after):
        return SafeString()
    pairs = match_nodes(before["nodes"], after["nodes"])
    if not 0 < len(pairs) <= MOST_DRAWN:
        return SafeString()
    marks = _marks(changes)
    nodes = []
    for old, new in pairs:
        if new is None:
            nodes.append((old or {}, "removed"))
        else:
            nodes.append((new, "added" if old is None else marks.get(new["id"], "same")))
    counts = {word: sum(mark == word for _, mark in nodes) for word in LOOKS}
    told = ", ".join(f"{counts[word]} {word}" for word in ("added", "removed", "changed"))
    return _svg(nodes, _diff_lines(before, after, pairs), label=f"Nodes: {told}.", names=True)


def _marks(changes: Iterable[Change]) -> dict[str, str]:
    """The mark of every node that is in both drawings, by its id; what is inside counts."""
    marks: dict[str, str] = {}
    for change in changes:
        if change.way:
            marks[change.way[0][0]] = "changed"
        elif change.what in ("node", "part") and change.id:
            is_move = change.how == "moved"
            marks[change.id] = marks.get(change.id, "moved") if is_move else "changed"
    return marks


def _diff_lines(
    before: Any, after: Any, pairs: Sequence[tuple[Any | None, Any | None]]
) -> list[_Line]:
    """One line for all the wires between two nodes."""
    wires: list[dict[tuple[int, int], set[tuple[str, str]]]] = []
    for side, spec in enumerate((before, after)):
        places: dict[str, int] = {}
        for number, pair in enumerate(pairs):
            if (node := pair[side]) is not None:
                places.setdefault(node["id"], number)
        found: dict[tuple[int, int], set[tuple[str, str]]] = {}
        for edge in spec["edges"]:
            for end in _ends([edge], places):
                fields = (edge["source_field"], edge["target_field"])
                found.setdefault(end, set()).add(fields)
        wires.append(found)
    lines = []
    for end in dict.fromkeys((*wires[1], *wires[0])):
        old, new = wires[0].get(end), wires[1].get(end)
        mark = "added" if not old else "removed" if not new else "changed"
        lines.append(_Line(*end, "same" if old == new else mark))
    return lines


def _ends(edges: Iterable[Any], places: Mapping[str, int]) -> list[tuple[int, int]]:
    """The places of the two nodes of each wire whose nodes are there."""
    return [
        (places[edge["source"]], places[edge["target"]])
        for edge in edges
        if edge["source"] in places and edge["target"] in places
    ]


def _svg(
    nodes: Sequence[tuple[Mapping[str, Any], str]],
    lines: Sequence[_Line],
    *,
    label: str,
    names: bool,
) -> SafeString:
    heights = [height_of(node) for node, _ in nodes]
    xs = _squeezed([(node["position"]["x"], WIDTH) for node, _ in nodes])
    ys = _squeezed(
        [(node["position"]["y"], high) for (node, _), high in zip(nodes, heights, strict=True)]
    )
    boxes = [
        _Box(node, mark, x, y, height)
        for (node, mark), x, y, height in zip(nodes, xs, ys, heights, strict=True)
    ]
    width = max(box.x for box in boxes) + WIDTH + 2 * _MARGIN
    height = max(box.y + box.height for box in boxes) + 2 * _MARGIN
    return format_html(
        '<svg class="mx-auto block h-auto w-full" viewBox="{} {} {} {}" {} style="{}">{}{}</svg>',
        -_MARGIN,
        -_MARGIN,
        round(width),
        round(height),
        format_html('role="img" aria-label="{}"', label) if label else SafeString(_HIDDEN),
        f"min-width: {round(0.42 * width)}px; max-width: {round(0.8 * width)}px" if names else "",
        format_html_join("", "{}", ((_line(line, boxes, names),) for line in lines)),
        format_html_join("", "{}", ((_box(box, names),) for box in boxes)),
    )


_HIDDEN = 'aria-hidden="true"'


def _squeezed(spans: Sequence[tuple[float, float]]) -> list[float]:
    """Where spans begin when the empty room between them is no wider than it need be."""
    order = sorted(range(len(spans)), key=lambda number: spans[number][0])
    begins = [0.0] * len(spans)
    end, away = spans[order[0]][0], spans[order[0]][0]
    for number in order:
        start, size = spans[number]
        away += max(0.0, start - end - _WIDEST_GAP)
        begins[number] = start - away
        end = max(end, start + size)
    return begins


def _box(box: _Box, names: bool) -> SafeString:
    look = LOOKS[box.mark]
    name = box.node["name"] or "a node without a name"
    kind = box.node["kind"]
    title = NODE_KINDS[kind].title if kind in NODE_KINDS else kind
    box_look = look.box if names else _card_look(kind)
    rect = format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="14" stroke-width="{}"{}/>',
        box_look,
        round(box.x),
        round(box.y),
        WIDTH,
        box.height,
        4 if names else 8,
        SafeString(' stroke-dasharray="12 8"') if box.mark == "removed" else "",
    )
    if not names:
        return rect
    return format_html(
        "<g><title>{}</title>{}{}{}{}</g>",
        f"{name} ({title}){': ' if look.word else ''}{look.word}",
        rect,
        _text(box.x + 18, box.y + 38, "font-semibold", 24, _short(name)),
        _text(box.x + 18, box.y + 64, "opacity-75", 18, _short(title)),
        _badge(box.x + WIDTH - 22, box.y, look),
    )


def _card_look(kind: str) -> str:
    """Without names, colours tell what asks a language model, and what else there is."""
    if kind in ("input", "output") or kind not in NODE_KINDS:
        return LOOKS["same"].box
    if NODE_KINDS[kind].calls_lm:
        return "fill-primary/15 stroke-primary"
    return "fill-accent/25 stroke-accent"


def _text(x: float, y: float, classes: str, size: int, text: str) -> SafeString:
    return format_html(
        '<text class="fill-base-content {}" x="{}" y="{}" font-size="{}">{}</text>',
        classes,
        round(x),
        round(y),
        size,
        text,
    )


def _badge(x: float, y: float, look: Look) -> SafeString:
    if not look.symbol:
        return SafeString()
    return format_html(
        '<circle class="{}" cx="{}" cy="{}" r="20"/><text class="{} font-semibold"'
        ' x="{}" y="{}" font-size="30" text-anchor="middle">{}</text>',
        look.fill,
        round(x),
        round(y),
        look.ink,
        round(x),
        round(y + 10),
        look.symbol,
    )


def _line(line: _Line, boxes: Sequence[_Box], names: bool) -> SafeString:
    look = LOOKS[line.mark]
    source, target = boxes[line.source], boxes[line.target]
    x1, y1 = source.x + WIDTH, source.y + source.height / 2
    x2, y2 = target.x, target.y + target.height / 2
    bend = max(40.0, abs(x2 - x1) / 2)
    way = f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    path = format_html(
        '<path class="{}" d="{}" fill="none" stroke-width="{}"{}/>',
        look.line,
        way,
        4 if names else 8,
        SafeString(' stroke-dasharray="12 8"') if line.mark == "removed" else "",
    )
    if not names:
        return path
    title = f"{source.node['name']} to {target.node['name']}"
    return format_html(
        "<g><title>{}</title>{}{}</g>",
        f"{title}{': ' if look.word else ''}{look.word}",
        path,
        _badge((x1 + x2) / 2, (y1 + y2) / 2, look),
    )


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"

"""How large a node is on the board, for whoever places or draws nodes without a browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.graph.nodes import node_ports
from studio.engine.graph.wiring import Ports

WIDTH = 250
COLUMN = 320
"""From the left edge of a node to that of the next column."""
GAP = 40
"""Between two nodes of one column."""
_HEAD, _ROW, _INSTRUCTION = 60, 26, 44


def height_of(node: Mapping[str, Any]) -> int:
    """About how tall the canvas draws a node, whose shape is known to be good."""
    return _HEAD + _ROW * max(_rows(node), 1) + (_INSTRUCTION if instruction_of(node) else 0)


def instruction_of(node: Mapping[str, Any]) -> str:
    """What a step is told to do; empty where it is told nothing that can be read."""
    signature = node.get("signature")
    value = signature.get("instruction") if isinstance(signature, dict) else ""
    return value if isinstance(value, str) else ""


def _rows(node: Mapping[str, Any]) -> int:
    ports = node_ports(node)
    return len(ports.inputs) + len(ports.outputs) if isinstance(ports, Ports) else 0

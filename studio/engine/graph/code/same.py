"""When two nodes say the same, however they were written down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from studio.engine.graph.placing import ENDS


def essence(node: Mapping[str, Any]) -> str:
    """A node as a text, without id and place; what is empty is as good as absent."""
    kept = {key: value for key, value in node.items() if key not in ("id", "position")}
    if kept.get("kind") in ENDS:
        kept["fields"] = [
            # An end says which role its fields have.
            {key: value for key, value in field.items() if key != "role"}
            if isinstance(field, dict)
            else field
            for field in _fields(kept.get("fields", []))
        ]
        return _text(kept)
    kept["signature"] = _signature(kept.get("signature"))
    for key, empty in (("params", {}), ("module", ""), ("lm", ""), ("demos", []), ("parts", {})):
        if kept.get(key, empty) == empty:
            kept.pop(key, None)
    if "parts" in kept:
        kept["parts"] = {name: _level(part) for name, part in kept["parts"].items()}
    return _text(kept)


def as_text(value: Any) -> str:
    """JSON in which 1, 1.0 and true are three things."""
    return _text(value)


def _level(spec: Any) -> Any:
    if not isinstance(spec, Mapping) or not isinstance(spec.get("nodes"), list):
        return spec
    return {
        **spec,
        "nodes": [[node.get("id"), node.get("position"), essence(node)] for node in spec["nodes"]],
    }


def _signature(signature: Any) -> Any:
    if signature is None:
        return {"fields": [], "instruction": ""}
    if not isinstance(signature, dict):
        return signature
    fields = _fields(signature.get("fields", []))
    if all(isinstance(field, dict) for field in fields):
        # Only the order within a side says something.
        fields = sorted(fields, key=lambda field: field.get("role") == "output")
    return {**signature, "fields": fields, "instruction": signature.get("instruction") or ""}


def _fields(fields: Any) -> Any:
    if not isinstance(fields, list):
        return [fields]
    return [
        {"type": "str", "description": "", **field} if isinstance(field, dict) else field
        for field in fields
    ]


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)

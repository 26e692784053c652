"""What the canvas may add: kinds of nodes, saved modules and pipelines, LMs to try on."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

from studio.accounts.models import Project
from studio.engine.graph import NODE_KINDS
from studio.engine.graph.pinned import may_be_pinned
from studio.engine.modules import MODULES

_SHOWN = ("label", "help", "min", "max", "choices", "widget", "required")
_WORDS: dict[type, str] = {bool: "yes-no", int: "whole", float: "number", str: "text"}


def palette(project: Project) -> dict[str, Any]:
    """Everything as JSON."""
    return {
        "kinds": [
            {
                "kind": kind.name,
                "title": kind.title,
                "summary": kind.summary,
                "group": kind.group,
                "calls_lm": kind.calls_lm,
                "takes_demos": may_be_pinned(kind.name),
                "params": params_of(kind.name),
            }
            for kind in NODE_KINDS.values()
        ],
        "modules": [
            {
                "slug": module.slug,
                "name": module.name,
                "kind": module.kind,
                "signature": module.signature.spec,
                "params": module.params,
            }
            for module in project.modules.select_related("signature")
            if module.kind in MODULES
        ],
        "connections": [
            {
                "slug": connection.slug,
                "name": connection.name,
                "model": connection.model,
                "kind": connection.get_kind_display(),
            }
            for connection in project.connections.all()
        ],
        "pipelines": [
            {"slug": slug, "name": name}
            for slug, name in project.pipelines.order_by("name").values_list("slug", "name")
        ],
    }


def params_of(kind: str) -> list[dict[str, Any]]:
    """The parameters of a kind of step, from the dataclass that reads them."""
    if kind not in MODULES:
        return []
    params = MODULES[kind].params
    hints = typing.get_type_hints(params)
    return [
        {
            "name": field.name,
            "type": _json_type(hints[field.name]),
            "default": None if field.default is dataclasses.MISSING else field.default,
            **{key: field.metadata.get(key) for key in _SHOWN},
        }
        for field in dataclasses.fields(params)
    ]


def _json_type(hint: Any) -> str:
    """`whole`, `number`, `yes-no`, `names` or `text`."""
    if typing.get_origin(hint) is tuple:
        return "names"
    kinds = typing.get_args(hint) or (hint,)
    return next((word for kind, word in _WORDS.items() if kind in kinds), "text")

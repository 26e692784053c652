"""One node of a spec: its fields, its ports, and the module that it makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from studio.engine.errors import EngineError, SignatureError
from studio.engine.fields import NAME
from studio.engine.graph.spec import NODE_KINDS, Problem
from studio.engine.graph.wiring import Ports
from studio.engine.modules import MODULES
from studio.engine.modules.base import Module, ModuleKind
from studio.engine.params import read_params
from studio.engine.signature import Field, Signature


def node_signature(node: Mapping[str, Any]) -> Signature:
    """The signature of a step, or `SignatureError`."""
    data = node.get("signature")
    if not isinstance(data, dict):
        raise SignatureError("It has no signature yet: write one such as message -> category.")
    return Signature.from_dict(data)


def node_fields(node: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields of the input or output node, or `SignatureError`."""
    role = "input" if node["kind"] == "input" else "output"
    data = node.get("fields")
    if not isinstance(data, list) or not all(isinstance(field, dict) for field in data):
        raise SignatureError("It needs a list of fields.")
    fields = tuple(Field.from_dict({**field, "role": role}) for field in data)
    for field in fields:
        if not NAME.match(field.name):
            raise SignatureError(f"“{field.name}” is not a field name: write order_id or message.")
    twice = [name for name, n in Counter(field.name for field in fields).items() if n > 1]
    if twice:
        raise SignatureError(f"The field “{twice[0]}” stands twice.")
    return fields


def node_params(node: Mapping[str, Any]) -> Any:
    """The parameters of a step as its kind reads them, or `EngineError`."""
    return read_params(MODULES[node["kind"]].params, node.get("params") or {})


def node_ports(node: Mapping[str, Any]) -> Ports | Problem:
    """What can be wired to a node, or what is wrong with its fields."""
    kind, name = node["kind"], node["name"]
    if kind not in NODE_KINDS:
        return Ports({}, {})
    try:
        if kind in MODULES:
            signature = MODULES[kind].ports(node_signature(node))
            return _ports(signature.inputs, signature.outputs)
        fields = node_fields(node)
    except SignatureError as error:
        return Problem(code="bad-signature", message=f"{name}: {error}", node=node["id"])
    if not fields:
        message = f"{name} has no fields yet: add at least one."
        return Problem(code="no-fields", message=message, node=node["id"])
    return _ports((), fields) if kind == "input" else _ports(fields, ())


def make_module(
    node: Mapping[str, Any], params: Any, parts: Mapping[str, Module]
) -> Module | Problem:
    """The module of a step, or why there is none."""
    kind: ModuleKind = MODULES[node["kind"]]
    try:
        return kind.make(node_signature(node), params, parts)
    except SignatureError as error:
        code, why = "bad-signature", str(error)
    except EngineError as error:
        code, why = "bad-params", str(error)
    return Problem(code=code, message=f"{node['name']}: {why}", node=node["id"])


def _ports(inputs: Iterable[Field], outputs: Iterable[Field]) -> Ports:
    inputs = tuple(inputs)
    return Ports(
        {field.name: field.type for field in inputs},
        {field.name: field.type for field in outputs},
        frozenset(field.name for field in inputs if not field.required),
    )

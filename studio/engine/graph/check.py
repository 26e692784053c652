"""What is wrong with a spec: every problem with a code, a sentence, and its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from studio.engine.errors import EngineError, SignatureError
from studio.engine.fields import NAME
from studio.engine.graph.assemble import assemble
from studio.engine.graph.nodes import make_module, node_params, node_ports, node_signature
from studio.engine.graph.parts import fit_problems, placed, presence_problems
from studio.engine.graph.pinned import pin
from studio.engine.graph.shape import shape_problem
from studio.engine.graph.spec import NODE_KINDS, Problem
from studio.engine.graph.wiring import Ports, unreachable, wiring_problems
from studio.engine.modules import MODULES
from studio.engine.modules.base import Module
from studio.engine.modules.subpipeline import Subpipeline
from studio.engine.program import Program


@dataclass(frozen=True, slots=True)
class Checked:
    """A spec after the check: its problems, and what could be read of it."""

    problems: tuple[Problem, ...]
    ports: Mapping[str, Ports]
    """By node id; a node whose fields cannot be read is absent."""
    program: Program | None = None
    """There when there are no problems."""


def check(spec: Any) -> tuple[Problem, ...]:
    """The problems of a spec; none: it builds. Never raises, whatever `spec` is."""
    return inspect(spec).problems


def inspect(spec: Any) -> Checked:
    """The problems of a spec, the ports of its nodes, and its program."""
    shape = shape_problem(spec)
    if shape:
        return Checked((shape,), {})
    return _inspect(spec)


def _inspect(spec: Mapping[str, Any]) -> Checked:
    """One level, and what is inside of it; its shape is known to be good."""
    nodes, edges = spec["nodes"], spec["edges"]
    problems = [*identity_problems(nodes), *_end_problems(nodes)]
    ports: dict[str, Ports] = {}
    for node in nodes:
        found = node_ports(node)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            ports.setdefault(node["id"], found)
    problems += wiring_problems(nodes, edges, ports)
    modules: dict[str, Module] = {}
    for node in nodes:
        if node["kind"] in MODULES and node["id"] in ports:
            module, inside = read_step(node)
            problems += inside
            if module is not None:
                modules[node["id"]] = module
    if not problems:
        problems += unreachable(nodes, edges)
    program = None if problems else assemble(spec, modules)
    return Checked(tuple(problems), ports, program)


def read_step(node: Mapping[str, Any]) -> tuple[Module | None, list[Problem]]:
    """The module of a step whose ports are known, or all that is wrong inside of it."""
    try:
        params = node_params(node)
    except EngineError as error:
        message = f"{node['name']}: {error}"
        return None, [Problem(code="bad-params", message=message, node=node["id"])]
    try:
        wanted = MODULES[node["kind"]].parts(node_signature(node), params)
    except SignatureError as error:
        message = f"{node['name']}: {error}"
        return None, [Problem(code="bad-signature", message=message, node=node["id"])]
    problems = presence_problems(node, wanted)
    drawn: Mapping[str, Any] = node.get("parts") or {}
    parts: dict[str, Module] = {}
    for part in wanted:
        if part.name not in drawn:
            continue
        checked = _inspect(drawn[part.name])
        problems += [placed(problem, node, part.name) for problem in checked.problems]
        if checked.program is not None:
            problems += fit_problems(node, part, checked.program)
            parts[part.name] = Subpipeline(checked.program)
    if problems:
        return None, problems
    made = make_module(node, params, parts)
    return (None, [made]) if isinstance(made, Problem) else pin(node, made)


def identity_problems(nodes: list[dict[str, Any]]) -> list[Problem]:
    """Ids and names that stand twice, names that are none, kinds that nobody knows."""
    problems = []
    ids: set[str] = set()
    names: set[str] = set()
    for node in nodes:
        here = Problem(code="", message="", node=node["id"])
        if node["id"] in ids:
            message = f"Two nodes have the id “{node['id']}”."
            problems.append(replace(here, code="duplicate-id", message=message))
        if node["kind"] not in NODE_KINDS:
            message = f"“{node['kind']}” is no kind of node here: remove the node."
            problems.append(replace(here, code="unknown-kind", message=message))
        if not NAME.match(node["name"]):
            message = f"“{node['name']}” is not a name: small letters, digits and _."
            problems.append(replace(here, code="bad-name", message=message))
        elif node["name"] in names:
            message = f"Two nodes are called “{node['name']}”: rename one."
            problems.append(replace(here, code="duplicate-name", message=message))
        ids.add(node["id"])
        names.add(node["name"])
    return problems


def _end_problems(nodes: list[dict[str, Any]]) -> list[Problem]:
    problems = []
    for kind, word in (("input", "an input"), ("output", "an output")):
        found = [node for node in nodes if node["kind"] == kind]
        if not found:
            message = f"The pipeline has no {kind} node: add {word} from the palette."
            problems.append(Problem(code=f"no-{kind}", message=message))
        for extra in found[1:]:
            message = f"The pipeline has a second {kind} node: remove one."
            problems.append(Problem(code=f"two-{kind}s", message=message, node=extra["id"]))
    return problems

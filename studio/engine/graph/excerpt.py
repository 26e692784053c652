"""A part of a drawing that runs by itself, whatever state the rest of it is in.

While one half of a pipeline is still being drawn, a step of the other half can be tried: it and
what it needs, with values that are given by hand in the place of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.engine.errors import GraphError, InputError
from studio.engine.graph.assemble import layers_of, wires_of
from studio.engine.graph.build import build
from studio.engine.graph.check import identity_problems, read_step
from studio.engine.graph.nodes import node_fields, node_ports, node_signature
from studio.engine.graph.shape import shape_problem
from studio.engine.graph.spec import Problem
from studio.engine.graph.wiring import Ports, wiring_problems
from studio.engine.modules import MODULES
from studio.engine.modules.base import Module, WithoutLM
from studio.engine.program import Program, Wire
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What of a drawing is run."""

    spec: Mapping[str, Any]
    """The drawing with those steps only that run: for whoever asks what they name."""
    program: Program
    """These, and the steps for which values are given; what it answers is asked for."""
    until: str
    """The name of the step that it ends at; empty: at the output."""
    end: str = ""
    """Its id."""


@dataclass(frozen=True)
class _Given(WithoutLM):
    """Stands where values are given: it has a step's outputs, and cannot be run."""

    signature: Signature

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`."""
        raise InputError(f"{path}: its outputs have to be given, it is not run.")


def excerpt(spec: Mapping[str, Any], *, until: str = "", given: Iterable[str] = ()) -> Excerpt:
    """The part that runs up to the node `until` (its id, or its name), else up to the output.

    `given` are the names of steps whose outputs are there already: neither they nor what only they
    need is run. Raises `InputError` for a node that is not there or cannot be meant, `GraphError`
    with the problems of the nodes that run.
    """
    given = frozenset(given)
    if not until and not given:
        return Excerpt(spec, build(spec), "")
    wrong = shape_problem(spec)
    if wrong is not None:
        raise GraphError(wrong.message, problems=(wrong,))
    end = _end(spec, until)
    for name in sorted(given):
        _named(spec, name)
    if end["kind"] != "output" and end["name"] in given:
        raise InputError(
            f"{end['name']} is to run, and its outputs are given: choose one of both."
        )
    return _cut(spec, end, given)


def _cut(spec: Mapping[str, Any], end: Mapping[str, Any], given: frozenset[str]) -> Excerpt:
    runs, used = _needed(spec, end, given)
    kept = [node for node in spec["nodes"] if node["id"] in runs | used]
    edges = [edge for edge in spec["edges"] if edge["target"] in runs]
    problems = [*identity_problems(kept), *_two_inputs(kept)]
    ports: dict[str, Ports] = {}
    for node in kept:
        found = node_ports(node)
        if isinstance(found, Problem):
            problems.append(found)
        elif node["id"] in used:
            ports[node["id"]] = Ports({}, found.outputs)
        else:
            ports[node["id"]] = found
    problems += wiring_problems(kept, edges, ports)
    modules: dict[str, Module] = {}
    for node in kept:
        if node["id"] not in ports or node["kind"] not in MODULES:
            continue
        if node["id"] in used:
            modules[node["id"]] = _stand_in(node)
            continue
        module, inside = read_step(node)
        problems += inside
        if module is not None:
            modules[node["id"]] = module
    if problems:
        what = end["name"] if end["kind"] != "output" else "The pipeline"
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise GraphError(
            f"{what} cannot run yet: {problems[0].message}{more}", problems=tuple(problems)
        )
    drawn = {**spec, "nodes": kept, "edges": edges}
    inputs = next((node_fields(node) for node in kept if node["kind"] == "input"), ())
    outputs, wires = _answers(drawn, end, modules)
    steps = [node for node in kept if node["id"] in runs]
    return Excerpt(
        {**spec, "nodes": steps, "edges": []},
        Program(inputs, outputs, layers_of(drawn, modules), wires),
        "" if end["kind"] == "output" else end["name"],
        end["id"],
    )


def _answers(
    spec: Mapping[str, Any], end: Mapping[str, Any], modules: Mapping[str, Module]
) -> tuple[tuple[Field, ...], Mapping[str, Wire]]:
    if end["kind"] == "output":
        return node_fields(end), wires_of(spec)[end["id"]]
    outputs = modules[end["id"]].signature.outputs
    return outputs, {field.name: Wire(end["name"], field.name) for field in outputs}


def _end(spec: Mapping[str, Any], until: str) -> dict[str, Any]:
    """The node that it runs up to."""
    if until:
        for key in ("id", "name"):
            found = next((node for node in spec["nodes"] if node[key] == until), None)
            if found is not None and found["kind"] == "input":
                raise InputError("Nothing runs up to the input: choose a step, or the output.")
            if found is not None:
                return dict(found)
        raise InputError(_unknown(spec, until))
    output = next((node for node in spec["nodes"] if node["kind"] == "output"), None)
    if output is None:
        raise InputError("The pipeline has no output node: say which step to run up to.")
    return dict(output)


def _named(spec: Mapping[str, Any], name: str) -> None:
    if not any(node["name"] == name and node["kind"] in MODULES for node in spec["nodes"]):
        raise InputError(_unknown(spec, name))


def _unknown(spec: Mapping[str, Any], name: str) -> str:
    known = [node["name"] for node in spec["nodes"] if node["kind"] in MODULES]
    shown = ", ".join(known[:20]) + (" …" if len(known) > 20 else "") if known else "none yet"
    if "." in name or "/" in name:
        return (
            f"“{name[:80]}” is no step of the pipeline itself, and one inside of another step "
            f"cannot be run alone. Steps are {shown}."
        )
    return f"There is no step “{name[:80]}” in the pipeline. Steps are {shown}."


def _needed(
    spec: Mapping[str, Any], end: Mapping[str, Any], given: frozenset[str]
) -> tuple[set[str], set[str]]:
    """Ids of what has to run, and of the steps that are given and taken by these."""
    nodes = {node["id"]: node for node in spec["nodes"]}
    sources: dict[str, list[str]] = {id_: [] for id_ in nodes}
    for edge in spec["edges"]:
        if edge["target"] in nodes:
            sources[edge["target"]].append(edge["source"])
    runs: set[str] = set()
    used: set[str] = set()
    waiting = [end["id"]]
    while waiting:
        id_ = waiting.pop()
        node = nodes.get(id_)
        if node is None or id_ in runs or id_ in used:
            continue  # a wire from nowhere is told as a problem
        if node["kind"] in MODULES and node["name"] in given:
            used.add(id_)
        else:
            runs.add(id_)
            waiting.extend(sources[id_])
    return runs, used


def _two_inputs(nodes: list[dict[str, Any]]) -> list[Problem]:
    extra = [node for node in nodes if node["kind"] == "input"][1:]
    return [
        Problem(
            code="two-inputs",
            message="The pipeline has a second input node: remove one.",
            node=node["id"],
        )
        for node in extra
    ]


def _stand_in(node: Mapping[str, Any]) -> _Given:
    """Of a node whose ports could be read; what else is wrong with it does not matter."""
    return _Given(MODULES[node["kind"]].ports(node_signature(node)))

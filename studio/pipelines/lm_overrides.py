"""The language models that single steps of a drawing name, in the place of the run's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from studio.accounts.models import Project
from studio.engine.graph import Problem
from studio.engine.graph.shape import shape_problem
from studio.errors import Invalid
from studio.lms.models import Connection


@dataclass(frozen=True, slots=True)
class _Named:
    """A step that names an LM."""

    slug: str
    name: str
    node: str
    """Id of the step, or of the outermost one that it stands in."""
    inside: tuple[str, ...]
    """As in `Problem`."""


def lm_problems(spec: Any, project: Project) -> list[Problem]:
    """Each step that names a language model which the project does not have."""
    if shape_problem(spec) is not None:
        return []  # told by the check of the drawing
    named = list(_named(spec))
    known = _connections(project, {one.slug for one in named})
    return [
        Problem(code="unknown-lm", message=_told(one, project), node=one.node, inside=one.inside)
        for one in named
        if one.slug not in known
    ]


def require_lms(spec: Mapping[str, Any], project: Project) -> dict[str, Connection]:
    """The connections that the steps of a drawing name, by their short names.

    Raises `Invalid` with the problems when one of them is not there.
    """
    named = list(_named(spec))
    known = _connections(project, {one.slug for one in named})
    if set(known) != {one.slug for one in named}:
        problems = lm_problems(spec, project)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise Invalid(
            f"The pipeline cannot run yet: {problems[0].message}{more}", problems=problems
        )
    return known


def _connections(project: Project, slugs: set[str]) -> dict[str, Connection]:
    if not slugs:
        return {}
    return {found.slug: found for found in project.connections.filter(slug__in=slugs)}


def _told(named: _Named, project: Project) -> str:
    return (
        f"{named.name}: there is no language model “{named.slug}” in {project.name}. Choose "
        "another one for this step, or none: then the one of the run answers."
    )


def _named(spec: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[_Named]:
    for node in spec.get("nodes", ()):
        here = (*above, node["id"])
        if node.get("lm"):
            yield _Named(node["lm"], node["name"], here[0], here[1:])
        for name, part in (node.get("parts") or {}).items():
            yield from _named(part, (*here, name))

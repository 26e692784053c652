"""What a pipeline's steps may use besides an LM: collections, tools, the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from types import MappingProxyType
from typing import Any

from django.conf import settings

from studio.accounts.models import Project
from studio.datasets.models import Dataset
from studio.datasets.splits.sealing import may_see
from studio.datasets.table import Table
from studio.engine.codec import content_hash
from studio.engine.errors import EngineError
from studio.engine.lm.base import LM
from studio.engine.modules import MODULES
from studio.engine.retrieval.base import Passage
from studio.engine.retrieval.fulltext import FullText
from studio.engine.runtime import Runtime
from studio.engine.tools.base import Tool
from studio.engine.tools.config import make_tools
from studio.engine.tools.python_tool import PythonTool
from studio.engine.tools.retrieval_tool import RetrievalTool
from studio.errors import Invalid
from studio.sandboxes import shared_sandbox

PYTHON = "python"
SEARCH = "search_"
"""The tool `search_<dataset>` looks into the collection that a dataset is."""
PASSAGES = 5
"""How many passages such a tool shows."""
_TEXT = ("text", "passage", "content")


def equip(
    spec: Mapping[str, Any],
    *,
    project: Project,
    lm: LM,
    format: str = "",
    lms: Mapping[str, LM] = MappingProxyType({}),
) -> Runtime:
    """The runtime of a pipeline: what its steps name is opened, and nothing else.

    `lms` are those of single steps, by path; they are asked in the formats that suit them.
    Every dataset of the project is a collection under its slug; to index one takes a second for
    20,000 rows, once for each of its contents. Raises `Invalid` that names what is not there.
    """
    tools = _named(spec, "tools")
    return Runtime(
        lm=lm,
        lms=lms,
        format=format,
        own_formats=bool(lms),
        sandbox=shared_sandbox(),
        retrievers={slug: _open(_dataset(project, slug)) for slug in _named(spec, "retrievers")},
        tools={name: _tool(project, name) for name in tools},
    )


def collections_hash(spec: Mapping[str, Any], project: Project) -> str:
    """The hash of everything that a pipeline looks up; empty when it looks up nothing."""
    found = {slug: _content(_dataset(project, slug)) for slug in _named(spec, "retrievers")}
    for name in _named(spec, "tools"):
        if name.startswith(SEARCH) and name not in operators_tools():
            found[name] = _content(_searched(project, name))
    return content_hash(found) if found else ""


def tool_names(project: Project) -> list[str]:
    """Every tool that a step may name."""
    slugs = project.datasets.values_list("slug", flat=True)
    return [PYTHON, *operators_tools(), *(_search_name(slug) for slug in slugs)]


@cache
def operators_tools() -> dict[str, Tool]:
    """The tools of the setting STUDIO_TOOLS, by name; they connect when they are first used."""
    return make_tools(settings.STUDIO_TOOLS, sandbox=shared_sandbox())


def _named(spec: Mapping[str, Any], widget: str) -> list[str]:
    """What the parameters of a pipeline's steps name, also inside of parts, in sorted order."""
    return sorted(set(_walk(spec, widget)))


def _walk(spec: Mapping[str, Any], widget: str) -> Iterator[str]:
    for node in spec.get("nodes", ()):
        kind = MODULES.get(node.get("kind"))
        params = node.get("params") or {}
        for field in fields(kind.params) if kind else ():
            if field.metadata.get("widget") == widget and params.get(field.name):
                named = params[field.name]
                yield from [named] if isinstance(named, str) else named
        for part in (node.get("parts") or {}).values():
            yield from _walk(part, widget)


def _tool(project: Project, name: str) -> Tool:
    if name == PYTHON:
        return PythonTool(shared_sandbox())
    if name in operators_tools():
        return operators_tools()[name]
    dataset = _searched(project, name)
    about = f"Search the collection “{dataset.name}” for passages about a topic."
    return RetrievalTool(_open(dataset), name, about, PASSAGES)


def _searched(project: Project, name: str) -> Dataset:
    for dataset in project.datasets.all():
        if _search_name(dataset.slug) == name:
            return dataset
    known = ", ".join(tool_names(project))
    raise Invalid(f"There is no tool “{name}” in {project.name}. There are {known}.")


def _search_name(slug: str) -> str:
    return f"{SEARCH}{slug.replace('-', '_')}"[:64]


def _dataset(project: Project, slug: str) -> Dataset:
    found = project.datasets.filter(slug=slug).first()
    if found is None:
        known = ", ".join(project.datasets.values_list("slug", flat=True)) or "none yet"
        raise Invalid(
            f"There is no collection “{slug}” in {project.name}: a collection is a dataset, "
            f"by its short name. There are {known}."
        )
    return found


def _open(dataset: Dataset) -> FullText:
    """The dataset's rows as passages, indexed in a file that its content names."""
    path = settings.STUDIO_DATA_DIR / "collections" / f"{_content(dataset)}.sqlite3"
    try:
        if path.is_file():
            return FullText.open(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        return FullText.build(_passages(dataset), path)
    except EngineError as error:
        raise Invalid(f"The collection “{dataset.slug}” cannot be searched: {error}") from None


def _content(dataset: Dataset) -> str:
    """Names what is found in the collection."""
    return f"{dataset.fingerprint}-sealed" if dataset.sealed else dataset.fingerprint


def _passages(dataset: Dataset) -> Iterator[Passage]:
    """A row's `text`, or all of its columns where there is none of that name.

    Rows of a sealed test split are not found: a program would be judged on what it looked up, and
    people would read them in its answers.
    """
    column = next((name for name in _TEXT if name in dataset.columns), "")
    for row in Table(dataset).rows():
        if not may_see(dataset, row.split):
            continue
        if column:
            text = str(row.values.get(column) or "")
        else:
            found = ((name, row.values.get(name)) for name in dataset.columns)
            text = "\n".join(f"{name}: {value}" for name, value in found if value is not None)
        if text.strip():
            title = str(row.values.get("title") or "")
            yield Passage(id=f"{row.number:09}", title=title, text=text)

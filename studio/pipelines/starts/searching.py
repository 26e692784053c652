"""What a drawing searches, where the project leaves no choice."""

from __future__ import annotations

from typing import Any

from studio.accounts.models import Project

_TEXTS = frozenset({"text", "passage", "content"})
"""A dataset with a column of such a name is made to be searched."""
_LONGEST_TOOL = 64


def with_collection(spec: dict[str, Any], project: Project) -> dict[str, Any]:
    """The spec, in which steps that search do so in the one dataset that holds passages.

    With none or several the choice is left to whoever draws: the problem list asks for it.
    """
    found = [
        dataset.slug
        for dataset in project.datasets.only("slug", "columns")
        if _TEXTS & set(dataset.columns)
    ]
    if len(found) != 1:
        return spec
    for node in spec["nodes"]:
        if node["kind"] == "retrieve":
            node["params"]["collection"] = found[0]
        if node["kind"] == "react":
            node["params"]["tools"].append(_search_tool(found[0]))
    return spec


def _search_tool(slug: str) -> str:
    """The tool that searches a dataset, as runs call it."""
    return f"search_{slug.replace('-', '_')}"[:_LONGEST_TOOL]

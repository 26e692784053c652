"""What a new pipeline may begin with, so that nobody has to begin with an empty sheet."""

from __future__ import annotations

from typing import Any

from studio.accounts.models import Project
from studio.engine.graph import empty_spec
from studio.pipelines.starts.agent import AGENT
from studio.pipelines.starts.classify import CLASSIFY
from studio.pipelines.starts.drawing import Start
from studio.pipelines.starts.extract import EXTRACT
from studio.pipelines.starts.multi_hop import MULTI_HOP
from studio.pipelines.starts.rag import RAG
from studio.pipelines.starts.refine import REFINE
from studio.pipelines.starts.searching import with_collection
from studio.pipelines.starts.two_steps import TWO_STEPS

__all__ = ["STARTS", "Start", "begin"]

STARTS: dict[str, Start] = {
    "classify": CLASSIFY,
    "extract": EXTRACT,
    "two-steps": TWO_STEPS,
    "rag": RAG,
    "multi-hop": MULTI_HOP,
    "agent": AGENT,
    "refine": REFINE,
    "empty": Start(
        title="Empty",
        summary="An input, an output, and nothing between them.",
        spec=empty_spec(),
    ),
}


def begin(name: str, project: Project) -> dict[str, Any]:
    """The drawing of `STARTS[name]`, with the collection of `project` when there is but one."""
    return with_collection(STARTS[name].make(), project)

"""What of a drawing a run is about: all of it, or of a try what people asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.graph.excerpt import Excerpt, excerpt
from studio.runs.models import Run


def excerpt_of(run: Run) -> Excerpt:
    """What is run, uncompiled. Raises `EngineError` when it does not build any more."""
    return (
        excerpt(
            run.version.spec, until=run.params.get("until", ""), given=run.params.get("given", {})
        )
        if _is_partial(run)
        else excerpt(run.version.spec)
    )


def spec_of(run: Run) -> Mapping[str, Any]:
    """The drawing with those steps only that run: for whoever asks what they name."""
    return excerpt_of(run).spec if _is_partial(run) else run.version.spec


def _is_partial(run: Run) -> bool:
    asked = run.kind == Run.Kind.TRY
    return asked and bool(run.params.get("until") or run.params.get("given"))

"""What the compile form holds when somebody opens it."""

from __future__ import annotations

from typing import Any

from studio.engine.compilers import COMPILERS, CompilerKind
from studio.engine.errors import EngineError
from studio.engine.params import read_params
from studio.pipelines.models import Pipeline
from studio.runs.choosing import CUSTOM, preset_values
from studio.runs.compiler_settings import DEFAULT_COMPILER
from studio.runs.forms import DEFAULT_CALLS
from studio.runs.models import Artifact, Run


def initial_data(
    pipeline: Pipeline, *, run: Run | None = None, start: Artifact | None = None
) -> dict[str, Any]:
    """What the form holds when it is opened: as in `run`, else as in the last compile.

    With `start` it improves that artifact. What is gone meanwhile is left as usual.
    """
    project = pipeline.project
    past = project.runs.filter(version__pipeline=pipeline, kind=Run.Kind.COMPILE)
    last = run or past.select_related("teacher_artifact").first()

    def row(name: str) -> Any:
        chosen = getattr(last, name) if last is not None else None
        return chosen or getattr(project, f"{name}s").first()

    data: dict[str, Any] = {
        name: found.pk
        for name in ("dataset", "metric", "connection")
        if (found := row(name)) is not None
    }
    data |= {"compiler": DEFAULT_COMPILER, "max_calls": DEFAULT_CALLS, "seed": 0, "start": ""}
    if start is not None:
        data["start"] = start.hash
    if run is None:
        return data
    data |= {"compiler": run.compiler, "seed": run.seed, "max_calls": run.max_calls}
    data |= {"max_tokens": run.max_tokens or "", "max_cost": run.max_cost or ""}
    data["max_minutes"] = round(run.max_seconds / 60, 2) if run.max_seconds else ""
    if run.teacher_artifact is not None:
        data["teacher"] = f"a:{run.teacher_artifact.hash}"
    elif run.teacher is not None:
        data["teacher"] = f"lm:{run.teacher.slug}"
    data["proposer"] = run.proposer_id or ""
    kind = COMPILERS.get(run.compiler)
    if kind is None:
        data["compiler"] = DEFAULT_COMPILER
        return data
    same = (name for name in kind.presets if preset_values(kind, name) == _as_read(kind, run))
    data["preset"] = next(same, CUSTOM)
    if data["preset"] == CUSTOM:
        prefix = f"params-{kind.name}-"
        data |= {prefix + name: _in_a_box(value) for name, value in run.params.items()}
    return data


def _in_a_box(value: Any) -> Any:
    if value is None:
        return ""
    return "\n".join(value) if isinstance(value, list | tuple) else value


def _as_read(kind: CompilerKind, run: Run) -> dict[str, Any]:
    try:
        return dict(vars(read_params(kind.params, run.params)))
    except EngineError:
        return {}

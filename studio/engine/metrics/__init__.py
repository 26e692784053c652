"""The metrics by kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.errors import EngineError
from studio.engine.extensions import Table, is_kind
from studio.engine.metrics.base import Metric, MetricKind, Score, judge
from studio.engine.params import read_params
from studio.engine.runtime import Runtime

METRICS: Table[MetricKind] = Table(
    "studio.metrics",
    {
        "exact_match": ".exact_match:EXACT_MATCH",
        "token_f1": ".token_f1:TOKEN_F1",
        "contains": ".contains:CONTAINS",
        "regex": ".regex:REGEX",
        "numeric": ".numeric:NUMERIC",
        "json_equality": ".json_equality:JSON_EQUALITY",
        "rouge_l": ".rouge_l:ROUGE_L",
        "edit_similarity": ".edit_similarity:EDIT_SIMILARITY",
        "embedding_similarity": ".embedding_similarity:EMBEDDING_SIMILARITY",
        "passage_match": ".passage_match:PASSAGE_MATCH",
        "lm_judge": ".lm_judge:LM_JUDGE",
        "semantic_f1": ".semantic_f1:SEMANTIC_F1",
        "complete_and_grounded": ".complete_and_grounded:COMPLETE_AND_GROUNDED",
        "python": ".python:PYTHON",
        "composite": ".composite:COMPOSITE",
    },
    is_kind(MetricKind),
    package=__name__,
)


def make_metric(kind: str, params: Mapping[str, Any], runtime: Runtime | None = None) -> Metric:
    """The metric of a kind with its parameters (JSON).

    `runtime` is what it asks an LM, an embedder or the sandbox with. Raises `EngineError` that
    names the kind, the parameter that is wrong, or what is needed and missing.
    """
    read = _read(kind, params)
    found = METRICS[kind]
    for need in sorted(found.needs):
        if runtime is None or getattr(runtime, need) is None:
            raise EngineError(f"{found.title} needs {_NEEDS[need]}.")
    return found.make(read, runtime)


def check_metric(kind: str, params: Mapping[str, Any]) -> frozenset[str]:
    """What the runtime of this metric must have, out of `lm`, `embedder` and `sandbox`.

    Raises the same `EngineError`s about kind and parameters as `make_metric`.
    """
    from studio.engine.metrics.composite import CompositeParams, read_parts

    read = _read(kind, params)
    needs: frozenset[str] = METRICS[kind].needs
    if isinstance(read, CompositeParams):
        for part in read_parts(read.parts):
            needs |= check_metric(part.kind, part.params)
    return needs


def _read(kind: str, params: Mapping[str, Any]) -> Any:
    if kind not in METRICS:
        raise EngineError(f"There is no metric “{kind}”. Known metrics: {', '.join(METRICS)}.")
    return read_params(METRICS[kind].params, params)


_NEEDS = {
    "lm": "a language model that judges",
    "embedder": "an embedding model",
    "sandbox": "the sandbox",
}


__all__ = ["METRICS", "Metric", "MetricKind", "Score", "check_metric", "judge", "make_metric"]

"""Demos by nearness: each question is shown the demos that are most like it.

J. Liu et al., What Makes Good In-Context Examples for GPT-3?, 2021,
https://arxiv.org/abs/2101.06804.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from studio.engine.example import Demo, PredictorState
from studio.engine.fields import write_value
from studio.engine.modules.base import ModuleKind
from studio.engine.modules.inner import inner_step, step_param
from studio.engine.modules.predict import Predict, PredictParams
from studio.engine.retrieval.base import Embedder
from studio.engine.retrieval.bm25 import Bm25
from studio.engine.retrieval.nearest import Nearest, unit
from studio.engine.retrieval.vectors import embed_checked
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction


@dataclass(frozen=True, kw_only=True)
class KnnDemosParams(PredictParams):
    """What people may set on a step with nearest demos."""

    k: int = field(
        default=4,
        metadata={
            "label": "Demos",
            "help": "How many of its demos the model sees: those nearest to the input.",
            "min": 1,
            "max": 50,
        },
    )
    step: str = step_param("predict")


DEFAULTS = KnnDemosParams()


@dataclass(frozen=True)
class KnnDemos:
    """A Predict that may have any number of demos; each call sees the `k` nearest ones.

    Nearness is the cosine of embeddings when the runtime has an embedder, else BM25 over the
    words of the inputs. The nearest demo stands last, right before the question. A demo with the
    very inputs that are asked about is left out: it would give the answer away.
    """

    signature: Signature
    """Its ports: those of the step, without what the step adds."""
    predict: Predict
    """The step, with all demos in its state."""
    params: KnnDemosParams = DEFAULTS
    _vectors: dict[str, Nearest] = field(default_factory=dict, repr=False, compare=False)
    _embedding: dict[tuple[str, int], asyncio.Task[Nearest]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(cls, signature: Signature | str, params: KnnDemosParams = DEFAULTS) -> KnnDemos:
        """One without demos, from a signature or its string form."""
        if isinstance(signature, str):
            signature = Signature.parse(signature)
        asked = params.asking()
        step = inner_step(signature, params.step, {}, params=asked)
        assert isinstance(step, Predict)
        return cls(signature, step, params)

    def predictors(self) -> Mapping[str, tuple[Signature, PredictorState]]:
        """See `Module.predictors`."""
        return self.predict.predictors()

    def with_states(self, states: Mapping[str, PredictorState]) -> Self:
        """See `Module.with_states`."""
        return replace(self, predict=self.predict.with_states(states), _vectors={}, _embedding={})

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`; also raises `RetrievalError` when the embedder breaks."""
        step = self.predict
        if step.state.demos:
            asked = self._text(self.signature.read_inputs(inputs))
            near = await self._near(asked, runtime.embedder)
            step = step.with_states({"": replace(step.state, demos=near)})
        found = await step(inputs, runtime, path)
        values = {each.name: found.values[each.name] for each in self.signature.outputs}
        return Prediction(values, found.steps)

    async def _near(self, asked: str, embedder: Embedder | None) -> tuple[Demo, ...]:
        same = {at for at, text in enumerate(self._texts) if text == asked}
        k = self.params.k + len(same)
        if embedder is None:
            found = self._words.search(asked, k)
        else:
            index = await self._index(embedder)
            vector = (await embed_checked(embedder, [asked]))[0]
            found = index.search(unit(vector), k)
        nearest = [at for at, _ in found if at not in same][: self.params.k]
        return tuple(self.predict.state.demos[at] for at in reversed(nearest))

    @cached_property
    def _texts(self) -> list[str]:
        """The inputs of each demo, as they are compared."""
        return [self._text(demo.values) for demo in self.predict.state.demos]

    @cached_property
    def _words(self) -> Bm25:
        return Bm25(self._texts)

    async def _index(self, embedder: Embedder) -> Nearest:
        """The demos' vectors: embedded once, however many calls begin at the same time."""
        model = f"{embedder.endpoint} {embedder.name}"
        if model in self._vectors:
            return self._vectors[model]
        key = model, id(asyncio.get_running_loop())
        if key not in self._embedding:
            task = asyncio.create_task(self._embed(embedder))
            self._embedding[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        # A caller that is cancelled leaves the work to the others.
        self._vectors[model] = await asyncio.shield(self._embedding[key])
        return self._vectors[model]

    def _forget(self, key: tuple[str, int], done: asyncio.Task[Nearest]) -> None:
        del self._embedding[key]
        if not done.cancelled():
            done.exception()  # Looked at, in case that every caller has gone.

    async def _embed(self, embedder: Embedder) -> Nearest:
        vectors = [unit(vector) for vector in await embed_checked(embedder, self._texts)]
        return await asyncio.to_thread(Nearest, vectors)

    def _text(self, values: Mapping[str, Any]) -> str:
        return "\n".join(
            write_value(each.type, values[each.name])
            for each in self.signature.inputs
            if each.name in values
        )


KNN_DEMOS = ModuleKind(
    name="knn_demos",
    title="Nearest demos",
    summary="Ask the model, showing it those demos that are most like the input.",
    group="Search",
    params=KnnDemosParams,
    make=lambda signature, params, parts: KnnDemos.of(signature, params),
)

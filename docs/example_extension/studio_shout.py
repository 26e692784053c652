"""A module that answers in capitals, a compiler that shows the first examples, a short metric."""

from dataclasses import dataclass, replace
from dataclasses import field as param

from studio.engine import (
    CompilerKind,
    Composite,
    MetricKind,
    ModuleKind,
    Plan,
    Predict,
    PredictParams,
    Proposal,
    Score,
    with_demos,
)


@dataclass(frozen=True)
class Shout(Composite):
    """Asks as `Predict` does; every text that comes back is in capitals."""

    ask: Predict

    @property
    def signature(self):
        return self.ask.signature

    @property
    def members(self):
        return {"ask": self.ask}

    def with_members(self, members):
        return replace(self, **members)

    async def __call__(self, inputs, runtime, path):
        said = await self.ask(inputs, runtime, f"{path}.ask")
        loud = {k: v.upper() if isinstance(v, str) else v for k, v in said.values.items()}
        return replace(said, values=loud)


SHOUT = ModuleKind(
    name="shout",
    title="Shout",
    summary="Ask the model, and answer in capitals.",
    group="Ask",
    params=PredictParams,
    make=lambda signature, params, parts: Shout(Predict.of(signature, params)),
)


@dataclass(frozen=True, kw_only=True)
class FirstKParams:
    k: int = param(default=4, metadata={"label": "Demos", "help": "How many.", "min": 1})
    calibrate: bool = False
    calibration_examples: int = 0
    dev_limit: int = 0


async def first_k(search, params):
    """One candidate: the first `k` training examples as demos."""
    candidate = with_demos(search.task.program, search.train[: params.k], (), search.start)
    await search.race([Proposal(candidate, f"the first {params.k} examples")])


FIRST_K = CompilerKind(
    name="first-k",
    title="The first examples",
    sentence="Shows the model the first training examples, in their order.",
    paper="",
    params=FirstKParams,
    run=first_k,
    plan=lambda params, situation: Plan(races=(1,)),
)


@dataclass(frozen=True, kw_only=True)
class LengthParams:
    field: str = param(metadata={"label": "Field", "help": "The output that is measured."})
    most: int = param(default=100, metadata={"label": "Most characters", "help": "", "min": 1})


@dataclass(frozen=True)
class Length:
    """1 when a text is short enough, else 0."""

    params: LengthParams

    @property
    def name(self):
        return f"length of {self.params.field}"

    def __call__(self, example, prediction):
        length = len(str(prediction.values.get(self.params.field, "")))
        fits = length <= self.params.most
        return Score(float(fits), f"{length} characters, {self.params.most} are allowed")


LENGTH = MetricKind(
    name="length",
    title="Length",
    sentence="The answer is short enough.",
    params=LengthParams,
    make=lambda params, runtime: Length(params),
)

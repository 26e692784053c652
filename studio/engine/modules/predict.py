"""Predict: ask the LM for the outputs of a signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Self

from studio.engine.errors import InputError, LMBadAnswer, ParseError
from studio.engine.example import Demo, PredictorState
from studio.engine.formats import FORMATS, Format, Renderer
from studio.engine.formats.base import open_outputs
from studio.engine.formats.shown import attachments_in
from studio.engine.lm.base import LM
from studio.engine.messages import Completion, Request, Usage
from studio.engine.modules.base import ModuleKind
from studio.engine.nearest_demos import NearestDemos
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction, Step

_ROOM_FOR_A_WORD = 16
"""Tokens that a number, a yes or a label may take."""
_SHORT = ("int", "float", "bool", "enum")
_NOTHING = Usage()


@dataclass(frozen=True, kw_only=True)
class PredictParams:
    """What people may set on a Predict step."""

    temperature: float | None = field(
        default=None,
        metadata={
            "label": "Temperature",
            "help": "0 always gives the likeliest answer.",
            "min": 0.0,
            "max": 2.0,
        },
    )
    max_tokens: int | None = field(
        default=None,
        metadata={
            "label": "Longest answer",
            "help": "In tokens; a token is about four letters.",
            "min": 1,
            "max": 8192,
        },
    )

    format: str = field(
        default="",
        metadata={
            "label": "Format",
            "help": "How the question is written; empty: as the run or the model has it.",
            "choices": ("", "chat", "json", "xml", "completion"),
        },
    )

    def asking(self) -> PredictParams:
        """These parameters alone: for the predictors of a kind that has more of its own."""
        return PredictParams(
            temperature=self.temperature, max_tokens=self.max_tokens, format=self.format
        )


DEFAULTS = PredictParams()


@dataclass(frozen=True)
class Predict:
    """One question to an LM, and one more if the answer cannot be read."""

    signature: Signature
    state: PredictorState
    params: PredictParams = DEFAULTS
    pinned: tuple[Demo, ...] = ()
    """Demos that somebody has chosen: they stand before those of the state, whoever sets it."""
    _renderers: dict[tuple[str, bool], Renderer] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(cls, signature: Signature | str, params: PredictParams = DEFAULTS) -> Predict:
        """An uncompiled Predict, from a signature or its string form."""
        if isinstance(signature, str):
            signature = Signature.parse(signature)
        return cls(signature, PredictorState(instruction=signature.instruction), params)

    def predictors(self) -> Mapping[str, tuple[Signature, PredictorState]]:
        """See `Module.predictors`."""
        return {"": (self.signature, self.state)}

    def with_states(self, states: Mapping[str, PredictorState]) -> Self:
        """See `Module.with_states`."""
        return replace(self, state=states[""], _renderers={})

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`.

        With a listener the answer is streamed to it; what comes out is the same.
        """
        read = self.signature.read_inputs(inputs)
        call = Call(self, runtime, path, read)
        await call.answer_all()
        step = Step(
            path=path,
            inputs=read,
            outputs=call.given,
            prompt=call.prompt,
            answer=call.answers[0] if len(call.answers) == 1 else "\n".join(call.answers),
            scores=call.scores,
            usage=call.usage,
            retries=len(call.problems),
            problems=tuple(call.problems),
        )
        return Prediction(call.given, (step,))

    def renderer(
        self, runtime: Runtime, lm: LM, inputs: Mapping[str, Any] = MappingProxyType({})
    ) -> Renderer:
        """The renderer of a question about `inputs` for this LM.

        Its head is rendered once, unless every question has demos of its own. Raises `InputError`
        when there is no format of the name that was chosen.
        """
        format_ = self.format_for(runtime, lm)
        state = self.shown_state(inputs)
        return self._renderer(format_, format_.continues and lm.scores_labels, state)

    def shown_state(self, inputs: Mapping[str, Any]) -> PredictorState:
        """The state as the LM sees it for these inputs.

        After the pinned demos stand all those of the state, or the nearest ones.
        """
        if not self.state.nearest:
            return self._whole
        demos = self._nearest.of(inputs, self.state.nearest)
        return replace(self.state, demos=(*self.pinned, *demos), nearest=0)

    @cached_property
    def _whole(self) -> PredictorState:
        """The state with every demo that there is: the same object for all questions."""
        if not self.pinned:
            return self.state
        return replace(self.state, demos=(*self.pinned, *self.state.demos))

    @cached_property
    def _nearest(self) -> NearestDemos:
        return NearestDemos(self.signature, self.state.demos)

    def _renderer(self, format_: Format, scored: bool, state: PredictorState) -> Renderer:
        if state is not self._whole:
            return format_.renderer(self.signature, state, scored=scored)
        known = self._renderers.get((format_.name, scored))
        if known is None:
            known = format_.renderer(self.signature, state, scored=scored)
            self._renderers[format_.name, scored] = known
        return known

    def format_for(self, runtime: Runtime, lm: LM) -> Format:
        """The format in which this step asks `lm`: its own, the run's, or the LM's."""
        name = self.params.format or runtime.format_name(lm)
        format_ = FORMATS.get(name)
        if format_ is None:
            raise InputError(
                f"There is no format “{name}”. Known formats are {', '.join(FORMATS)}."
            )
        return format_


class Call:
    """The conversation about one set of inputs."""

    __slots__ = (
        "answers",
        "given",
        "inputs",
        "lm",
        "path",
        "predict",
        "problems",
        "prompt",
        "renderer",
        "runtime",
        "scored",
        "scores",
        "state",
        "usage",
    )

    def __init__(
        self, predict: Predict, runtime: Runtime, path: str, inputs: Mapping[str, Any]
    ) -> None:
        self.predict, self.runtime, self.path, self.inputs = predict, runtime, path, inputs
        self.lm = lm = runtime.lm_for(path)
        format_ = predict.format_for(runtime, lm)
        self.scored = format_.continues and lm.scores_labels
        self.state = predict.shown_state(inputs)
        self.renderer = predict._renderer(format_, self.scored, self.state)
        if self.renderer.shows and (format_.continues or not lm.sees_images):
            self._refuse_unseen(format_)
        self.given: dict[str, Any] = {}
        self.prompt = ""
        self.answers: list[str] = []
        self.problems: list[str] = []
        self.scores: dict[str, Mapping[str, float]] = {}
        self.usage = _NOTHING

    async def answer_all(self) -> None:
        """Ask until every output is given."""
        outputs = self.predict.signature.outputs
        missing = outputs
        params, runtime = self.predict.params, self.runtime
        temperature = runtime.temperature if params.temperature is None else params.temperature
        longest = params.max_tokens or runtime.max_tokens
        while missing:
            room = longest
            if self.scored and len(missing) == 1 and missing[0].type.kind in _SHORT:
                room = min(longest, _ROOM_FOR_A_WORD)
            request = self.renderer.ask(
                self.inputs,
                self.given,
                temperature=temperature,
                max_tokens=room,
                rollout=runtime.rollout,
            )
            if missing is outputs:
                self.prompt = self.renderer.shown(request)
            if self.scored and missing[0].type.kind == "enum":
                await self._score(request, missing[0])
            else:
                await self._write(request)
            missing = open_outputs(self.predict.signature, self.given)

    async def _score(self, request: Request, output: Field) -> None:
        """Choose the label with the best calibrated score."""
        bias = self.state.calibration.get(output.name, {})
        labels = output.type.labels
        found = await self.lm.score_labels(request.prompt, [f" {label}" for label in labels])
        scores = {label: found.scores[f" {label}"] for label in labels}
        best = max(labels, key=lambda label: scores[label] + bias.get(label, 0.0))
        self.scores[output.name] = scores
        self._add(found.usage)
        self.given[output.name] = best
        self.answers.append(best)

    async def _write(self, request: Request) -> None:
        """Take what the LM writes; ask once more when it cannot be read."""
        completion = await self._complete(request)
        try:
            found = self._read(completion)
        except ParseError as error:
            self.problems.append(_for_people(error, completion, request))
            complaint = _for_the_lm(error, completion, request)
            again = self.renderer.ask_again(request, completion.text, complaint)
            completion = await self._complete(again)
            try:
                found = self._read(completion)
            except ParseError as last:
                why = _for_people(last, completion, again)
                raise ParseError(why, field=last.field, text=last.text) from None
        self.given.update(found)

    async def _complete(self, request: Request) -> Completion:
        listener = self.runtime.listener
        if listener is None:
            completion = await self.lm.complete(request)
        else:
            completion = await streamed(self.lm, request, partial(listener, self.path))
        self._add(completion.usage)
        self.answers.append(completion.text)
        return completion

    def _read(self, completion: Completion) -> dict[str, Any]:
        return self.renderer.read(completion.text, self.given, truncated=completion.truncated)

    def _add(self, usage: Usage) -> None:
        self.usage = usage if self.usage is _NOTHING else self.usage + usage

    def _refuse_unseen(self, format_: Format) -> None:
        """Raise `InputError` for an image or a document that the LM would not see."""
        shown = (self.inputs, *(demo.values for demo in self.state.demos))
        for field_ in self.renderer.shows:
            if any(attachments_in(field_.type, values.get(field_.name)) for values in shown):
                raise InputError(
                    f"{field_.name}: the format “{format_.name}” is text only, and shows no "
                    "images and documents. Choose another format for this step."
                    if self.lm.sees_images
                    else f"{field_.name}: {self.lm.name} sees no images and no documents. "
                    "Choose a model that does, or say in its connection that it does."
                )


async def streamed(lm: LM, request: Request, hear: Callable[[str], None]) -> Completion:
    """What `lm.complete` answers, with every piece of text given to `hear` as it comes."""
    completion: Completion | None = None
    async with aclosing(lm.stream(request)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Completion):
                completion = piece
            else:
                hear(piece)
    if completion is None:
        raise LMBadAnswer(f"The stream of {lm.name} ended before the answer was complete.")
    return completion


def _for_people(error: ParseError, completion: Completion, request: Request) -> str:
    if not completion.truncated:
        return str(error)
    return (
        f"The answer was cut off after {request.max_tokens} tokens, before all of it was there: "
        "raise the longest answer, or ask for a shorter one. "
        f"({error})"
    )


def _for_the_lm(error: ParseError, completion: Completion, request: Request) -> str:
    if not completion.truncated:
        return str(error)
    return f"It was cut off after {request.max_tokens} tokens: be much briefer. {error}"


PREDICT = ModuleKind(
    name="predict",
    title="Predict",
    summary="Ask the model for the outputs, once.",
    group="Ask",
    params=PredictParams,
    make=lambda signature, params, parts: Predict.of(signature, params),
)

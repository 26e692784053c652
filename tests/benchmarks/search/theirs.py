"""DSPy's BootstrapFewShotWithRandomSearch, as it comes, on a simulated LM."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import time
from typing import Any

import dspy

from tests.benchmarks.search import world as sizes
from tests.benchmarks.search.world import Outcome, World


class Simulated(dspy.BaseLM):  # type: ignore[misc]
    """Answers in the layout of DSPy's default adapter."""

    def __init__(self, world: World, latency_s: float = 0.0) -> None:
        super().__init__(model="simulated", cache=False)
        self.world = world
        self.latency_s = latency_s
        self._count = itertools.count()
        self._responses: dict[str, Any] = {}

    def forward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        """The answer to the last message, with the earlier ones as demos."""
        next(self._count)
        if self.latency_s:
            time.sleep(self.latency_s)
        text = self.world.reply(turn["content"] for turn in messages if turn["role"] == "user")
        if text not in self._responses:
            self._responses[text] = _response(text)
        return self._responses[text]

    @property
    def calls(self) -> int:
        """How often it was asked: read it once, when all is over."""
        return next(self._count)


def _response(text: str) -> Any:
    from litellm import ModelResponse

    return ModelResponse(
        choices=[{"message": {"role": "assistant", "content": text}}],
        usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        model="simulated",
    )


def right(example: Any, prediction: Any, trace: Any = None) -> bool:
    """Exact match."""
    return bool(example.label == prediction.label)


def search(world: World, latency_s: float = 0.0) -> Outcome:
    """16 random candidates and the three that come before them, each on all dev examples."""
    logging.getLogger("dspy").setLevel(logging.CRITICAL)
    lm = Simulated(world, latency_s)
    dspy.configure(lm=lm, disable_history=True)
    rows = {
        name: [dspy.Example(**row).with_inputs("message") for row in world.rows[name]]
        for name in ("train", "dev")
    }
    begun = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        compiler = dspy.BootstrapFewShotWithRandomSearch(
            metric=right,
            max_bootstrapped_demos=sizes.MAX_BOOTSTRAPPED,
            max_labeled_demos=sizes.MAX_LABELED,
            num_candidate_programs=sizes.RANDOM_CANDIDATES,
            num_threads=sizes.IN_FLIGHT,
        )
        best = compiler.compile(
            dspy.Predict(sizes.SIGNATURE), trainset=rows["train"], valset=rows["dev"]
        )
    seconds = time.perf_counter() - begun
    made = sorted(best.candidate_programs, key=lambda each: each["seed"])
    accuracies = tuple(world.accuracy(_demos(each["program"])) for each in made)
    winner = next(place for place, each in enumerate(made) if each["program"] is best)
    return Outcome(accuracies, winner, lm.calls, seconds=seconds)


def _demos(program: Any) -> frozenset[str]:
    (predictor,) = program.predictors()
    return frozenset(demo["message"] for demo in predictor.demos)

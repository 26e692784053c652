"""What BestOfN, Refine, Majority and MultiChainComparison do with attempts that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from studio.engine.errors import (
    BudgetSpent,
    InputError,
    LMAuthError,
    LMInvalidRequest,
    LMRefused,
    LMTimeout,
    ParseError,
)
from studio.engine.lm.scripted import Answer, ScriptedLM
from studio.engine.messages import Request
from studio.engine.modules import Module, Predict
from studio.engine.modules.best_of_n import BestOfN
from studio.engine.modules.majority import Majority, MajorityParams
from studio.engine.modules.multi_chain_comparison import (
    MultiChainComparison,
    MultiChainComparisonParams,
)
from studio.engine.modules.refine import Refine
from studio.engine.runtime import Runtime
from studio.engine.trace import Prediction
from tests.engine.modules.test_predict import chat


def always(value: float) -> Callable[..., float]:
    """A reward."""
    return lambda inputs, outputs: value


def step() -> Predict:
    """What is tried."""
    return Predict.of("question -> answer")


MODULES: dict[str, Callable[[], Module]] = {
    "best_of_n": lambda: BestOfN(step(), always(0.5)),
    "best_of_n, all at once": lambda: BestOfN(step(), always(0.5), parallel=True),
    "refine": lambda: Refine(step(), always(0.5)),
    "majority": lambda: Majority(step(), MajorityParams(samples=3)),
    "multi_chain_comparison": lambda: MultiChainComparison.of(
        "question -> answer", MultiChainComparisonParams(attempts=3)
    ),
}


@pytest.fixture(params=list(MODULES))
def module(request: pytest.FixtureRequest) -> Module:
    """One of them, with three attempts."""
    return MODULES[request.param]()


def ask(module: Module, lm: ScriptedLM, rollout: int = 0) -> Prediction:
    """One question."""
    runtime = Runtime(lm=lm, rollout=rollout)
    return asyncio.run(module({"question": "?"}, runtime, "here"))


def attempt_of(request: Request) -> int | None:
    """The number of the attempt; None for a question that is none."""
    if "`answer` (str)" not in request.messages[0].content.partition("You produce")[2]:
        return None
    if "attempts" in request.messages[0].content:
        return None
    return 0 if request.rollout == 7 else request.rollout % 1000


def script(*answers: Answer) -> Callable[[Request], Answer]:
    """An answer for each attempt, whatever the order; advice when asked for it."""

    def answer(request: Request) -> Answer:
        number = attempt_of(request)
        if number is None:
            return chat(advice="Do better.", reasoning="r", answer="compared")
        found = answers[number]
        return chat(reasoning="r", answer=found) if isinstance(found, str) else found

    return answer


@pytest.mark.parametrize("error", [LMRefused(), LMInvalidRequest(), ParseError("Unreadable.")])
def test_an_attempt_that_fails_does_not_end_the_others(module: Module, error: Exception) -> None:
    lm = ScriptedLM(script(error, "good", "good"))
    assert ask(module, lm).values["answer"] in ("good", "compared")


def test_when_all_fail_the_first_error_is_raised(module: Module) -> None:
    lm = ScriptedLM(script(LMRefused("one"), LMRefused("two"), LMRefused("three")))
    with pytest.raises(LMRefused, match="one"):
        ask(module, lm)


@pytest.mark.parametrize("error", [LMTimeout(), LMAuthError(), BudgetSpent()])
def test_an_lm_that_is_broken_ends_them_all_at_once(module: Module, error: Exception) -> None:
    lm = ScriptedLM(script("good", error, "good"))
    with pytest.raises(type(error)):
        ask(module, lm)


def test_inputs_that_do_not_fit_are_not_tried(module: Module) -> None:
    lm = ScriptedLM(script("good", "good", "good"))
    with pytest.raises(InputError):
        asyncio.run(module({}, Runtime(lm=lm), ""))
    assert not lm.requests


def test_the_first_attempt_is_a_plain_call_and_the_others_are_fresh_and_warmer(
    module: Module,
) -> None:
    lm = ScriptedLM(script("a", "b", "c"))
    ask(module, lm, rollout=7)
    tries = [request for request in lm.requests if attempt_of(request) is not None]
    tries.sort(key=lambda request: request.rollout)
    assert [request.rollout for request in tries] == [7, 7001, 7002]
    assert [request.temperature for request in tries] == [0.0, 0.7, 0.7]


def test_everything_that_was_paid_for_is_in_the_steps(module: Module) -> None:
    lm = ScriptedLM(script("a", "b", "c"))
    prediction = ask(module, lm)
    assert prediction.usage.calls == len(lm.requests)


def test_an_attempt_that_was_asked_for_twice_counts_twice(module: Module) -> None:
    seen: set[int] = set()

    def answer(request: Request) -> Answer:
        number = attempt_of(request)
        if number == 1 and number not in seen:
            seen.add(number)
            return "nonsense"
        return script("a", "b", "c")(request)

    lm = ScriptedLM(answer)
    prediction = ask(module, lm)
    assert sum(found.retries for found in prediction.steps) == 1
    assert prediction.usage.calls == len(lm.requests)

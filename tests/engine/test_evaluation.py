"""Running a candidate over examples: in order, once, and nothing that was paid for is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from studio.engine.errors import (
    BudgetSpent,
    ConstraintBroken,
    LMAuthError,
    LMError,
    LMInvalidRequest,
    LMRateLimited,
    LMRefused,
    LMTimeout,
    LMUnavailable,
    MetricError,
    RetrievalError,
    SandboxError,
    SandboxLimit,
    SandboxUnavailable,
    ToolError,
)
from studio.engine.evaluation import (
    BLOCK,
    Evaluation,
    Ledger,
    MemoryLedger,
    Scored,
    evaluate,
    evaluate_all,
    in_order,
)
from studio.engine.example import Example
from studio.engine.lm.base import LM
from studio.engine.lm.metered import Budget, Metered
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Completion, Request
from studio.engine.metrics import Metric, Score, make_metric
from studio.engine.modules import Predict
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.trace import Prediction

PROGRAM = Program.of(Predict.of("number: int -> double: int"))
METRIC = make_metric("exact_match", {"field": "double"})
EXAMPLES = [Example({"number": number, "double": 2 * number}) for number in range(40)]


def double(request: Request) -> str:
    question = request.messages[1].content.split("Answer")[0]
    return f"[[ ## double ## ]]\n{2 * int(''.join(filter(str.isdigit, question)))}"


class Doubling(ScriptedLM):
    """Doubles; raises or does what `on` says for one number."""

    def __init__(self, on: dict[int, Exception | str] | None = None, slow: bool = False) -> None:
        super().__init__(double)
        self.on, self.slow, self.random = on or {}, slow, random.Random(0)

    async def complete(self, request: Request) -> Completion:
        completion = await super().complete(request)
        await asyncio.sleep(self.random.random() / 500 if self.slow else 0)
        answer = self.on.get(int(completion.text.split()[-1]) // 2)
        if isinstance(answer, Exception):
            raise answer
        return completion if answer is None else Completion(text=answer, usage=completion.usage)


def run(
    lm: LM,
    examples: list[Example] = EXAMPLES,
    metric: Metric = METRIC,
    ledger: Ledger | None = None,
    concurrency: int = 16,
) -> Evaluation:
    return asyncio.run(
        evaluate_all(
            PROGRAM,
            PROGRAM.candidate(),
            examples,
            metric,
            Runtime(lm=lm),
            ledger or MemoryLedger(),
            concurrency=concurrency,
        )
    )


def test_results_come_in_the_order_of_the_examples() -> None:
    results = run(Doubling(slow=True)).results
    assert [example for example, _ in results] == EXAMPLES
    assert all(scored.score.value == 1.0 for _, scored in results)
    assert all(scored.calls == 1 for _, scored in results)


def test_no_more_calls_are_in_flight_than_allowed() -> None:
    flying = most = 0

    class Watched(Doubling):
        async def complete(self, request: Request) -> Completion:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            try:
                return await super().complete(request)
            finally:
                flying -= 1

    run(Watched(slow=True), concurrency=3)
    assert most == 3


def test_what_the_ledger_knows_is_not_run_again() -> None:
    ledger, lm = MemoryLedger(), Doubling()
    first = run(lm, ledger=ledger)
    assert run(lm, ledger=ledger) == first
    assert len(lm.requests) == len(EXAMPLES)


def test_an_example_that_stands_twice_is_run_once() -> None:
    lm = Doubling()
    assert len(run(lm, [EXAMPLES[0], EXAMPLES[1], EXAMPLES[0]]).results) == 2
    assert len(lm.requests) == 2


def test_a_stream_of_examples_is_taken_a_block_at_a_time() -> None:
    taken = 0

    def stream() -> Iterator[Example]:
        nonlocal taken
        for number in range(10 * BLOCK):
            taken += 1
            yield Example({"number": str(number), "answer": "1"})

    async def ahead() -> int:
        """How many examples were taken at most beyond those whose results are known."""
        most = known = 0
        results = evaluate(
            PROGRAM, PROGRAM.candidate(), stream(), METRIC, Runtime(lm=Doubling()), MemoryLedger()
        )
        async for _ in results:
            most = max(most, taken - known)
            known += 1
        return most

    assert asyncio.run(ahead()) == BLOCK


def test_no_examples_are_no_results() -> None:
    empty = run(Doubling(), [])
    assert empty.results == ()
    assert empty.mean is None


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (LMRefused(), "no answer: The model declined to answer."),
        (LMInvalidRequest("too long"), "the LM call failed: too long"),
        ("gibberish", "no answer: "),
        (SandboxError("Line 1: no"), "no answer: Line 1: no"),
        (SandboxLimit(), "no answer: The code took too much."),
        (ConstraintBroken("too long"), "no answer: too long"),
        (ToolError("closed"), "no answer: closed"),
    ],
)
def test_what_goes_wrong_on_one_example_scores_nothing_there(
    trouble: Exception | str, reason: str
) -> None:
    found = dict(zip(range(40), run(Doubling({3: trouble})).results, strict=True))
    scored = found[3][1]
    assert scored.score.value == 0.0
    assert scored.score.reason.startswith(reason)
    assert scored.prediction == Prediction({})
    assert sum(item.score.value == 1.0 for _, item in found.values()) == 39


def test_calls_of_a_run_that_fails_are_counted() -> None:
    results = run(Doubling({3: "gibberish"})).results
    assert results[3][1].calls == 2


def test_inputs_that_do_not_fit_score_nothing() -> None:
    odd = Example({"number": "many", "double": 2})
    scored = run(Doubling(), [*EXAMPLES[:3], odd]).results[3][1]
    assert scored.score.value == 0.0
    assert scored.score.reason.startswith("no answer: number: expected int")
    assert scored.calls == 0


@pytest.mark.parametrize(
    "trouble",
    [
        LMAuthError(),
        LMUnavailable(),
        LMTimeout(),
        LMRateLimited(),
        BudgetSpent(),
        SandboxUnavailable(),
        RetrievalError(),
    ],
)
def test_what_concerns_everybody_is_raised_and_what_was_in_flight_is_kept(
    trouble: Exception,
) -> None:
    ledger, lm = MemoryLedger(), Doubling({5: trouble}, slow=True)
    with pytest.raises(type(trouble)):
        run(lm, ledger=ledger)
    assert len(ledger.scores) == len(lm.requests) - 1
    assert len(lm.requests) <= 16


def test_results_before_the_failure_are_told() -> None:
    async def told() -> list[Example]:
        seen = []
        results = evaluate(
            PROGRAM,
            PROGRAM.candidate(),
            EXAMPLES,
            METRIC,
            Runtime(lm=Doubling({20: LMAuthError()}, slow=True)),
            MemoryLedger(),
        )
        try:
            async for example, _ in results:
                seen.append(example)
        except LMAuthError:
            return seen
        pytest.fail("the refusal was lost")

    assert asyncio.run(told()) == EXAMPLES[:20]


def test_when_the_budget_is_spent_all_that_was_paid_for_is_kept() -> None:
    for cap in (0, 1, 7, 16, 23, 39):
        ledger, lm = MemoryLedger(), Doubling(slow=True)
        with pytest.raises(BudgetSpent):
            run(Metered(lm, Budget(cap)), ledger=ledger)
        assert len(ledger.scores) == len(lm.requests) == cap


def test_cancelling_cancels_what_is_in_flight() -> None:
    ledger, lm = MemoryLedger(), Doubling(slow=True)

    async def cancelled() -> None:
        task = asyncio.create_task(
            evaluate_all(PROGRAM, PROGRAM.candidate(), EXAMPLES, METRIC, Runtime(lm=lm), ledger)
        )
        while len(lm.requests) < 10:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        asked = len(lm.requests)
        await asyncio.sleep(0.01)
        assert len(lm.requests) == asked
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(cancelled())
    assert len(run(lm, ledger=ledger).results) == 40


class Moody:
    """Raises where it is told to."""

    name = "moody"

    def __init__(self, raises: Callable[[int], bool]) -> None:
        self.raises = raises

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        if self.raises(example.values["number"]):
            raise RuntimeError("not today")
        return Score(1.0)


def test_a_metric_that_raises_on_some_examples_leaves_them_unscored() -> None:
    found = run(Doubling(), metric=Moody(lambda number: number % 2 == 0))
    assert len(found.values) == 20
    assert found.mean == 1.0
    assert "“moody” raised RuntimeError: not today" in found.results[0][1].score.reason


@pytest.mark.parametrize("examples", [1, 4, 5, 40])
def test_a_metric_that_raises_on_each_of_the_first_examples_is_broken(examples: int) -> None:
    with pytest.raises(MetricError, match="“moody” raised RuntimeError: not today"):
        run(Doubling(), EXAMPLES[:examples], metric=Moody(lambda number: number < 5))


def test_a_metric_that_was_broken_before_a_restart_is_still_broken() -> None:
    ledger = MemoryLedger()
    for _ in range(2):
        with pytest.raises(MetricError):
            run(Doubling(), metric=Moody(lambda number: True), ledger=ledger)


def test_a_server_that_refuses_each_of_the_first_requests_is_broken() -> None:
    refusals: dict[int, Any] = {number: LMInvalidRequest("no such model") for number in range(5)}
    with pytest.raises(LMError, match="no such model"):
        run(Doubling(refusals))


def test_a_model_that_declines_everything_is_only_a_bad_model() -> None:
    declined: dict[int, Any] = {number: LMRefused() for number in range(40)}
    assert run(Doubling(declined)).mean == 0.0


def test_a_fault_of_our_own_is_raised_as_it_is() -> None:
    class Full(MemoryLedger):
        async def put_score(self, candidate_hash: str, example_id: str, scored: Scored) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run(Doubling(), ledger=Full())


def test_work_in_order_keeps_order_and_starts_nothing_after_a_failure() -> None:
    started = count()

    async def work(item: int) -> int:
        next(started)
        await asyncio.sleep((40 - item) / 20_000)
        if item == 2:
            raise BudgetSpent
        return item

    async def collect() -> list[int]:
        found = []
        try:
            async for item in in_order(list(range(40)), work, concurrency=4):
                found.append(item)
        except BudgetSpent:
            return found
        pytest.fail("the failure was lost")

    assert asyncio.run(collect()) == [0, 1]
    assert next(started) <= 8

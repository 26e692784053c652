"""Our random search on the same simulated LM."""

from __future__ import annotations

import asyncio
import time

from studio.engine.compilers import CompileTask, compile_program
from studio.engine.compilers.events import CandidateMade, Confirmed, ExampleScored, TraceTried
from studio.engine.evaluation import MemoryLedger
from studio.engine.example import Candidate, Example
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Completion, Request, Usage
from studio.engine.metrics import make_metric
from studio.engine.modules import Predict
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from tests.benchmarks.search import world as sizes
from tests.benchmarks.search.world import Outcome, World

_USAGE = Usage(calls=1, prompt_tokens=1, completion_tokens=1)


def simulated(world: World, latency_s: float = 0.0) -> ScriptedLM:
    """The LM behind our protocol, in the layout of our default format."""

    def answer(request: Request) -> Completion:
        turns = (turn.content for turn in request.messages if turn.role == "user")
        return Completion(text=world.reply(turns), usage=_USAGE)

    return ScriptedLM(answer, latency_s=latency_s)


def search(world: World, latency_s: float = 0.0) -> Outcome:
    """As many candidates as DSPy makes, with the same numbers of demos, raced on dev."""
    rows = {name: [Example(row) for row in found] for name, found in world.rows.items()}
    task = CompileTask(
        program=Program.of(Predict.of(sizes.SIGNATURE), "classify"),
        train=rows["train"],
        dev=rows["dev"],
        test=rows["test"],
        metric=make_metric("exact_match", {"field": "label"}),
        runtime=Runtime(lm=simulated(world, latency_s)),
        ledger=MemoryLedger(),
        seed=world.seed,
        compiler="random-search",
        params={
            "candidates": sizes.RANDOM_CANDIDATES,
            "max_bootstrapped": sizes.MAX_BOOTSTRAPPED,
            "max_labeled": sizes.MAX_LABELED,
            "calibrate": False,
            "dev_limit": 0,
        },
        concurrency=sizes.IN_FLIGHT,
    )
    return asyncio.run(_outcome(task, world))


async def _outcome(task: CompileTask, world: World) -> Outcome:
    made: list[Candidate] = []
    runs = confirming = winner = 0
    begun = time.perf_counter()
    searched = 0.0
    async for event in compile_program(task):
        match event:
            case CandidateMade():
                made.append(event.candidate)
            case TraceTried():
                runs += 1
            case ExampleScored(part="test"):
                searched = searched or time.perf_counter() - begun
                confirming += 1
            case ExampleScored():
                runs += 1
            case Confirmed():
                winner = event.number
            case _:
                pass
    accuracies = tuple(world.accuracy(_demos(candidate)) for candidate in made)
    whole = time.perf_counter() - begun
    return Outcome(accuracies, winner, runs, confirming, searched, whole)


def _demos(candidate: Candidate) -> frozenset[str]:
    (state,) = candidate.states.values()
    return frozenset(str(demo.values["message"]) for demo in state.demos)

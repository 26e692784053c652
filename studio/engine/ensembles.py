"""Ensembles: the same program set in several ways, side by side, and a vote on the answers.

DSPy's Ensemble (Khattab et al. 2023, https://arxiv.org/abs/2310.03714); the vote is that of
self-consistency (Wang et al. 2022, https://arxiv.org/abs/2203.11171). Where the LM scores labels,
the scores are added up instead, so that a member that hardly knows says little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from studio.engine.example import Candidate, PredictorState, member_path
from studio.engine.messages import Usage
from studio.engine.modules.attempts import Attempt, all_steps, attempt, first_error
from studio.engine.modules.majority import normal
from studio.engine.modules.subpipeline import Subpipeline
from studio.engine.modules.together import together
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction, Step

VOTE = "ensemble/vote"
"""The path of the step that tells how the members voted; no predictor has it."""


@dataclass(frozen=True)
class Ensemble(Program):
    """A program whose members all answer; it answers what most of them do.

    Its predictors are those of the members, each below its member's name: `2/classify`. What is
    drawn (nodes, wires) is the same for all of them.
    """

    members: Mapping[str, Program] = field(default_factory=dict)

    @classmethod
    def set_as(cls, program: Program, candidate: Candidate) -> Self:
        """`program` with a member for each of those in `candidate`."""
        members = {name: program.apply(one) for name, one in candidate.members.items()}
        return cls(program.inputs, program.outputs, program.layers, program.wires, members)

    def apply(self, candidate: Candidate) -> Program:
        """The program that it was made from, set as `candidate` says: `Program.apply`."""
        return self._drawn.apply(candidate)

    def predictors_of(self, paths: Iterable[str]) -> Mapping[str, Signature]:
        """See `Program.predictors_of`."""
        return self._drawn.predictors_of(paths)

    async def __call__(
        self, inputs: Mapping[str, Any], runtime: Runtime, path: str = ""
    ) -> Prediction:
        """Ask all members at the same time, and decide.

        A member that fails has no vote; when all fail, the first one's error is raised. What
        `Program` raises at once ends them all.
        """
        return self.decide(
            await together(
                [
                    attempt(Subpipeline(member), inputs, _heard_as(name, runtime), path, number)
                    for number, (name, member) in enumerate(self.members.items())
                ]
            )
        )

    def decide(self, tries: Sequence[Attempt]) -> Prediction:
        """The answer that comes most often, from one attempt of each member, in their order.

        The last output counts first; among those who agree on it, the one before, and so on, so
        that the outputs fit each other. Of equal numbers of votes the earlier member wins.
        """
        voters = [one for one in tries if one.prediction is not None]
        if not voters:
            raise first_error(tries)
        told: dict[str, Any] = {}
        chosen: dict[str, Any] = {}
        for output in reversed(self.outputs):
            ballots: dict[str, list[Attempt]] = {}
            for one in voters:
                ballots.setdefault(normal(one.values[output.name]), []).append(one)
            most = max(ballots.values(), key=len)
            label = self._likeliest(output.name, voters)
            if label is not None:
                # It may be a label that is nobody's first, and the second of them all.
                chosen[output.name] = label
                most = ballots.get(normal(label), voters)
            told[output.name] = [
                {"value": found[0].values[output.name], "count": len(found)}
                for found in sorted(ballots.values(), key=len, reverse=True)
            ]
            voters = most
        winner = voters[0]
        values = {each.name: winner.values[each.name] for each in self.outputs} | chosen
        named = [_under(name, one) for name, one in zip(self.members, tries, strict=True)]
        vote = Step(
            path=VOTE,
            inputs={"members": len(tries)},
            outputs={
                "votes": {each.name: told[each.name] for each in self.outputs},
                "failed": [str(one.error) for one in tries if one.error is not None],
            },
            prompt="",
            answer="",
            scores={},
            usage=Usage(),
        )
        return Prediction(values, (*all_steps(named, named[winner.number]), vote))

    def _likeliest(self, output: str, voters: Sequence[Attempt]) -> str | None:
        """The label with the largest sum of calibrated log-probabilities.

        None unless the output is what a step of every voter scored.
        """
        sums: dict[str, float] = {}
        members = list(self.members.values())
        for one in voters:
            scores = self._scores(members[one.number], one, output)
            if not scores:
                return None
            for label, score in scores.items():
                sums[label] = sums.get(label, 0.0) + score
        return max(sums, key=sums.__getitem__)

    def _scores(self, member: Program, one: Attempt, output: str) -> dict[str, float]:
        """The log-probability of each label in one answer, calibrated as the member is."""
        wire = self.wires[output]
        step = next((step for step in one.steps if step.path == wire.node), None)
        state = member.candidate().states.get(wire.node)
        if step is None or state is None or wire.field not in step.scores:
            return {}
        bias = state.calibration.get(wire.field, {})
        scores = {
            label: score + bias.get(label, 0.0) for label, score in step.scores[wire.field].items()
        }
        top = max(scores.values())
        total = top + math.log(math.fsum(math.exp(score - top) for score in scores.values()))
        return {label: score - total for label, score in scores.items()}

    @cached_property
    def _drawn(self) -> Program:
        return Program(self.inputs, self.outputs, self.layers, self.wires)

    @cached_property
    def _predictors(self) -> dict[str, tuple[Signature, PredictorState]]:
        return {
            member_path(name, path): (signature, member.candidate().states[path])
            for name, member in self.members.items()
            for path, signature in member.predictors.items()
        }


def _heard_as(name: str, runtime: Runtime) -> Runtime:
    """The runtime, whose listener is told which member speaks."""
    hear = runtime.listener
    if hear is None:
        return runtime
    return replace(runtime, listener=lambda path, text: hear(member_path(name, path), text))


def _under(name: str, one: Attempt) -> Attempt:
    """The attempt with the member's name in the paths of its steps."""
    if one.prediction is None:
        return one
    steps = tuple(replace(step, path=member_path(name, step.path)) for step in one.steps)
    return replace(one, prediction=Prediction(one.prediction.values, steps))

"""What is to be decided in an artifact: per predictor its instruction and its demos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from studio.engine.codec import content_hash
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.graph import build
from studio.engine.modules.inside import pinned_demos
from studio.engine.signature import Signature
from studio.reviews.models import Decision, Review
from studio.runs.models import Artifact


def demo_key(demo: Demo) -> str:
    """The content hash by which decisions name a demo: equal demos share their decision."""
    return content_hash(demo.to_dict())


@dataclass(frozen=True, slots=True)
class DemoItem:
    """One demo with what was decided about it."""

    path: str
    number: int
    demo: Demo
    key: str
    decision: Decision | None
    source: Mapping[str, Any]
    """The row that it was made from: `{"number", "split", "values"}`; empty when unknown."""
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]

    @property
    def verdict(self) -> str:
        """`accept`, `reject`, or empty while undecided."""
        return self.decision.verdict if self.decision else ""

    @property
    def id(self) -> str:
        """Names it inside the page."""
        return f"demo-{content_hash([self.path, self.key])[:12]}"


@dataclass(frozen=True, slots=True)
class PredictorItem:
    """One predictor: what the compiler set, beside what a person had written."""

    path: str
    signature: Signature
    state: PredictorState
    written: PredictorState
    """As it was before compiling."""
    demos: tuple[DemoItem, ...]
    member: str = ""
    """Of an ensemble: which member it belongs to."""
    pinned: tuple[Demo, ...] = ()
    """Demos that stand in the drawing: they are shown first, and are not decided here."""

    @property
    def name(self) -> str:
        """Its path inside its member, as the pipeline names it."""
        return self.path.removeprefix(f"{self.member}/") if self.member else self.path

    @property
    def nearest(self) -> int:
        """How many of its demos each input is shown; 0: all of them."""
        return min(self.state.nearest, len(self.demos))

    @property
    def undecided(self) -> int:
        """Demos that nobody has judged yet."""
        return sum(not demo.verdict for demo in self.demos)

    @property
    def instruction_changed(self) -> bool:
        """Whether the compiler rewrote the instruction."""
        return self.state.instruction != self.written.instruction


@dataclass(frozen=True)
class Items:
    """Everything that is to be decided in a review."""

    predictors: tuple[PredictorItem, ...]

    @property
    def members(self) -> tuple[tuple[str, tuple[PredictorItem, ...]], ...]:
        """The predictors by member; one nameless member unless it is an ensemble."""
        found: dict[str, list[PredictorItem]] = {}
        for predictor in self.predictors:
            found.setdefault(predictor.member, []).append(predictor)
        return tuple((member, tuple(predictors)) for member, predictors in found.items())

    def predictor(self, path: str) -> PredictorItem | None:
        """The predictor with this path."""
        return next((one for one in self.predictors if one.path == path), None)

    @property
    def demos(self) -> tuple[DemoItem, ...]:
        """All demos, in the order of the page."""
        return tuple(demo for predictor in self.predictors for demo in predictor.demos)

    def having(self, verdict: str) -> tuple[DemoItem, ...]:
        """The demos with this verdict; empty text: the undecided."""
        return tuple(demo for demo in self.demos if demo.verdict == verdict)

    @property
    def undecided(self) -> int:
        """Demos that nobody has judged yet."""
        return len(self.having(""))

    @property
    def rejected(self) -> int:
        """Demos that are to go."""
        return len(self.having(Decision.Verdict.REJECT))

    @property
    def decided(self) -> int:
        """Demos that somebody has judged."""
        return len(self.demos) - self.undecided

    def find(self, path: str, key: str) -> DemoItem | None:
        """The demo with this path and content hash."""
        return next((d for d in self.demos if d.path == path and d.key == key), None)


def candidate_of(artifact: Artifact) -> Candidate:
    """How the artifact sets the predictors."""
    return Candidate.from_dict(artifact.content["candidate"])


def read_items(review: Review) -> Items:
    """The items of a review with the decisions made so far."""
    return items_of(review.artifact, review.decisions.select_related("by"))


def items_of(artifact: Artifact, decisions: Iterable[Decision] = ()) -> Items:
    """The items of an artifact; of an ensemble those of each member."""
    program = build(artifact.content["spec"])
    candidate, written = candidate_of(artifact), program.candidate()
    made = {(decision.path, decision.demo): decision for decision in decisions}
    sources = artifact.report.get("sources", {})
    pinned = pinned_demos(program)
    found = []
    for path, signature in program.apply(candidate).predictors.items():
        member, _, inner = path.rpartition("/")
        found.append(
            PredictorItem(
                path=path,
                signature=signature,
                state=candidate.states[path],
                written=written.states[inner],
                demos=tuple(
                    _demo(path, number, demo, signature, made, sources)
                    for number, demo in enumerate(candidate.states[path].demos, start=1)
                ),
                member=member,
                pinned=pinned.get(inner, ()),
            )
        )
    return Items(tuple(found))


def without(candidate: Candidate, rejected: Iterable[DemoItem]) -> Candidate:
    """The candidate without the rejected demos; nothing else changes, nothing is fitted anew."""
    gone = {(item.path, item.key) for item in rejected}
    return Candidate(
        {
            path: replace(
                state,
                demos=tuple(demo for demo in state.demos if (path, demo_key(demo)) not in gone),
            )
            for path, state in candidate.states.items()
        }
    )


def _demo(
    path: str,
    number: int,
    demo: Demo,
    signature: Signature,
    made: Mapping[tuple[str, str], Decision],
    sources: Mapping[str, Any],
) -> DemoItem:
    key = demo_key(demo)
    return DemoItem(
        path=path,
        number=number,
        demo=demo,
        key=key,
        decision=made.get((path, key)),
        source=sources.get(demo.source, {}),
        inputs={
            field.name: demo.values[field.name]
            for field in signature.inputs
            if field.name in demo.values
        },
        outputs={
            field.name: demo.values[field.name]
            for field in signature.outputs
            if field.name in demo.values
        },
    )

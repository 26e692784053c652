"""What a module is: one kind of step, with predictors inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from studio.engine.example import PredictorState
from studio.engine.modules.often import Often, all_of
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction


def join_path(above: str, below: str) -> str:
    """`plan` and `answer` as `plan.answer`; either may be empty."""
    return f"{above}.{below}" if above and below else above or below


class Module(Protocol):
    """A step of a program. Frozen: `with_states` returns another one."""

    @property
    def signature(self) -> Signature:
        """What goes in and what comes out, for wiring."""

    def predictors(self) -> Mapping[str, tuple[Signature, PredictorState]]:
        """Each place that calls an LM, by its path below the module; the only one is `""`."""

    def with_states(self, states: Mapping[str, PredictorState]) -> Self:
        """The same module with other states, by path as in `predictors`."""

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """Answer; `path` is where the module stands in its program.

        Raises `InputError`, `ParseError`, `LMError` or `BudgetSpent`.
        """


class Composite:
    """What modules share that are made of other modules, by name.

    A subclass is a frozen dataclass that says in `members` which those are, and in
    `with_members` how it looks with others.
    """

    @property
    def members(self) -> Mapping[str, Module]:
        """The modules inside, by the name under which they stand in paths."""
        raise NotImplementedError

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """The same module with other members."""
        raise NotImplementedError

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """The LM calls of one call, from those of each member: each of them runs once.

        `lengths` says how many items the inputs that are lists have, by name, where it is known.
        """
        return all_of(members.values())

    def predictors(self) -> Mapping[str, tuple[Signature, PredictorState]]:
        """See `Module.predictors`."""
        return {
            join_path(name, below): found
            for name, member in self.members.items()
            for below, found in member.predictors().items()
        }

    def with_states(self, states: Mapping[str, PredictorState]) -> Self:
        """See `Module.with_states`."""
        return self.with_members(
            {
                name: member.with_states(
                    {below: states[join_path(name, below)] for below in member.predictors()}
                )
                for name, member in self.members.items()
            }
        )


class WithoutLM:
    """What modules share that call no LM."""

    def predictors(self) -> Mapping[str, tuple[Signature, PredictorState]]:
        """See `Module.predictors`."""
        return {}

    def with_states(self, states: Mapping[str, PredictorState]) -> Self:
        """See `Module.with_states`."""
        return self


@dataclass(frozen=True, slots=True)
class Part:
    """A pipeline inside a node, such as one case of a Router."""

    name: str
    inputs: tuple[Field, ...]
    """What it is given; its spec may use fewer."""
    outputs: tuple[Field, ...]
    """What it must answer."""
    required: bool = True


def no_parts(signature: Signature, params: Any) -> tuple[Part, ...]:
    """Of a kind that has no pipelines inside."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleKind:
    """A kind of step that people can draw."""

    name: str
    title: str
    summary: str
    group: str
    """Under which head it stands in the palette: Ask, Search, Improve, Flow or Code."""
    params: type[Any]
    """A frozen dataclass; its metadata make the form."""
    make: Callable[[Signature, Any, Mapping[str, Module]], Module]
    """From the signature, the parameters, and the parts by name."""
    ports: Callable[[Signature], Signature] = lambda signature: signature
    """The signature as it is wired, with the fields that the module adds.

    Raises `SignatureError` when the kind cannot have this signature.
    """
    parts: Callable[[Signature, Any], tuple[Part, ...]] = no_parts
    """The pipelines that a node of this kind holds; raises `SignatureError`."""
    calls_lm: bool = True

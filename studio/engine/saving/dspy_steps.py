"""The steps of a program as DSPy has them: their lines of code, and the states it saves.

Everything that comes out of a spec stands in the code as a literal; names are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import Any

from studio.engine.errors import StateError
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.fields import NAME, FieldType
from studio.engine.modules.base import Module
from studio.engine.modules.chain_of_thought import REASONING
from studio.engine.modules.predict import Predict, PredictParams
from studio.engine.modules.react import ReAct
from studio.engine.program import INPUT, Node, Program, Wire
from studio.engine.signature import Field, Signature

_TAKEN = frozenset(
    {
        "config",
        "demos",
        "fields",
        "instructions",
        "lm",
        "model_config",
        "model_dump",
        "model_dump_json",
        "model_validate",
        "model_validate_json",
        "model_validate_strings",
        "new_signature",
        "prediction",
        "self",
        "signature",
    }
)
"""Names that a DSPy signature or the call of a predictor has for itself."""

_SCALARS = {
    "str": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "date": "datetime.date",
    "code": "str",
}
_BOUNDS = {
    "min": ("ge", ("int", "float")),
    "max": ("le", ("int", "float")),
    "multiple_of": ("multiple_of", ("int", "float")),
    "min_length": ("min_length", ("str", "code", "list", "dict")),
    "max_length": ("max_length", ("str", "code", "list", "dict")),
}
"""How DSPy calls a constraint, and for which kinds; it has no word for patterns."""


def read_steps(program: Program, candidate: Candidate | None = None) -> list[Step]:
    """The steps as DSPy has them, in order. Raises `StateError` as `export_dspy` does."""
    nodes = [node for layer in program.layers for node in layer]
    states = (program.candidate() if candidate is None else candidate).states
    if set(states) == set(program.predictors_of(states)) and any("/" in path for path in states):
        raise StateError(
            "This is an ensemble, and DSPy saves no state of one. Export it as messages: they "
            "hold what each predictor of each member says."
        )
    if set(states) != set(program.predictors):
        raise StateError("The candidate does not belong to this program.")
    for field in (*program.inputs, *program.outputs):
        _check_name("The pipeline", field)
    return [_step(node, states) for node in nodes]


class Step:
    """A node that asks once: its lines of code, and its state as DSPy saves it."""

    kind = "Predict"

    def __init__(self, node: Node, predict: Predict, states: Mapping[str, PredictorState]) -> None:
        self.node = node
        self.state = states[node.name]
        if self.state.chooses:
            raise StateError(
                f"The step “{node.name}” shows every question the {self.state.nearest} of its "
                f"{len(self.state.demos):,} demos that are most like it, and DSPy's Predict shows "
                "all. Export the program, or compile it with a fixed set of demos."
            )
        self.params = predict.params
        self.pinned = predict.pinned
        self.reasons = predict.signature.outputs[0] == REASONING
        """DSPy's ChainOfThought adds the same field itself."""
        self.whole = predict.signature
        kept = self.whole.fields
        if self.reasons:
            kept = tuple(field for field in kept if field != REASONING)
            self.reasons = any(field.role == "output" for field in kept)
            kept = kept if self.reasons else self.whole.fields
        if self.reasons:
            self.kind = "ChainOfThought"
        self.signature = Signature(kept)
        for field in self.signature.fields:
            _check_name(f"The step “{node.name}”", field)

    @property
    def instruction(self) -> str:
        """What the LM is told; DSPy has no instruction that is empty."""
        return self.state.instruction.strip() or self.whole.task

    @property
    def path(self) -> str:
        """Where DSPy finds the predictor."""
        return f"steps['{self.node.name}']" + (".predict" if self.reasons else "")

    def code(self) -> list[str]:
        """The entry in `steps`."""
        lines = [f"{literal(self.node.name)}: dspy.{self.kind}(", "    dspy.make_signature("]
        lines.append("        {")
        for field in (*self.signature.inputs, *self.signature.outputs):
            lines.append(f"            {literal(field.name)}: {self._field(field)},")
        lines += ["        },", f"        {literal(self.instruction)},"]
        lines += ["    ),", *(f"    {param}," for param in self._params()), "),"]
        return lines

    def _field(self, field: Field) -> str:
        kind = "InputField" if field.role == "input" else "OutputField"
        given = [f"desc={literal(field.description)}"] if field.description else []
        bare = field.type.item if field.type.kind == "optional" else field.type
        for name, bound in field.constraints.to_dict().items():
            word, kinds = _BOUNDS.get(name, ("", ()))
            if bare is not None and bare.kind in kinds:
                given.append(f"{word}={literal(bound)}")
        type_ = _type(field.type, f"The step “{self.node.name}”, field “{field.name}”")
        return f"({type_}, dspy.{kind}({', '.join(given)}))"

    def _params(self) -> list[str]:
        given = {param.name: getattr(self.params, param.name) for param in _PARAMS}
        return [f"{name}={literal(value)}" for name, value in given.items() if value is not None]

    def call(self) -> str:
        """The line of `forward` that runs it."""
        wires = ", ".join(
            f"{literal(name)}: {source(wire)}" for name, wire in self.node.wires.items()
        )
        name = literal(self.node.name)
        return f"made[{name}] = self.steps[{name}](**{{{wires}}})"

    def state_json(self) -> dict[str, Any]:
        """As DSPy's `dump_state` writes it, under the path."""
        fields = [
            {
                "prefix": f"{field.label}:",
                "description": field.description or f"${{{field.name}}}",
            }
            for field in (*self.whole.inputs, *self.whole.outputs)
        ]
        state = {
            "traces": [],
            "train": [],
            "demos": self.demos(),
            "signature": {"instructions": self.instruction, "fields": fields},
            "lm": None,
        }
        return {self.path: state}

    def demos(self) -> list[dict[str, Any]]:
        """As DSPy saves them."""
        return [self._demo(demo) for demo in (*self.pinned, *self.state.demos)]

    def _demo(self, demo: Demo) -> dict[str, Any]:
        known = {
            field.name: demo.values[field.name]
            for field in self.whole.fields
            if field.name in demo.values
        }
        return {**({"augmented": True} if demo.bootstrapped else {}), **known}


class Agent(Step):
    """A ReAct: DSPy's has fields of its own, so that it is only made, and has no state."""

    kind = "ReAct"

    def __init__(self, node: Node, agent: ReAct, states: Mapping[str, PredictorState]) -> None:
        asked, extracted = (states[f"{node.name}.{name}"] for name in agent.members)
        changed = extracted.instruction != agent.extract.signature.instruction
        if asked.demos or extracted.demos or changed:
            raise StateError(
                f"The step “{node.name}”: DSPy's ReAct asks with other fields, so the demos and "
                "the instruction that were compiled for it cannot go with it. Export it "
                "uncompiled, or as messages."
            )
        kept = (*agent.signature.inputs, *agent.signature.outputs[1:])
        predict = replace(agent.next, signature=Signature(kept, agent.next.signature.task))
        super().__init__(node, predict, {node.name: asked})
        self.agent = agent.params

    def _params(self) -> list[str]:
        names = ", ".join(literal(name) for name in self.agent.tools)
        return [f"tools=[tools[name] for name in [{names}]]", f"max_iters={self.agent.max_steps}"]

    def state_json(self) -> dict[str, Any]:
        """Nothing: DSPy makes it when the tools are known."""
        return {}


_PARAMS = dataclass_fields(PredictParams)


def _step(node: Node, states: Mapping[str, PredictorState]) -> Step:
    if not NAME.match(node.name):
        raise StateError(f"“{node.name}” is not a name that DSPy can have: write order_id.")
    module: Module = node.module
    if type(module) is Predict:
        return Step(node, module, states)
    if type(module) is ReAct:
        return Agent(node, module, states)
    raise StateError(
        f"The step “{node.name}” is of a kind ({type(module).__name__}) that DSPy has no equal "
        "for. Take it out of the pipeline, or export it as messages: they hold what each of its "
        "predictors says."
    )


def _check_name(where: str, field: Field) -> None:
    if field.name in _TAKEN:
        raise StateError(
            f"{where} has a field “{field.name}”, a name that DSPy keeps for itself: rename it, "
            f"for example to {field.name}_text."
        )


def _type(type_: FieldType, where: str) -> str:
    """The type as Python writes it."""
    if type_.kind in _SCALARS:
        return _SCALARS[type_.kind]
    if type_.kind == "enum":
        return f"Literal[{', '.join(literal(label) for label in type_.labels)}]"
    if type_.kind == "object" and not type_.schema:
        return "dict[str, Any]"
    write = _WRAPPERS.get(type_.kind)
    if write is None or type_.item is None:
        raise StateError(
            f"{where}: the type {type_.kind}{' with a schema' if type_.schema else ''} has no "
            "equal in DSPy that holds the same values. Choose another type, or export it as "
            "messages."
        )
    return write(_type(type_.item, where))


_WRAPPERS: dict[str, Callable[[str], str]] = {
    "list": lambda item: f"list[{item}]",
    "dict": lambda item: f"dict[str, {item}]",
    "optional": lambda item: f"Optional[{item}]",
}


def source(wire: Wire) -> str:
    if wire.node == INPUT:
        return f"given[{literal(wire.field)}]"
    return f"made[{literal(wire.node)}][{literal(wire.field)}]"


def literal(value: Any) -> str:
    """JSON as a Python literal, in ASCII: no text can end where it stands."""
    return ascii(value)

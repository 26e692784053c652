"""Who teaches: the student itself with demos, another LM, a compiled program, another program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from studio.engine.codec import content_hash
from studio.engine.compilers.base import CompileTask
from studio.engine.example import Candidate
from studio.engine.modules.base import Composite, Module
from studio.engine.modules.inside import own_pinned
from studio.engine.modules.subpipeline import Subpipeline
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Step

if TYPE_CHECKING:
    from studio.engine.compilers.search import Search


async def as_teacher(search: Search, candidate: Candidate) -> Candidate:
    """The student's candidate, calibrated so as to teach.

    It stays as it is where the task names a teacher: biases that were fitted on the student say
    nothing of another LM, and a teacher that brings its own candidate does not look at this one.
    """
    if search.task.teacher is not None:
        return candidate
    ((fitted, _),) = await search.calibrate([candidate])
    return fitted


@dataclass(frozen=True)
class Teaching:
    """A teacher, ready to be run on training examples."""

    program: Program
    """Set as `candidate` says."""
    candidate: Candidate
    runtime: Runtime
    key: str
    """Names the teacher in the ledger: the candidate's hash, if the student teaches itself."""
    paths: frozenset[str]
    """The predictors that both programs have, with the same fields: they get demos."""
    note: str = ""
    """What cannot be taught, in a sentence."""

    @classmethod
    def of(cls, task: CompileTask, candidate: Candidate) -> Self:
        """The teacher that the task names; without one, the student set as `candidate` says."""
        student, named = task.program, task.teacher
        if named is None:
            program = student.apply(candidate)
            paths = frozenset(student.predictors)
            return cls(program, candidate, task.runtime, candidate.hash, paths)
        before = named.program or student
        if named.candidate is not None:
            candidate = named.candidate
        elif named.program is not None:
            candidate = before.candidate()
        program = before.apply(candidate)
        theirs = {_student_path(path): found for path, found in program.predictors.items()}
        paths = frozenset(
            path
            for path, signature in student.predictors.items()
            if path in theirs and _shape(theirs[path]) == _shape(signature)
        )
        return cls(
            program,
            candidate,
            named.runtime,
            _key(candidate, before, named.runtime, task),
            paths,
            _note(sorted(set(student.predictors) - paths), bool(paths)),
        )

    def steps(self, steps: Iterable[Step]) -> list[Step]:
        """The steps that become demos, under the student's paths."""
        found = [replace(step, path=_student_path(step.path)) for step in steps]
        return [step for step in found if step.path in self.paths]


def _student_path(path: str) -> str:
    """The predictor's path without the number of an ensemble's member."""
    return path.rpartition("/")[2]


def _shape(signature: Signature) -> list[tuple[str, str, str]]:
    """What demos of a predictor depend on."""
    return sorted((field.name, field.role, str(field.type)) for field in signature.fields)


def _note(untaught: list[str], some: bool) -> str:
    if not untaught:
        return ""
    listed = ", ".join(f"“{path}”" for path in untaught)
    if some:
        return (
            f"The teacher's program has no step {listed} with the same fields: what it did became "
            "demos of the other steps alone."
        )
    return (
        f"The teacher's program has no step {listed} with the same fields, so nothing was "
        "bootstrapped. Choose a teacher whose steps have the names and the fields of this program."
    )


def _key(candidate: Candidate, program: Program, runtime: Runtime, task: CompileTask) -> str:
    """The candidate's hash as it is, where the student would do the same; else one of all three.

    A hash is of the states alone: the same states say other things to another LM, and in another
    program.
    """
    theirs, ours = _lms(runtime), _lms(task.runtime)
    same = program is task.program or _outline(program) == _outline(task.program)
    if same and theirs == ours:
        return candidate.hash
    return content_hash([candidate.hash, theirs, [] if same else _outline(program)])


def _lms(runtime: Runtime) -> list[Any]:
    """Which LMs answer where, and how they are asked."""
    lms = {"": runtime.lm, **runtime.lms}
    asked = [runtime.format, runtime.temperature, runtime.max_tokens, runtime.rollout]
    asked += [runtime.own_formats] if runtime.own_formats else []
    return [[[path, lm.name, lm.endpoint] for path, lm in sorted(lms.items())], *asked]


def _outline(program: Program) -> list[Any]:
    """What a program does, apart from how its predictors are set, as JSON."""
    nodes = [
        [
            node.name,
            _module_outline(node.module),
            {name: [wire.node, wire.field] for name, wire in node.wires.items()},
        ]
        for layer in program.layers
        for node in layer
    ]
    signatures = {path: found.to_dict() for path, found in program.predictors.items()}
    return [nodes, signatures, {name: [w.node, w.field] for name, w in program.wires.items()}]


def _module_outline(module: Module) -> list[Any]:
    inside: Any = []
    if isinstance(module, Subpipeline):
        inside = _outline(module.program)
    elif isinstance(module, Composite):
        inside = {name: _module_outline(member) for name, member in module.members.items()}
    elif pinned := own_pinned(module):
        inside = [dict(demo.values) for demo in pinned]
    return [type(module).__name__, _plain(getattr(module, "params", None)), inside]


def _plain(params: Any) -> Mapping[str, Any]:
    """The parameters that are numbers and texts."""
    if not is_dataclass(params):
        return {}
    values = {field.name: getattr(params, field.name) for field in fields(params)}
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, (str, int, float, bool)) or value is None
    }

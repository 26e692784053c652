"""A compiled program as plain messages, for any client; and as rows that models are trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from studio.engine.errors import EngineError, StateError
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.fields import STR
from studio.engine.formats import FORMATS, Format
from studio.engine.lm.wire import message_json
from studio.engine.messages import Request
from studio.engine.modules.inside import pinned_demos
from studio.engine.nearest_demos import shown_state
from studio.engine.program import Program
from studio.engine.saving.reading import to_text
from studio.engine.signature import MISSING, Signature
from studio.engine.trace import Step

MESSAGES = "compile-studio/messages"
VERSION = 1


def export_messages(
    program: Program,
    candidate: Candidate | None = None,
    *,
    format: str = "chat",
    inputs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What each predictor says to an LM, with `{{name}}` in the place of each input.

    For every predictor path: `messages` as OpenAI's protocol has them (or `prompt`, in a format
    for base models), the names of `inputs` and `outputs`, for each input the `placeholders` to
    replace, and what the format wants of the answer (`stop`, `schema`). How the predictors are
    wired is not in it. A predictor that shows every question other demos has those that are
    nearest to `inputs` (values of its inputs, by name).

    Raises `StateError` for an unknown format, and for such a predictor without its inputs.
    """
    found, pinned = _format(format), pinned_demos(program)
    predictors = {
        path: _predictor(
            found,
            signature,
            _shown(path, signature, state, inputs or {}, pinned.get(_own_path(path), ())),
        )
        for path, signature, state in _all(program, candidate)
    }
    return {
        "format": MESSAGES,
        "version": VERSION,
        "layout": found.name,
        "predictors": predictors,
    }


def finetuning_rows(
    program: Program,
    candidate: Candidate | None = None,
    *,
    steps: Iterable[Step] | None = None,
    format: str = "chat",
) -> Iterator[dict[str, Any]]:
    """Questions and the answers to learn: of the demos, or of the `steps` of traces.

    Each is `{"messages": […]}`, in a format for base models `{"prompt": …, "completion": …}`: the
    instruction without demos, the inputs, the answer in the format's layout. Demos and steps that
    lack an input or an output, steps that were discarded, and equal rows are left out.
    """
    found, pinned = _format(format), pinned_demos(program)
    ready = {path: (signature, state) for path, signature, state in _all(program, candidate)}
    renderers = {
        path: found.renderer(signature, replace(state, demos=()))
        for path, (signature, state) in ready.items()
    }
    seen: set[str] = set()
    for path, values in _cases(ready, steps, pinned):
        signature = ready[path][0]
        if any(field.name not in values for field in signature.fields):
            continue
        inputs = {field.name: values[field.name] for field in signature.inputs}
        request = renderers[path].ask(inputs, {})
        answer = renderers[path].answer(values)
        row: dict[str, Any] = {"prompt": request.prompt, "completion": answer}
        if request.messages:
            turns = [message_json(message) for message in request.messages]
            row = {"messages": [*turns, {"role": "assistant", "content": answer}]}
        text = to_text(row)
        if text not in seen:
            seen.add(text)
            yield row


def export_jsonl(
    program: Program,
    candidate: Candidate | None = None,
    *,
    steps: Iterable[Step] | None = None,
    format: str = "chat",
) -> str:
    """`finetuning_rows` as JSON Lines, in UTF-8 for the files of trainers; may be empty."""
    rows = finetuning_rows(program, candidate, steps=steps, format=format)
    return "".join(f"{to_text(row)}\n" for row in rows)


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise StateError(f"There is no format “{name}”. Known: {', '.join(FORMATS)}.")
    return FORMATS[name]


def _all(
    program: Program, candidate: Candidate | None
) -> list[tuple[str, Signature, PredictorState]]:
    states = (program.candidate() if candidate is None else candidate).states
    signatures = program.predictors_of(states)
    if set(states) != set(signatures):
        raise StateError("The candidate does not belong to this program.")
    return [(path, signature, states[path]) for path, signature in signatures.items()]


def _cases(
    ready: Mapping[str, tuple[Signature, PredictorState]],
    steps: Iterable[Step] | None,
    pinned: Mapping[str, Sequence[Demo]],
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if steps is None:
        for path, (_, state) in ready.items():
            demos = (*pinned.get(_own_path(path), ()), *state.demos)
            yield from ((path, demo.values) for demo in demos)
        return
    for step in steps:
        if step.path in ready and not step.discarded:
            yield step.path, {**step.inputs, **step.outputs}


def _own_path(path: str) -> str:
    """The path in the program, of whichever member of an ensemble."""
    return path.rpartition("/")[2]


def _shown(
    path: str,
    signature: Signature,
    state: PredictorState,
    inputs: Mapping[str, Any],
    pinned: Sequence[Demo],
) -> PredictorState:
    """The state with the demos that a question about `inputs` is shown."""
    if state.chooses and not any(field.name in inputs for field in signature.inputs):
        names = ", ".join(field.name for field in signature.inputs)
        raise StateError(
            f"The step “{path}” shows every question the {state.nearest} of its "
            f"{len(state.demos):,} demos that are most like it, which plain messages cannot "
            f"choose. Export the program, or give the inputs of one question ({names})."
        )
    return shown_state(signature, state, inputs, pinned)


def _predictor(format_: Format, signature: Signature, state: PredictorState) -> dict[str, Any]:
    real = format_.renderer(signature, state).ask({}, {})
    marks = _placeholders(signature, to_text(request_json(real)))
    texts = format_.renderer(_as_texts(signature), replace(state, demos=()))
    return {
        "inputs": [field.name for field in signature.inputs],
        "outputs": [field.to_dict() for field in signature.outputs],
        "placeholders": marks,
        **request_json(_filled(real, texts.ask({}, {}), texts.ask(marks, {}))),
    }


def request_json(request: Request) -> dict[str, Any]:
    """What is asked, in the words of OpenAI's protocol."""
    data: dict[str, Any] = {"prompt": request.prompt}
    if request.messages:
        data = {"messages": [message_json(message) for message in request.messages]}
    if request.stop:
        data["stop"] = list(request.stop)
    if request.schema is not None:
        data["schema"] = dict(request.schema)
    return data


def _placeholders(signature: Signature, head: str) -> dict[str, str]:
    """A mark for each input that stands nowhere else in the prompt."""
    marks = {}
    for field in signature.inputs:
        mark = field.name
        while "{{" + mark + "}}" in head:
            mark += "_"
        marks[field.name] = "{{" + mark + "}}"
    return marks


def _as_texts(signature: Signature) -> Signature:
    """The signature with inputs of plain text, so that a mark is written as it is."""
    fields = tuple(
        replace(field, type=STR, default=MISSING) if field.role == "input" else field
        for field in signature.fields
    )
    return replace(signature, fields=fields)


def _filled(real: Request, empty: Request, marked: Request) -> Request:
    """`real`, whose inputs are missing, with the inputs of `marked` in their place.

    `empty` and `marked` are the same question without and with inputs: where they begin to
    differ, `real` ends as `empty` does.
    """
    if not real.messages:
        return replace(real, prompt=_swap(real.prompt, empty.prompt, marked.prompt))
    last = real.messages[-1]
    text = _swap(last.content, empty.messages[-1].content, marked.messages[-1].content)
    return replace(real, messages=(*real.messages[:-1], replace(last, content=text)))


def _swap(real: str, empty: str, marked: str) -> str:
    pairs = enumerate(zip(empty, marked, strict=False))
    common = next((place for place, (a, b) in pairs if a != b), min(len(empty), len(marked)))
    ending = empty[common:]
    if not real.endswith(ending):
        raise EngineError("This format writes missing inputs so that no place is left for them.")
    return real.removesuffix(ending) + marked[common:]

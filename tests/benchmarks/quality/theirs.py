"""DSPy's compilers, as DSPy comes and with our layout.

DSPy has no cap on calls, so each compile is sized to use most of the budget and not more. Its own
answers are kept for the time of a compile, as its cache would: a repeated question costs nothing.
"""

from __future__ import annotations

import contextlib
import io
import logging
import threading
import time
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import dspy

from studio.engine.messages import Request
from tests.benchmarks.quality.bridge import LONGEST_PROPOSAL_PROMPT, Bridge
from tests.benchmarks.quality.outcome import Outcome
from tests.benchmarks.quality.tasks import Task, right

THREADS = 2
"""As many as the server reads at the same time."""

_ALL_MAY_FAIL = 1_000_000
_PROPOSAL_TOKENS = 100
_ANSWER_TOKENS = 32
_DEMOS = 16
"""Labelled demos of random search, as DSPy comes."""
_INSTRUCTIONS = 4
_TRIALS = 10


@dataclass
class Meter:
    """How often the LM was really asked, and what it said."""

    calls: int = 0
    answers: dict[Hashable, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, key: Hashable, call: Callable[[], Any]) -> Any:
        """What was answered to the same question before, or what `call` answers."""
        with self.lock:
            if key in self.answers:
                return self.answers[key]
            self.calls += 1
        answer = call()
        with self.lock:
            self.answers[key] = answer
        return answer


class PlainLM(dspy.BaseLM):  # type: ignore[misc]
    """The embedded model for chat formats: the messages one after the other as plain text.

    The server's chat endpoint with its general template gave no better answers in a trial and
    takes half as many tokens again; with DSPy's own joining of messages for text models the
    format's markers were often lost. `stop` only saves the time of what would be cut off anyway.
    """

    longest = 0
    """Characters of a prompt that are sent; 0: all."""

    def __init__(self, bridge: Bridge, meter: Meter, stop: Sequence[str], **options: Any) -> None:
        super().__init__(model="embedded", **options)
        self.bridge, self.meter, self.stop = bridge, meter, tuple(stop)

    def forward(self, prompt: Any = None, messages: Any = None, **options: Any) -> Any:
        """One completion, as OpenAI's client gives it."""
        options = {**self.kwargs, **options}
        text = "\n\n".join(message["content"].strip() for message in messages) + "\n\n"
        head, text = self.head(text), text[-self.longest :]
        request = Request(
            prompt=text + head,
            stop=self.stop,
            temperature=options.get("temperature") or 0.0,
            max_tokens=options["max_tokens"],
            rollout=options.get("rollout_id") or 0,
        )
        answer = self.meter.ask(request, lambda: self.bridge.complete(request))
        return _response(head + answer)

    def head(self, prompt: str) -> str:
        """What the answer is made to begin with."""
        return ""


class ProposingLM(PlainLM):
    """The same as proposer: its answer is begun for it with the marker of the field asked for.

    Without that MIPROv2 ends in an error: the model seldom writes the marker by itself, and DSPy
    does not go on without an instruction.
    """

    longest = LONGEST_PROPOSAL_PROMPT

    def head(self, prompt: str) -> str:
        """The first output's marker."""
        _, found, rest = prompt.rpartition("starting with the field `[[ ## ")
        name, closed, _ = rest.partition(" ## ]]`")
        return f"[[ ## {name} ## ]]\n" if found and closed else ""


class Layout(dspy.Adapter):  # type: ignore[misc]
    """Our completion layout, and labels chosen by their scores, which are not calibrated."""

    def __init__(self, bridge: Bridge, meter: Meter) -> None:
        super().__init__()
        self.bridge, self.meter = bridge, meter

    def __call__(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: Any,
        demos: list[Any],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """The outputs for one set of inputs."""
        options = {**lm.kwargs, **lm_kwargs}
        temperature, rollout = options.get("temperature") or 0.0, options.get("rollout_id") or 0
        fields = [
            (name, info.json_schema_extra["__dspy_field_type"], _labels(info.annotation))
            for name, info in signature.fields.items()
        ]
        shown = [
            {name: demo[name] for name, _, _ in fields if demo.get(name) is not None}
            for demo in demos
        ]
        asked = self.bridge.question(signature.instructions, fields, shown, inputs)
        answer = self.meter.ask(
            (asked.prompt, temperature, rollout),
            lambda: asked.answer(temperature, options["max_tokens"], rollout),
        )
        return [answer]


class Silent(dspy.BaseLM):  # type: ignore[misc]
    """Holds the settings; `Layout` asks the LM itself."""

    def __init__(self, max_tokens: int) -> None:
        super().__init__(model="embedded", temperature=0.0, max_tokens=max_tokens)


class Classify(dspy.Module):  # type: ignore[misc]
    """Chooses the label for a text."""

    def __init__(self, signature: Any) -> None:
        super().__init__()
        self.classify = dspy.Predict(signature)

    def forward(self, **inputs: Any) -> Any:
        """The label."""
        return self.classify(**inputs)


@dataclass(frozen=True)
class Side:
    """One of DSPy's compilers in one format."""

    compiler: str
    same_format: bool

    def measure(self, task: Task, seed: int, bridge: Bridge, calls: int) -> Outcome:
        """Compile with about as many calls, and answer the test examples."""
        logging.getLogger("dspy").setLevel(logging.CRITICAL)
        meter = Meter()
        settings: dict[str, Any] = {"disable_history": True, "max_errors": _ALL_MAY_FAIL}
        if self.same_format:
            settings |= {"lm": Silent(_ANSWER_TOKENS), "adapter": Layout(bridge, meter)}
            proposer: Any = Silent(_PROPOSAL_TOKENS)
        else:
            stop = ("[[ ## completed ## ]]", f"[[ ## {task.text} ## ]]")
            settings["lm"] = PlainLM(
                bridge, meter, stop, temperature=0.0, max_tokens=_ANSWER_TOKENS
            )
            proposer = ProposingLM(
                bridge, meter, stop[:1], temperature=1.0, max_tokens=_PROPOSAL_TOKENS
            )
        started = time.monotonic()
        quiet = io.StringIO()
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(quiet),
            contextlib.redirect_stderr(quiet),
            dspy.context(**settings),
        ):
            warnings.simplefilter("ignore")
            compiled, note = self._compile(task, seed, calls, proposer)
            seconds, used = time.monotonic() - started, meter.calls
            judged = dspy.Evaluate(
                devset=[_example(task, example.values) for example in task.test],
                metric=_metric(task),
                num_threads=THREADS,
                max_errors=_ALL_MAY_FAIL,
            )(compiled)
        answers = [getattr(prediction, task.label, None) for _, prediction, _ in judged.results]
        return Outcome(
            right=right(task, answers),
            calls=used,
            seconds=seconds,
            answered=sum(answer is not None for answer in answers),
            note=note,
        )

    def _compile(self, task: Task, seed: int, calls: int, proposer: Any) -> tuple[Any, str]:
        program = Classify(_signature(task))
        train = [_example(task, example.values) for example in task.train]
        dev = [_example(task, example.values) for example in task.dev]
        unread = 1 if self.same_format else 2  # a second call where an answer cannot be read
        tries = 8 if self.same_format else 20  # until four traces have passed
        if self.compiler == "random-search":
            fixed = len(dev) * (unread + 1)
            sets = max(0, (calls - fixed) // (len(dev) + tries) - 1)
            made = dspy.BootstrapFewShotWithRandomSearch(
                metric=_metric(task),
                max_labeled_demos=_DEMOS,
                num_candidate_programs=sets,
                num_threads=THREADS,
                max_errors=_ALL_MAY_FAIL,
            )
            compiled = made.compile(program, trainset=train, valset=dev)
            best = compiled.candidate_programs[0]
            scores = [round(one["score"], 1) for one in compiled.candidate_programs]
            note = f"{sets + 3} candidates on {len(dev)}, {_DEMOS} labelled demos, scores {scores}"
            return compiled, f"{note}, best: {best['seed']}"
        proposals = 12 + 3 * _INSTRUCTIONS
        fixed = len(dev) * (unread + 1) + proposals + (_INSTRUCTIONS - 2) * tries
        size = min(35, len(dev), max(5, int((calls - fixed) / _TRIALS / (1 + 0.2 * (unread - 1)))))
        trials = max(2, min(_TRIALS, (calls - fixed) // size))
        mipro = dspy.MIPROv2(
            metric=_metric(task),
            prompt_model=proposer,
            auto=None,
            num_candidates=_INSTRUCTIONS,
            num_threads=THREADS,
            max_errors=_ALL_MAY_FAIL,
        )
        compiled = mipro.compile(
            program,
            trainset=train,
            valset=dev,
            num_trials=trials,
            minibatch_size=size,
            minibatch_full_eval_steps=trials,
            seed=seed + 1,  # it takes 0 for none given
        )
        note = f"{_INSTRUCTIONS} instructions and demo sets, {trials} trials of {size}"
        note += f", best on dev {compiled.score:.1f}"
        return compiled, f"{note}, instruction: {compiled.classify.signature.instructions[:80]!r}"


SIDES: Mapping[str, Side] = {
    "dspy random search": Side("random-search", False),
    "dspy mipro": Side("mipro", False),
    "dspy random search, our format": Side("random-search", True),
    "dspy mipro, our format": Side("mipro", True),
}


def _signature(task: Task) -> Any:
    literal = cast(Any, Literal)[task.labels]
    return dspy.Signature(
        {task.text: (str, dspy.InputField()), task.label: (literal, dspy.OutputField())},
        task.signature.instruction,
    )


def _example(task: Task, values: Mapping[str, Any]) -> Any:
    return dspy.Example(**values).with_inputs(task.text)


def _metric(task: Task) -> Callable[..., bool]:
    def same(example: Any, prediction: Any, trace: Any = None) -> bool:
        return bool(getattr(prediction, task.label, None) == example[task.label])

    return same


def _labels(annotation: Any) -> tuple[str, ...]:
    return tuple(getattr(annotation, "__args__", ())) if annotation is not str else ()


def _response(text: str) -> Any:
    from litellm import ModelResponse

    return ModelResponse(
        choices=[{"message": {"role": "assistant", "content": text}}],
        usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        model="embedded",
    )

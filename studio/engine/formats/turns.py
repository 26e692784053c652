"""What the formats share that ask in messages: one head, the history, one question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from studio.engine.errors import ParseError
from studio.engine.example import PredictorState
from studio.engine.formats.base import NOT_SUPPLIED, open_outputs, reads_empty, sendable
from studio.engine.formats.shown import (
    holds_attachments,
    turns_of,
    value_text,
)
from studio.engine.messages import Attachment, Message, Request
from studio.engine.signature import Field, Signature

AGAIN = "Answer again in the layout above."


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in an answer, before it is typed."""

    values: Mapping[str, Any]
    """By field name."""
    ended: bool = True
    """Whether the answer says where it ends."""
    last: str = ""
    """The field that it ends in, when it does not."""


@dataclass(frozen=True)
class TurnsRenderer:
    """One signature and state as messages; a format says how sections and answers look."""

    signature: Signature
    state: PredictorState

    def system(self) -> str:
        """The system message: instruction, fields, layout."""
        raise NotImplementedError

    def section(self, name: str, text: str) -> str:
        """One value under its name; nothing in `text` may be taken for another section."""
        raise NotImplementedError

    def quoted(self, text: str) -> str:
        """A text in which nothing can be taken for the layout's own marks."""
        raise NotImplementedError

    def answer(self, values: Mapping[str, Any]) -> str:
        """What an LM should write for these outputs."""
        raise NotImplementedError

    def ending(self, wanted: tuple[Field, ...]) -> str:
        """The last line of the question."""
        raise NotImplementedError

    def find(self, text: str, wanted: tuple[Field, ...]) -> Found:
        """What stands in an answer; raises `ParseError` when it cannot be made out at all."""
        raise NotImplementedError

    def typed(self, field: Field, raw: Any) -> Any:
        """One found value, typed; raises `ParseError`."""
        return field.read(raw)

    def reads_empty(self, field: Field) -> bool:
        """Whether an empty text is a value of the field, and not the lack of one."""
        return reads_empty(field)

    def missing(self, field: Field) -> str:
        """What to say of a field that is not in the answer."""
        raise NotImplementedError

    def schema(self, wanted: tuple[Field, ...]) -> Mapping[str, Any] | None:
        """The JSON Schema of the answer, if it has one."""
        return None

    @cached_property
    def head(self) -> tuple[Message, ...]:
        """The system message and the demos: the same for every input."""
        messages = [Message("system", sendable(self.system()))]
        for demo in self.state.demos:
            shown: list[Attachment] = []
            text = self._sections(self.signature.inputs, demo.values, shown)
            messages.append(Message("user", text, tuple(shown)))
            messages.append(Message("assistant", self.answer(demo.values)))
        return tuple(messages)

    @cached_property
    def shows(self) -> tuple[Field, ...]:
        """See `Renderer.shows`."""
        return tuple(field for field in self.signature.inputs if holds_attachments(field.type))

    @cached_property
    def _history(self) -> tuple[Field, ...]:
        return tuple(field for field in self.signature.inputs if field.type.kind == "history")

    @cached_property
    def _asked(self) -> tuple[Field, ...]:
        return tuple(field for field in self.signature.inputs if field not in self._history)

    @cached_property
    def _tail(self) -> tuple[str, Mapping[str, Any] | None]:
        """Ending and schema of the question for all outputs."""
        wanted = self.signature.outputs
        return self.ending(wanted), self.schema(wanted)

    @cached_property
    def _head_text(self) -> str:
        return _as_text(self.head)

    def ask(
        self,
        inputs: Mapping[str, Any],
        given: Mapping[str, Any],
        *,
        temperature: float = 0.0,
        max_tokens: int = 256,
        rollout: int = 0,
    ) -> Request:
        """The head, the turns of a history, and one user message with the inputs."""
        shown: list[Attachment] = []
        text = self._sections(self._asked, inputs, shown)
        if given:
            wanted = open_outputs(self.signature, given)
            known = tuple(field for field in self.signature.outputs if field.name in given)
            text = "\n\n".join(
                part for part in (text, self._sections(known, given, shown)) if part
            )
            ending, schema = self.ending(wanted), self.schema(wanted)
        else:
            ending, schema = self._tail
        text = f"{text}\n\n{ending}" if text else ending
        turns: list[Message] = []
        if self._history:
            turns, text = self._turns(inputs, text)
        return Request(
            messages=(*self.head, *turns, Message("user", text, tuple(shown))),
            temperature=temperature,
            max_tokens=max_tokens,
            rollout=rollout,
            schema=schema,
        )

    def _turns(self, inputs: Mapping[str, Any], text: str) -> tuple[list[Message], str]:
        """The turns before the question; what the user said last becomes part of it."""
        turns = [
            replace(turn, content=self.quoted(turn.content))
            for field in self._history
            for turn in turns_of(inputs.get(field.name))
        ]
        if turns and turns[-1].role == "user":
            text = f"{turns.pop().content}\n\n{text}"
        return turns, text

    def _sections(
        self, fields: tuple[Field, ...], values: Mapping[str, Any], shown: list[Attachment]
    ) -> str:
        return "\n\n".join(
            [
                self.section(
                    field.name,
                    self.quoted(value_text(field, values[field.name], shown))
                    if field.name in values
                    else NOT_SUPPLIED,
                )
                for field in fields
            ]
        )

    def read(
        self, text: str, given: Mapping[str, Any], *, truncated: bool = False
    ) -> dict[str, Any]:
        """All open outputs; raises `ParseError` naming the first that is missing or wrong.

        What a reasoning model thinks aloud first, in `<think>` tags, is no part of the answer.
        """
        wanted = open_outputs(self.signature, given)
        said = sendable(text).removeprefix("\ufeff")
        if said.lstrip()[:7] == "<think>" and all(field.name != "think" for field in wanted):
            said = said.partition("</think>")[2]
        found = self.find(said, wanted)
        cut = truncated and not found.ended
        values: dict[str, Any] = {}
        for field in wanted:
            if cut and field.name == found.last:
                raise ParseError(
                    f"{field.name}: the answer ends before this field does.",
                    field=field.name,
                    text=text,
                )
            raw = found.values.get(field.name)
            if raw is not None and (raw != "" or self.reads_empty(field)):
                values[field.name] = self.typed(field, raw)
            elif field.required or cut:
                raise ParseError(self.missing(field), field=field.name, text=text)
            else:
                values[field.name] = field.absent()
        return values

    def ask_again(self, request: Request, text: str, error: str) -> Request:
        """The conversation goes on with the answer and what was wrong with it."""
        complaint = sendable(f"This answer could not be read. {error} {AGAIN}")
        answer = Message("assistant", sendable(text) or "(nothing)")
        return replace(request, messages=(*request.messages, answer, Message("user", complaint)))

    def shown(self, request: Request) -> str:
        """See `Renderer.shown`."""
        head = self.head
        if request.messages[: len(head)] != head:
            return _as_text(request.messages)
        return f"{self._head_text}\n\n{_as_text(request.messages[len(head) :])}"


@dataclass(frozen=True, slots=True)
class TurnsFormat:
    """A format that asks in messages."""

    name: str
    summary: str
    make: Callable[[Signature, PredictorState], TurnsRenderer]
    continues: bool = False

    def renderer(
        self, signature: Signature, state: PredictorState, *, scored: bool = False
    ) -> TurnsRenderer:
        """See `Format.renderer`."""
        return self.make(signature, state)

    def preview(
        self, signature: Signature, state: PredictorState, inputs: Mapping[str, Any]
    ) -> str:
        """See `Format.preview`."""
        renderer = self.renderer(signature, state)
        return renderer.shown(renderer.ask(inputs, {}))


def _as_text(messages: tuple[Message, ...]) -> str:
    return "\n\n".join([f"[{turn.role}]\n{turn.content}" for turn in messages])

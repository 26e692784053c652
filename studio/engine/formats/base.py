"""What a format is: fields to text, and text to fields again. Pure, no input or output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from studio.engine.example import PredictorState
from studio.engine.messages import Request
from studio.engine.signature import Field, Signature

NOT_SUPPLIED = "Not supplied for this example."
"""Stands where a demo has no value."""

_LONE = re.compile("[\ud800-\udfff]")


class Renderer(Protocol):
    """One signature with one state; its unchanging part is rendered once."""

    @property
    def shows(self) -> tuple[Field, ...]:
        """The inputs that may hold what only an LM reads that `sees_images`."""

    def ask(
        self,
        inputs: Mapping[str, Any],
        given: Mapping[str, Any],
        *,
        temperature: float = 0.0,
        max_tokens: int = 256,
        rollout: int = 0,
    ) -> Request:
        """The request for the outputs that are not in `given` yet.

        The unchanging part comes first, and its messages are the same objects every time. An
        input that is missing is said to be so, one that the signature does not have is left out.
        """

    def read(
        self, text: str, given: Mapping[str, Any], *, truncated: bool = False
    ) -> dict[str, Any]:
        """The values that an answer holds, typed; raises `ParseError`.

        Of a field that stands twice the first counts; the order does not matter. What is absent
        and not required takes `Field.absent()`. `truncated`: the answer was cut off, so that
        a field whose end is not there was not read. An answer may hold only the first of several
        open outputs if the format `continues`.
        """

    def ask_again(self, request: Request, text: str, error: str) -> Request:
        """The request once more, after an answer that could not be read."""

    def answer(self, values: Mapping[str, Any]) -> str:
        """What an LM should write for these outputs: `read` gives them back."""

    def shown(self, request: Request) -> str:
        """A request of this renderer as one text, for people."""


class Format(Protocol):
    """A way to write signature, demos and inputs as a prompt, and to read the answer."""

    @property
    def name(self) -> str:
        """How people choose it."""

    @property
    def summary(self) -> str:
        """What it is, in a sentence."""

    @property
    def continues(self) -> bool:
        """Whether outputs that an answer lacks are asked for one by one, and labels scored."""

    def renderer(
        self, signature: Signature, state: PredictorState, *, scored: bool = False
    ) -> Renderer:
        """Render the unchanging part; `scored`: enum outputs are scored, not written."""

    def preview(
        self, signature: Signature, state: PredictorState, inputs: Mapping[str, Any]
    ) -> str:
        """The exact prompt as one text, for people."""


def open_outputs(signature: Signature, given: Mapping[str, Any]) -> tuple[Field, ...]:
    """The outputs that are still to be asked for, in order."""
    if not given:
        return signature.outputs
    return tuple(field for field in signature.outputs if field.name not in given)


def sendable(text: str) -> str:
    """`text` with each lone surrogate as “�”: no server and no database takes one."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _LONE.sub("\ufffd", text)
    return text


def reads_empty(field: Field) -> bool:
    """Whether an empty text is a value of the field, and not the lack of one."""
    return field.required or field.type.kind in ("str", "code")

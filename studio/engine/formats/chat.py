"""Messages for a model that follows instructions; fields stand under `[[ ## name ## ]]` lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.formats import sections
from studio.engine.formats.notes import describe
from studio.engine.formats.sections import COMPLETED, header
from studio.engine.formats.turns import Found, TurnsFormat, TurnsRenderer
from studio.engine.signature import Field


class ChatRenderer(TurnsRenderer):
    """Sections in, sections out."""

    def system(self) -> str:
        """See `TurnsRenderer.system`."""
        signature = self.signature
        layout = "\n\n".join(
            sections.section(field.name, f"{{{field.name}}}") for field in signature.outputs
        )
        return (
            f"{self.state.instruction.strip() or signature.task}\n\n"
            f"You are given:\n{describe(signature.inputs)}\n\n"
            f"You produce:\n{describe(signature.outputs)}\n\n"
            "Write your answer in exactly this layout, and nothing around it:\n\n"
            f"{layout}\n\n{header(COMPLETED)}"
        )

    def section(self, name: str, text: str) -> str:
        """See `TurnsRenderer.section`."""
        return sections.section(name, text)

    def quoted(self, text: str) -> str:
        """See `TurnsRenderer.quoted`."""
        return sections.quoted(text)

    def answer(self, values: Mapping[str, Any]) -> str:
        """See `TurnsRenderer.answer`."""
        return f"{self._sections(self.signature.outputs, values, [])}\n\n{header(COMPLETED)}"

    def ending(self, wanted: tuple[Field, ...]) -> str:
        """See `TurnsRenderer.ending`."""
        names = ", then ".join(f"`{header(field.name)}`" for field in wanted)
        return f"Answer with {names}, and end with `{header(COMPLETED)}`."

    def find(self, text: str, wanted: tuple[Field, ...]) -> Found:
        """See `TurnsRenderer.find`."""
        found, last = sections.split(text)
        values = {
            field.name: sections.trimmed(found[field.name], code=field.type.bare.kind == "code")
            for field in wanted
            if field.name in found
        }
        return Found(values, ended=last == COMPLETED, last=last)

    def missing(self, field: Field) -> str:
        """See `TurnsRenderer.missing`."""
        return (
            f"The field `{field.name}` is missing: expected a line `{header(field.name)}` "
            "and its value below."
        )


CHAT = TurnsFormat(
    "chat",
    "Messages with a header line for every field, for models that follow instructions.",
    ChatRenderer,
)

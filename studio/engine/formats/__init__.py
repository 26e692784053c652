"""The formats by name."""

from __future__ import annotations

from studio.engine.extensions import Table, has_attributes
from studio.engine.formats.base import Format, Renderer

FORMATS: Table[Format] = Table(
    "studio.formats",
    {
        "chat": ".chat:CHAT",
        "json": ".json:JSON",
        "xml": ".xml:XML",
        "completion": ".completion:COMPLETION",
    },
    has_attributes(name=str, summary=str, continues=bool, renderer=callable, preview=callable),
    package=__name__,
)

__all__ = ["FORMATS", "Format", "Renderer"]

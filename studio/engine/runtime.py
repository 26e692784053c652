"""Everything that a program needs to run, handed to it: nothing is global."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from studio.engine.formats import FORMATS, Format
from studio.engine.lm.base import LM
from studio.engine.retrieval.base import Embedder, Retriever
from studio.engine.sandbox.base import Sandbox
from studio.engine.tools.base import Tool


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Which LM answers, and how it is asked."""

    lm: LM
    """Answers wherever `lms` names no other."""
    lms: Mapping[str, LM] = field(default_factory=dict)
    """An LM for a predictor's path, or for all predictors below a path."""
    format: str = ""
    """A name in `FORMATS`; empty: the one that suits the LM."""
    own_formats: bool = False
    """Whether the LMs of `lms` are asked in the format that suits them, whatever `format` is."""
    temperature: float = 0.0
    max_tokens: int = 256
    rollout: int = 0
    """Another number asks for other answers to the same questions."""
    tools: Mapping[str, Tool] = field(default_factory=dict)
    """What modules may offer to an LM, by name."""
    retrievers: Mapping[str, Retriever] = field(default_factory=dict)
    """The collections that modules may search, by name."""
    embedder: Embedder | None = None
    sandbox: Sandbox | None = None
    listener: Callable[[str, str], None] | None = None
    """Hears every piece of text that an LM writes, with the predictor's path, as it is written."""

    def lm_for(self, path: str) -> LM:
        """The LM of the predictor at `path`, whichever member of an ensemble it stands in."""
        path = path.rpartition("/")[2]
        while path:
            if path in self.lms:
                return self.lms[path]
            path = path.rpartition(".")[0]
        return self.lm

    def format_for(self, lm: LM) -> Format:
        """The format in which `lm` is asked."""
        return FORMATS[self.format_name(lm)]

    def format_name(self, lm: LM) -> str:
        """The name of the format in which `lm` is asked."""
        if self.own_formats and lm is not self.lm:
            return lm.default_format
        return self.format or lm.default_format

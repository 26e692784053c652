"""The canvas document, its problems, and the program that it describes."""

from __future__ import annotations

from studio.engine.graph.build import build
from studio.engine.graph.check import check
from studio.engine.graph.spec import NODE_KINDS, VERSION, Problem, empty_spec, spec_hash

__all__ = ["NODE_KINDS", "VERSION", "Problem", "build", "check", "empty_spec", "spec_hash"]

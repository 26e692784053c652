"""The one road by which anybody's code is run."""

from studio.engine.sandbox.base import (
    DEFAULT_LIMITS,
    CodeProblem,
    HostFunction,
    Limits,
    Outcome,
    Sandbox,
)
from studio.engine.sandbox.calling import call, call_many
from studio.engine.sandbox.monty import MontySandbox

__all__ = [
    "DEFAULT_LIMITS",
    "CodeProblem",
    "HostFunction",
    "Limits",
    "MontySandbox",
    "Outcome",
    "Sandbox",
    "call",
    "call_many",
]

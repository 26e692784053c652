"""The work that both sides do: one signature, one answer, one set of demos."""

from __future__ import annotations

from typing import Any

SIGNATURE = "question -> answer"
INSTRUCTION = "Answer the question in a few words."
ANSWER = (
    "[[ ## reasoning ## ]]\nThe question asks for a capital, and I know it.\n\n"
    "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]"
)
"""Both read it: the header lines are the same in our chat format and in theirs."""
IN_FLIGHT = 64
MANY_IN_FLIGHT = 256
"""With 64, the latency lets at most 1,280 calls a second through, however fast one is."""
LATENCY_S = 0.05
DEMOS = 16
EXAMPLES = 4_000
AGENT_RUNS = 60


def question(number: int) -> str:
    """Another question for each number."""
    return f"What is the capital of country number {number}, and how do you know?"


def demos() -> list[dict[str, Any]]:
    """Complete demos of the chain of thought, of an ordinary length."""
    return [
        {
            "question": question(-number),
            "reasoning": f"Country number {number} is known to everybody, and so is its capital. "
            "It lies on a river, has a cathedral, and is written about in many books.",
            "answer": f"Capital {number}",
        }
        for number in range(1, DEMOS + 1)
    ]

"""A model that calls tools until it can answer."""

from __future__ import annotations

from studio.pipelines.starts.drawing import Start, Step, drawing

AGENT = Start(
    title="Agent with tools",
    summary=(
        "The model calls tools on its way to the answer: at first a calculator that runs Python, "
        "and the search of the project’s documents if there are any."
    ),
    spec=drawing(
        "question",
        [
            Step(
                name="agent",
                kind="react",
                signature="question -> answer",
                instruction=(
                    "Answer the question. Look up and compute with the tools whatever you do not "
                    "know for sure, and base the answer on what they said."
                ),
                params={"tools": ["python"], "max_steps": 6},
            )
        ],
        "answer",
    ),
)

"""Two steps, the second of which reads what the first one wrote."""

from __future__ import annotations

from studio.pipelines.starts.classify import CATEGORIES
from studio.pipelines.starts.drawing import Start, Step, drawing

TWO_STEPS = Start(
    title="Two steps",
    summary="First sum up, then decide: the second step reads what the first one wrote.",
    spec=drawing(
        "message",
        [
            Step(
                name="summarise",
                signature="message -> summary",
                instruction="Say in one short sentence what the writer wants.",
            ),
            Step(
                name="classify",
                signature=f"message, summary -> category: {CATEGORIES}",
                instruction="Sort the message into one category.",
            ),
        ],
        "summary, category",
    ),
)

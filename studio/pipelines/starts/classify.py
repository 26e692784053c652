"""Sorting a text into one of a few categories."""

from __future__ import annotations

from studio.pipelines.starts.drawing import Start, Step, drawing

CATEGORIES = "enum[billing, shipping, account, other]"

CLASSIFY = Start(
    title="Classify",
    summary="One step: a message comes in, a category comes out. Change the fields to yours.",
    spec=drawing(
        "message",
        [
            Step(
                name="classify",
                signature=f"message -> category: {CATEGORIES}",
                instruction="Sort the message into one category.",
            )
        ],
        "category",
    ),
)

"""Reading an object with fields out of a text."""

from __future__ import annotations

from studio.pipelines.starts.drawing import Start, Step, drawing

_ORDER = "object[order_number: str, product: str, quantity: int, wishes: list[str]]"

EXTRACT = Start(
    title="Extract",
    summary="A text comes in, an object with named and typed properties comes out.",
    spec=drawing(
        "text",
        [
            Step(
                name="extract",
                signature=f"text -> order: {_ORDER}",
                instruction=(
                    "Read the order out of the text. Take numbers and names over as they are "
                    "written there; invent nothing. What the text does not say is an empty text, "
                    "0 or an empty list."
                ),
                descriptions={
                    "order": "What was ordered; wishes are what the customer asks for besides."
                },
            )
        ],
        "order",
    ),
)

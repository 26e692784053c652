"""A draft, what is wrong with it, and a better one."""

from __future__ import annotations

from studio.pipelines.starts.drawing import Start, Step, drawing

REFINE = Start(
    title="Critique and refine",
    summary="A draft is written, criticised, and written anew with the critique in view.",
    spec=drawing(
        "task",
        [
            Step(
                name="write",
                signature="task -> draft",
                instruction="Do the task. Write for the reader that it names.",
            ),
            Step(
                name="criticise",
                signature="task, draft -> critique: list[str]",
                instruction=(
                    "Judge the draft against the task as a strict editor. Name what is wrong, "
                    "missing or unclear, at most five points, each with the way to mend it. When "
                    "nothing is, the list is empty."
                ),
            ),
            Step(
                name="rewrite",
                signature="task, draft, critique: list[str] -> text",
                instruction=(
                    "Write the draft anew so that every point of the critique is met. Keep what "
                    "nobody criticised. Answer the text alone, without remarks."
                ),
            ),
        ],
        "text",
    ),
)

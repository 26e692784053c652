"""Two searches, the second of which asks for what the first one left open."""

from __future__ import annotations

from studio.pipelines.starts.drawing import Start, Step, drawing

MULTI_HOP = Start(
    title="Multi-hop search",
    summary=(
        "For questions that no single passage answers: search, see what is still missing, search "
        "again, then answer."
    ),
    spec=drawing(
        "question",
        [
            Step(
                name="first_query",
                signature="question -> query",
                instruction=(
                    "Write a short search query for what has to be known first in order to "
                    "answer the question."
                ),
            ),
            Step(
                name="first_search",
                kind="retrieve",
                signature="query -> passages: list[str]",
                params={"k": 3},
            ),
            Step(
                name="second_query",
                signature="question, passages: list[str] -> query",
                instruction=(
                    "The passages were found so far. Write a short search query for what is "
                    "still missing to answer the question; use the names that the passages tell."
                ),
            ),
            Step(
                name="second_search",
                kind="retrieve",
                signature="query -> passages: list[str]",
                params={"k": 3},
                wires={"query": "second_query.query"},
            ),
            Step(
                name="answer",
                kind="chain_of_thought",
                signature=(
                    "question, first_passages: list[str], second_passages: list[str] -> answer"
                ),
                instruction=(
                    "Answer the question from the passages, as briefly as possible. When they do "
                    "not say it, answer “I do not know”."
                ),
                wires={
                    "first_passages": "first_search.passages",
                    "second_passages": "second_search.passages",
                },
            ),
        ],
        "answer",
    ),
)

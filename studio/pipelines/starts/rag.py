"""Answering a question from the passages of a collection."""

from __future__ import annotations

from studio.pipelines.starts.drawing import Start, Step, drawing

RAG = Start(
    title="Answer from documents",
    summary=(
        "RAG question answering: passages are searched for the question, and the answer quotes "
        "the sentences that it rests on."
    ),
    spec=drawing(
        "question",
        [
            Step(
                name="search",
                kind="retrieve",
                signature="query -> passages: list[str]",
                params={"k": 5},
                wires={"query": "question"},
            ),
            Step(
                name="answer",
                kind="chain_of_thought",
                signature="question, passages: list[str] -> answer, citations: list[str]",
                instruction=(
                    "Answer the question from the passages alone, in one to three sentences. "
                    "When they do not say it, answer “I do not know” and cite nothing."
                ),
                descriptions={
                    "citations": "The sentences of the passages that prove it, word for word."
                },
            ),
        ],
        "answer, citations",
    ),
)

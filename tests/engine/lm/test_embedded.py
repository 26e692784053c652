"""The embedded model, for real: its server starts, answers, scores whole labels, and ends."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.engine.errors import LMInvalidRequest
from studio.engine.lm.base import LM
from studio.engine.lm.embedded import EmbeddedLM
from studio.engine.lm.embedded_embedder import EmbeddedEmbedder
from studio.engine.lm.embedded_server import running_server
from studio.engine.messages import Completion, LabelScores, Request

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(300)]

SHOWN = (
    "Message: I was charged twice for my order.\nCategory: billing\n\n"
    "Message: My parcel is late.\nCategory: shipping\n\n"
    "Message: The screen stays black.\nCategory: technical\n\n"
)
PROMPT = f"{SHOWN}Message: I forgot my password.\nCategory:"
LABELS = (" billing", " shipping", " technical", " account")
LONG_LABELS = (" card", " card arrival", " card not working", " cash withdrawal", " change pin")

# The server's arithmetic depends on what else is in its batch: the same prompt scores a few tenths
# apart when it is read from the start, from the cache, or beside others.
NOISE = 0.75


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("xllamacpp")
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def endpoint(model_dir: Path) -> Iterator[str]:
    with asyncio.Runner() as runner:
        server = running_server(model_dir)
        yield runner.run(server.__aenter__())
        runner.run(server.__aexit__(None, None, None))


def score(endpoint: str, *prompts: str, labels: tuple[str, ...] = LABELS) -> list[LabelScores]:
    """The scores of all prompts, asked at the same time."""

    async def run() -> list[LabelScores]:
        lm = EmbeddedLM(endpoint)
        return await asyncio.gather(*(lm.score_labels(prompt, labels) for prompt in prompts))

    return asyncio.run(run())


def best(scored: LabelScores) -> str:
    return max(scored.scores, key=lambda label: scored.scores[label])


def everything(endpoint: str, prompt: list[str | int]) -> dict[int, float]:
    """The log-probability of every token of the vocabulary."""

    async def run() -> dict[int, float]:
        # The answer is larger than what a completion may be.
        lm = EmbeddedLM(endpoint)
        lm.server.max_answer_bytes = 2**27
        data = await lm.post(
            "completion",
            {"prompt": prompt, "n_predict": 1, "n_probs": 262_144, "temperature": 0.0},
        )
        listed = data["completion_probabilities"][0]["top_logprobs"]
        return {entry["id"]: entry["logprob"] for entry in listed}

    return asyncio.run(run())


def test_it_is_an_lm(endpoint: str) -> None:
    lm = EmbeddedLM(endpoint)
    assert isinstance(lm, LM)
    assert (lm.default_format, lm.scores_labels) == ("completion", True)
    # A restart changes the port; what was cached must stay valid.
    assert lm.endpoint == EmbeddedLM("http://127.0.0.1:1").endpoint


def test_it_continues_text(endpoint: str) -> None:
    request = Request(prompt=PROMPT, max_tokens=8, stop=("\n",))
    completion = asyncio.run(EmbeddedLM(endpoint).complete(request))
    assert completion.text.strip()
    assert "\n" not in completion.text
    assert completion.usage.calls == 1
    assert completion.usage.prompt_tokens > 30


def test_scores_are_those_of_the_whole_vocabulary_among_the_labels(endpoint: str) -> None:
    score(endpoint, PROMPT)
    scored = score(endpoint, PROMPT)[0]
    tokens = asyncio.run(EmbeddedLM(endpoint)._tree(LABELS)).labels
    all_tokens = everything(endpoint, [PROMPT])
    free = {label: all_tokens[tokens[label][0]] for label in LABELS}
    total = math.log(sum(map(math.exp, free.values())))
    assert sum(map(math.exp, scored.scores.values())) == pytest.approx(1, abs=1e-4)
    for label in LABELS:
        assert scored.scores[label] == pytest.approx(free[label] - total, abs=NOISE)
    assert best(scored) == max(LABELS, key=lambda label: free[label])


def test_labels_of_several_tokens_and_labels_that_begin_others(endpoint: str) -> None:
    score(endpoint, PROMPT, labels=LONG_LABELS)
    scored = score(endpoint, PROMPT, labels=LONG_LABELS)[0].scores
    assert list(scored) == list(LONG_LABELS)
    assert sum(map(math.exp, scored.values())) == pytest.approx(1, abs=1e-4)

    tree = asyncio.run(EmbeddedLM(endpoint)._tree(LONG_LABELS))
    card = tree.labels[" card"]
    assert len(card) == 1
    assert tree.labels[" card arrival"][:1] == card
    assert tree.partings() == ((), card)
    assert len(tree.ends) == 2

    def among(chances: dict[int, float], token: int, others: set[int]) -> float:
        return chances[token] - math.log(sum(math.exp(chances[other]) for other in others))

    first = everything(endpoint, [PROMPT])
    second = everything(endpoint, [PROMPT, *card])
    heads = {tokens[0] for tokens in tree.labels.values()}
    tails = {tokens[1] for tokens in tree.labels.values() if tokens[:1] == card and tokens[1:]}
    arrival = tree.labels[" card arrival"]
    expected = among(first, card[0], heads) + among(second, arrival[1], tails | set(tree.ends))
    assert scored[" card arrival"] == pytest.approx(expected, abs=2 * NOISE)
    pin = tree.labels[" change pin"]
    assert scored[" change pin"] == pytest.approx(among(first, pin[0], heads), abs=NOISE)


def test_a_demo_with_a_label_makes_it_likely(endpoint: str) -> None:
    shown = "Message: where is it?\nCategory: card arrival\n\n" * 3
    prompt = f"{shown}Message: where is it?\nCategory:"
    assert best(score(endpoint, prompt, labels=LONG_LABELS)[0]) == " card arrival"


def test_the_same_prompt_scores_the_same(endpoint: str) -> None:
    score(endpoint, PROMPT)
    first, second, third = (score(endpoint, PROMPT)[0].scores for _ in range(3))
    assert first == second == third


def test_four_at_a_time_score_as_one_at_a_time(endpoint: str) -> None:
    messages = [
        "My invoice is wrong, I paid too much.",
        "Where is my parcel?",
        "The app crashes when it starts.",
        "Change my email address, please.",
    ]
    prompts = [f"{SHOWN}Message: {message}\nCategory:" for message in messages]
    alone = [score(endpoint, prompt)[0] for prompt in prompts]
    for _ in range(2):
        for one, beside in zip(alone, score(endpoint, *prompts), strict=True):
            for label in LABELS:
                assert beside.scores[label] == pytest.approx(one.scores[label], abs=2 * NOISE)


def test_a_call_counts_once_however_many_partings(endpoint: str) -> None:
    scored = score(endpoint, PROMPT, labels=LONG_LABELS)[0]
    assert scored.usage.calls == 1
    assert scored.usage.prompt_tokens > 60


@pytest.mark.parametrize("labels", [(), (" a",), (" a", " a")])
def test_one_label_is_no_choice(endpoint: str, labels: tuple[str, ...]) -> None:
    with pytest.raises(LMInvalidRequest, match="two labels"):
        score(endpoint, PROMPT, labels=labels)


def test_a_prompt_that_is_too_long_says_so(endpoint: str) -> None:
    with pytest.raises(LMInvalidRequest, match="context"):
        score(endpoint, "word " * 3_000)


def test_odd_prompts(endpoint: str) -> None:
    for prompt in ("", "\x00", "<bos><eos>", "ä\U0001f600"):
        assert len(score(endpoint, prompt)[0].scores) == 4
    with pytest.raises(LMInvalidRequest, match="surrogate"):
        score(endpoint, "half a character: \ud800")


def test_a_schema_is_kept_to(endpoint: str) -> None:
    schema = {
        "type": "object",
        "properties": {
            "category": {"type": "string", "enum": ["billing", "shipping"]},
            "urgent": {"type": "boolean"},
        },
        "required": ["category", "urgent"],
        "additionalProperties": False,
    }
    request = Request(prompt=PROMPT, schema=schema, max_tokens=60)

    async def run() -> list[str]:
        lm = EmbeddedLM(endpoint)
        assert lm.follows_schemas
        *pieces, streamed = [piece async for piece in lm.stream(request)]
        assert isinstance(streamed, Completion)
        assert len(pieces) > 3
        return [(await lm.complete(request)).text, streamed.text]

    for text in asyncio.run(run()):
        found = json.loads(text)
        assert set(found) == {"category", "urgent"}
        assert found["category"] in ("billing", "shipping")


def test_the_same_server_gives_vectors(endpoint: str) -> None:
    texts = [
        "I was charged twice for my order.",
        "You took the money from my card two times.",
        "The application crashes when I open it.",
        "",
        "\x00 ä😀",
        "word " * 3_000,
    ]

    async def run() -> list[list[float]]:
        embedder = EmbeddedEmbedder(endpoint)
        both = await asyncio.gather(embedder.embed(texts), embedder.embed(texts[:2]))
        assert embedder.used.calls == 2
        assert embedder.used.prompt_tokens > 500
        near = sum(a * b for a, b in zip(both[0][0], both[1][0], strict=True))
        assert near == pytest.approx(1.0, abs=0.02)
        with pytest.raises(LMInvalidRequest, match="surrogate"):
            await embedder.embed(["half a character: \ud800"])
        return both[0]

    vectors = asyncio.run(run())
    assert len(vectors) == len(texts)
    for vector in vectors:
        assert len(vector) == 640
        assert math.sqrt(sum(value * value for value in vector)) == pytest.approx(1.0)

    def near(one: int, two: int) -> float:
        return sum(a * b for a, b in zip(vectors[one], vectors[two], strict=True))

    assert near(0, 1) > near(0, 2)
    assert near(0, 1) > near(1, 2)


def test_the_command_says_when_it_is_ready_and_ends_on_sigterm(
    model_dir: Path, tmp_path: Path
) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "studio.engine.lm.embedded_server"]
    options = ["--model-dir", str(model_dir), "--ready-file", str(ready), "--parallel", "1"]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["endpoint"].startswith("http://127.0.0.1:")
        assert json.loads(ready.read_text()) == said
        environment = Path(f"/proc/{process.pid}/environ")
        if environment.exists():
            assert b"OMP_WAIT_POLICY=PASSIVE" in environment.read_bytes()
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stdout.read() == b""
    assert not ready.exists()

"""How many planted near duplicates the scan finds, and how long it takes.

`python -m tests.benchmarks.near_duplicates [rows]` prints both.
"""

from __future__ import annotations

import random
import sys
from time import perf_counter

from studio.datasets.scanning.alike import Inputs
from studio.datasets.scanning.folding import fold, jaccard
from tests.benchmarks.data import world

SHARE = 20
"""One row in so many is a near duplicate of another."""
LEAST = 0.8


def planted(count: int) -> tuple[list[str], list[tuple[int, int]]]:
    """Messages, and which pairs of them are alike by 0.8 to 1; always the same ones."""
    rng = random.Random("planted")
    known = world.words()
    texts = [message for _id, message, *_more in world.rows(count - count // SHARE)]
    pairs = []
    for _time in range(count // SHARE):
        source = rng.randrange(count - count // SHARE)
        texts.append(changed(texts[source], rng, known))
        pairs.append((source, len(texts) - 1))
    return texts, pairs


def changed(text: str, rng: random.Random, known: list[str]) -> str:
    """The text with words replaced, left out, put in, or put elsewhere, still alike by 0.8."""
    words = text.split(" ")
    original = fold(text).words
    for _edit in range(rng.randint(0, len(words) // 5)):
        tried = list(words)
        place = rng.randrange(len(tried))
        match rng.randrange(4):
            case 0:
                tried[place] = rng.choice(known)
            case 1:
                del tried[place]
            case 2:
                tried.insert(place, rng.choice(known))
            case _:
                tried.append(tried.pop(place))
        if jaccard(fold(" ".join(tried)).words, original) < LEAST:
            break
        words = tried
    return " ".join(words).upper() if rng.random() < 0.2 else " ".join(words) + "!"


def measure(rows: int = 100_000) -> tuple[float, float]:
    """(recall on the planted pairs, seconds) of comparing so many texts with each other."""
    texts, pairs = planted(rows)
    begun = perf_counter()
    inputs = Inputs()
    for text in texts:
        inputs.add([text])
    clusters = inputs.clusters()
    seconds = perf_counter() - begun
    item = inputs.item_of
    found = sum(clusters.is_near(item[one], item[other]) for one, other in pairs)
    return found / len(pairs), seconds


if __name__ == "__main__":
    recall, seconds = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    sys.stdout.write(f"recall {recall:.4f} in {seconds:.1f} s\n")

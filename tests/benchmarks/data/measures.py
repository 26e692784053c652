"""What is measured on a running site."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

from tests.benchmarks.data import world
from tests.benchmarks.data.site import PIECE, Site

API = "/api/projects/support/datasets/"
PAGES = "/p/support/datasets/"
EDITS = 9
SORTED = ("message", "-score")


def upload(site: Site, path: Path) -> tuple[float, str]:
    """Seconds from the first byte until a page of rows is there, and the dataset's short name."""
    begun = time.perf_counter()
    size = path.stat().st_size
    token = site.ask("POST", f"{API}uploads/", {"filename": path.name, "size": size})["token"]
    url = f"{API}uploads/{token}/"
    with path.open("rb") as file:
        offset = 0
        while piece := file.read(PIECE):
            headers = {"Content-Type": "application/octet-stream"}
            site.request("PUT", f"{url}data/?offset={offset}", piece, **headers)
            offset += len(piece)
    _wait(site, url, "ready")
    site.ask("POST", url, {})
    slug = _wait(site, url, "imported")
    _took, page = site.timed(f"{PAGES}{slug}/")
    if "m0" not in page:
        raise RuntimeError("The page shows no rows.")
    return time.perf_counter() - begun, slug


def _wait(site: Site, url: str, state: str) -> str:
    while True:
        found = site.ask("GET", url)
        if found["state"] == state:
            return str(found["dataset"])
        if found["state"] == "refused" or found["error"]:
            raise RuntimeError(found["error"])
        time.sleep(0.05)


def wait_for_index(site: Site, slug: str) -> None:
    """Until the search has its index: that is made after the dataset can be browsed."""
    for _try in range(600):
        if site.ask("GET", f"{API}{slug}/")["indexed"]:
            return
        time.sleep(0.2)
    raise RuntimeError("The index was not made within two minutes.")


def questions(count: int) -> Iterator[tuple[str, dict[str, str]]]:
    """(kind, query of the page): what people ask of a table of `count` rows."""
    rng, known = random.Random("questions"), world.words()
    some = dict(enumerate(world.rows(2_000)))
    for _time in range(8):
        yield "page", {"page": str(rng.randint(1, count // 50))}
        split, page = rng.choice(("train", "dev", "test")), str(rng.randint(1, 50))
        yield "split", {"split": split, "page": page}
        yield "frequent word", {"q": known[rng.randint(0, 20)]}
        yield "rare word", {"q": known[rng.randint(20_000, world.WORDS - 1)]}
        yield "part of a word", {"q": known[rng.randint(5_000, 20_000)][1:-1]}
        text = some[rng.randint(0, 1_999)][1].split(" ")
        yield "phrase", {"q": " ".join(text[:4])}
        yield "not there", {"q": f"qxz{rng.randint(0, 9)}w"}
        yield "one row", {"q": f"m{rng.randint(0, count - 1)}"}
        label = rng.choice(world.CATEGORIES)
        yield "label", {"where": "category", "how": "is", "what": label}
        above = f"{99 + rng.random():.3f}"
        yield "number", {"where": "score", "how": "above", "what": above}
        yield "sorted", {"sort": rng.choice(SORTED), "page": str(rng.randint(1, count // 50))}


def sort(site: Site, slug: str) -> float:
    """Seconds until the rows are there in the orders that are asked for later: a worker sorts."""
    begun = time.perf_counter()
    for column in SORTED:
        while "progress" in site.ask("GET", f"{API}{slug}/rows/?sort={column}"):
            time.sleep(0.2)
    return time.perf_counter() - begun


def pages(
    site: Site, slug: str, asked: Iterator[tuple[str, dict[str, str]]]
) -> dict[str, list[float]]:
    """Milliseconds of each page by the kind of question."""
    found: dict[str, list[float]] = {}
    for kind, query in asked:
        took, _page = site.timed(f"{PAGES}{slug}/?{urlencode(query)}")
        found.setdefault(kind, []).append(took)
    return found


def edits(site: Site, slug: str, count: int, size: Callable[[], int]) -> tuple[float, float]:
    """Median milliseconds of a one-row edit, and of the kilobytes that it takes on disk."""
    rng, took, grew = random.Random("edits"), [], []
    base = site.ask("GET", f"{API}{slug}/")["version"]
    for number in range(EDITS):
        row, before = rng.randint(1, count), size()
        begun = time.perf_counter()
        said = {"base": base + number, "values": {"message": f"Edit number {number}."}}
        site.ask("PATCH", f"{API}{slug}/rows/{row}/", said)
        took.append(1000 * (time.perf_counter() - begun))
        grew.append((size() - before) / 1000)
    return sorted(took)[EDITS // 2], sorted(grew)[EDITS // 2]


def p95(values: list[float]) -> float:
    """The 95th percentile, the nearest rank."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]

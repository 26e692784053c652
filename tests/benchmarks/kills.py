"""`kill -9` on a worker at random moments of several compiles: what is repeated, what comes out.

`python -m tests.benchmarks.kills --json [--kills 20] [--seed 0]` compiles with one compiler after
another on a server that plays an LM and counts what it is asked. Each is compiled twice, in two
projects: once undisturbed, and once by real workers that are killed when a random share of the
calls is done. No answer is kept anywhere but in the runs' rows, so that whatever is done a second
time is a call.

`repeated_scores` are the calls of the killed compile beyond those of the undisturbed one, less
what was in flight when a worker died: asked, and in no row yet. More of that than the connection
lets be in flight counts as repeated as well. `identical` says whether every artifact has the hash
and the content of its undisturbed twin.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.engine.codec import canonical_json
from tests.runs.killing import FakeServer, Site, fake_server, kill

COMPILERS = ("random-search", "instructions", "joint", "reflect", "mini-batch-ascent")
MOST_KILLS = 4
"""Of one compile: a run that took five workers with it is not tried again."""
IN_FLIGHT = 6
PATIENCE_S = 240.0

SETUP = """
import sys
import django
django.setup()
from tests import builders
from tests.runs.builders import make_kit
alice = builders.make_user("alice")
for slug in ("undisturbed", "killed"):
    kit = make_kit(builders.make_project(slug, slug, admin=alice), alice)
    kit.connection.kind, kit.connection.base_url = "openai_http", sys.argv[1]
    kit.connection.concurrency = int(sys.argv[2])
    kit.connection.save()
"""
START = """
import json, sys
import django
django.setup()
from studio.accounts.models import User
from studio.pipelines.models import Pipeline
from studio.runs import services
from studio.runs.checks import check_compiler
from studio.runs.execute import execute
runs = {}
for pipeline in Pipeline.objects.select_related("project").order_by("-project__slug"):
    project = pipeline.project
    runs[project.slug] = services.start_compile(
        actor=User.objects.get(),
        pipeline=pipeline,
        dataset=project.datasets.get(),
        metric=project.metrics.get(),
        connection=project.connections.get(),
        compiler=sys.argv[1],
        params=check_compiler(sys.argv[1], {}, "light"),
        seed=int(sys.argv[2]),
        max_calls=5000,
        reuse=False,
        kick=False,
    )
state = execute(runs["undisturbed"].pk)
runs["undisturbed"].refresh_from_db()
print(json.dumps({
    "state": state,
    "error": runs["undisturbed"].error,
    **{slug: str(run.pk) for slug, run in runs.items()},
}))
"""
FORGET = """
import sys, uuid
import django
django.setup()
from studio.runs.models import Run
Run.objects.filter(pk=uuid.UUID(sys.argv[1])).update(kicked_at=None)
"""


@dataclass(frozen=True)
class Compiled:
    """One compiler: what its undisturbed compile asked, and what came of the killed one."""

    compiler: str
    calls: int
    kills: int
    repeated: int
    in_flight: int
    """Calls whose results were lost with a worker."""
    identical: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return dict(vars(self))


def measure(
    folder: Path, *, kills: int, seed: int = 0, compilers: Sequence[str] = COMPILERS
) -> dict[str, Any]:
    """The figures of all compiles; the folder has to be empty."""
    site = Site(folder, lease_s=2, keeps_answers=False)
    site.log.touch()
    chances = random.Random(seed)
    found = []
    begun = time.monotonic()
    with fake_server() as server:
        site.python("manage.py", "migrate", "--verbosity", "0")
        site.python("-c", SETUP, server.url, str(IN_FLIGHT))
        for compiler, count in _shares(kills, compilers):
            found.append(_compile(site, server, compiler, count, chances))
            _say(found[-1])
    return {
        "kills": sum(each.kills for each in found),
        "repeated_scores": sum(each.repeated for each in found),
        "identical": all(each.identical for each in found),
        "in_flight": sum(each.in_flight for each in found),
        "calls": sum(each.calls for each in found),
        "seconds": round(time.monotonic() - begun),
        "compilers": [each.to_dict() for each in found],
    }


def _shares(kills: int, compilers: Sequence[str]) -> list[tuple[str, int]]:
    """How often each compile is killed; several rounds when there are more kills than fit."""
    shares: list[tuple[str, int]] = []
    while kills > 0:
        for place, compiler in enumerate(compilers):
            share = min(MOST_KILLS, -(-kills // (len(compilers) - place)), kills)
            if share:
                shares.append((compiler, share))
                kills -= share
    return shares


def _compile(
    site: Site, server: FakeServer, compiler: str, kills: int, chances: random.Random
) -> Compiled:
    server.prompts.clear()
    server.latency_s = 0.0
    told = json.loads(site.python("-c", START, compiler, str(chances.randrange(1000))))
    if told["state"] != "succeeded":
        raise RuntimeError(f"{compiler}: {told['error']}")
    expected = Counter(server.prompts)
    server.prompts.clear()
    server.latency_s = 0.1
    run = told["killed"]
    # A worker finds by itself what nobody was told of.
    site.python("-c", FORGET, run)
    lost, died = _kill_at(site, server, run, sorted(_moments(kills, expected, chances)), chances)
    with site.worker():
        site.wait_until(lambda: site.state(run) not in ("queued", "running"), PATIENCE_S)
    return Compiled(
        compiler,
        calls=expected.total(),
        kills=died,
        repeated=count_repeated(Counter(server.prompts), expected, lost),
        in_flight=sum(each.total() for each in lost),
        identical=_content(site, told["undisturbed"]) == _content(site, run) != "",
    )


def count_repeated(
    asked: Counter[str], expected: Counter[str], lost: Sequence[Counter[str]]
) -> int:
    """Calls beyond the expected ones that no death of a worker explains.

    `lost` is what was in flight at each death.
    """
    excess = asked - expected - sum(lost, Counter[str]())
    too_many = sum(max(0, each.total() - IN_FLIGHT) for each in lost)
    return excess.total() + too_many


def _moments(kills: int, expected: Counter[str], chances: random.Random) -> list[int]:
    """After how many calls a worker is killed."""
    return [chances.randrange(1, max(2, expected.total())) for _ in range(kills)]


def _kill_at(
    site: Site, server: FakeServer, run: str, moments: Sequence[int], chances: random.Random
) -> tuple[list[Counter[str]], int]:
    """Kill one worker after the other; what was in flight each time, and how many were killed."""
    lost: list[Counter[str]] = []
    for moment in moments:
        with site.worker() as process:
            site.wait_until(
                lambda moment=moment: (  # type: ignore[misc]
                    len(server.prompts) >= moment or site.state(run) == "succeeded"
                ),
                PATIENCE_S,
            )
            time.sleep(chances.random() * 0.3)
            if site.state(run) == "succeeded":
                break
            kill(process)
        time.sleep(2 * server.latency_s)  # what was sent arrives
        asked = Counter(server.prompts)
        lost.append(asked - site.stored(run) - sum(lost, Counter()))
    return lost, len(lost)


def _content(site: Site, run: str) -> str:
    """Hash and content of the run's artifact, as one text; empty without one."""
    rows = site.query(
        "SELECT hash, content FROM runs_artifact WHERE run_id = ?", run.replace("-", "")
    )
    return canonical_json(
        [[hash_, json.loads(content)] for hash_, content in rows] if rows else ""
    )


def _say(found: Compiled) -> None:
    sys.stderr.write(
        f"{found.compiler:>14}: {found.calls} calls, killed {found.kills} times, "
        f"{found.in_flight} in flight, {found.repeated} repeated, "
        f"{'the same artifact' if found.identical else 'ANOTHER ARTIFACT'}\n"
    )


def main() -> int:
    """Prints the table, and with `--json` one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compilers", nargs="+", default=list(COMPILERS))
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="studio-kills-") as name:
        found = measure(
            Path(name), kills=wanted.kills, seed=wanted.seed, compilers=wanted.compilers
        )
    if wanted.json:
        sys.stdout.write(json.dumps(found) + "\n")
    return 0 if found["identical"] and not found["repeated_scores"] else 1


if __name__ == "__main__":
    sys.exit(main())

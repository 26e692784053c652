"""`manage.py evaluate`: an evaluation on the terminal, by the same service as the page."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studio.engine.errors import EngineError
from studio.errors import StudioError
from studio.lms.models import Connection, Kind
from studio.runs import sample
from studio.runs.embedded import embedded_lm
from studio.runs.evaluations.asked import MOST_REPEATS, ROWS, SPLIT_NAMES, Asked
from studio.runs.evaluations.results import read_results
from studio.runs.evaluations.starting import start_evaluation
from studio.runs.evaluations.subjects import NOW, find_subject
from studio.runs.execute import execute
from studio.runs.management.commands.compile import (
    actor_of,
    ctrl_c_cancels,
    one_of,
    project_of,
    with_problems,
)
from studio.runs.models import Run
from studio.runs.states import State


class Command(BaseCommand):
    """Choose by options, start, wait, tell the score."""

    help = (
        "Score a version, an artifact or a release of a pipeline here and now. "
        "For the sample project every option has a default."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """See `BaseCommand.add_arguments`."""
        parser.add_argument("pipeline", help="the pipeline's name in its address")
        parser.add_argument(
            "subject",
            nargs="?",
            default=NOW,
            help="now, version:3, artifact:HASH or release:LABEL; default: as it is drawn now",
        )
        parser.add_argument("--project", default=sample.SLUG)
        parser.add_argument("--dataset", default="", help="default: the project's only one")
        parser.add_argument("--number", type=int, help="its version; default: the newest")
        parser.add_argument("--split", default="test", choices=SPLIT_NAMES)
        parser.add_argument("--metric", default="", help="default: the project's only one")
        parser.add_argument(
            "--lm", default="", help="default: the artifact's own, else the embedded model"
        )
        parser.add_argument(
            "--repeats", type=int, default=1, help=f"answers to each row, 1 to {MOST_REPEATS}"
        )
        parser.add_argument("--rows", default="all", choices=[name for name, _ in ROWS])
        parser.add_argument("--count", type=int, default=0, help="how many rows, unless all")
        parser.add_argument("--seed", type=int, default=0, help="draws rows for --rows random")
        parser.add_argument("--max-calls", type=int, default=4000)
        parser.add_argument("--max-tokens", type=int, help="default: no cap")
        parser.add_argument("--max-cost", type=float, help="US dollars; default: no cap")
        parser.add_argument("--max-seconds", type=int, help="default: no cap")
        parser.add_argument("--no-reuse", action="store_true", help="ask everything anew")
        parser.add_argument("--user", default="", help="who starts it; default: an admin")
        parser.add_argument(
            "--json", action="store_true", help="end in one line of JSON instead of a table"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """See `BaseCommand.handle`."""
        try:
            self._evaluate(options)
        except (StudioError, EngineError) as error:
            raise CommandError(with_problems(error)) from None

    def _evaluate(self, options: dict[str, Any]) -> None:
        project = project_of(options["project"])
        pipeline = one_of(project.pipelines, options["pipeline"], "pipeline")
        subject = find_subject(pipeline, options["subject"])
        lm: Connection | None = subject.connection
        if options["lm"] or lm is None:
            embedded = project.connections.filter(kind=Kind.EMBEDDED).first()
            slug = options["lm"] or (embedded.slug if embedded else "")
            lm = one_of(project.connections, slug, "language model")
        names = ("split", "repeats", "rows", "count")
        needs_embedded = lm is not None and lm.kind == Kind.EMBEDDED
        # The LM first: a run that waited for it could be taken by a worker.
        with embedded_lm() if needs_embedded else contextlib.nullcontext():
            run = start_evaluation(
                actor=actor_of(project, options["user"]),
                pipeline=pipeline,
                subject=subject,
                dataset=one_of(project.datasets, options["dataset"], "dataset"),
                number=options["number"],
                metric=one_of(project.metrics, options["metric"], "metric"),
                connection=lm,
                asked=Asked(**{name: options[name] for name in names}),
                seed=options["seed"],
                max_calls=options["max_calls"],
                max_tokens=options["max_tokens"],
                max_cost=options["max_cost"],
                max_seconds=options["max_seconds"],
                reuse=not options["no_reuse"],
                kick=False,
            )
            with ctrl_c_cancels(run):
                state = execute(run.pk, on_look=self._show)
        self._show(None)
        run.refresh_from_db()
        if state == State.CANCELLED:
            raise CommandError("Cancelled. What was scored is kept.", returncode=130)
        if state == State.PAUSED:
            raise CommandError(f"{run.report.get('stopped') or 'Paused.'} The run is {run.pk}.")
        if state != State.SUCCEEDED:
            raise CommandError(run.error or "Another worker has taken the run over.")
        self._tell(run, as_json=options["json"])

    def _show(self, run: Run | None) -> None:
        """One line that tells how far it is; an empty one at the end."""
        if not sys.stderr.isatty():
            return
        text = ""
        if run is not None:
            rows = (run.report.get("plan") or {}).get("rows", 0)
            results = read_results(run)
            score = f", score {results.mean.value:.3f}" if results.mean else ""
            text = f"{len(results.rows):,} of {rows:,} rows, {run.calls:,} calls{score}"
        self.stderr.write(f"\r{text:<60}", ending="\r")
        self.stderr.flush()

    def _tell(self, run: Run, *, as_json: bool) -> None:
        report, plan = run.report, run.report["plan"]
        if as_json:
            names = ("score", "scored", "unscored", "failed", "consistency", "split")
            told = {name: report[name] for name in names}
            line = {**told, "left_out": plan["own"] + plan["doubled"], "calls": run.calls}
            self.stdout.write(json.dumps({**line, "run": str(run.pk)}))
            return
        score = report["score"]
        rows = [
            ("score", _in_words(score)),
            ("rows", f"{report['scored']:,} scored, {report['unscored']:,} unscored"),
            ("without an answer", f"{report['failed']:,}"),
            ("left out", f"{plan['own']:,} own demos, {plan['doubled']:,} twice there"),
            ("LM calls", f"{run.calls:,} of at most {run.max_calls:,}"),
        ]
        if report["consistency"] is not None:
            rows.append(("same each time", f"{100 * report['consistency']:.0f} % of the rows"))
        for name, value in rows:
            self.stdout.write(f"{name:>18}  {value}")


def _in_words(score: dict[str, float] | None) -> str:
    if score is None:
        return "none: no row could be scored"
    return f"{score['value']:.3f}  (95 % interval {score['low']:.3f} to {score['high']:.3f})"

"""`manage.py compile`: a compile on the terminal, by the same service as the page."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studio.accounts.models import Membership, Project, Role, User
from studio.engine.errors import EngineError
from studio.errors import StudioError
from studio.lms.models import Connection, Kind
from studio.runs import sample, services
from studio.runs.artifacts import find_artifact
from studio.runs.checks import check_compiler, check_limits
from studio.runs.embedded import embedded_lm
from studio.runs.execute import execute
from studio.runs.models import Artifact, Run
from studio.runs.progress import read_progress
from studio.runs.states import State

_BAR = 24


class Command(BaseCommand):
    """Choose by options, start, watch, tell the result."""

    help = (
        "Compile a pipeline here and now, and print what came of it. "
        "For the sample project every option has a default."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """See `BaseCommand.add_arguments`."""
        parser.add_argument("pipeline", help="the pipeline's name in its address")
        parser.add_argument("--project", default=sample.SLUG)
        parser.add_argument("--dataset", default="", help="default: the project's only one")
        parser.add_argument("--metric", default="", help="default: the project's only one")
        parser.add_argument("--compiler", default="random-search")
        parser.add_argument(
            "--param",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a parameter of the compiler; may be given several times",
        )
        parser.add_argument(
            "--preset", default="", help="light, medium or thorough; --param goes over it"
        )
        parser.add_argument("--lm", default="", help="default: the embedded model")
        parser.add_argument("--teacher", default="", help="an LM whose answers become demos")
        parser.add_argument(
            "--teacher-artifact",
            default="",
            metavar="HASH",
            help="a compiled program that teaches",
        )
        parser.add_argument("--proposer", default="", help="the LM that proposes instructions")
        parser.add_argument(
            "--start", default="", metavar="HASH", help="an artifact that is to be improved"
        )
        parser.add_argument("--max-calls", type=int, default=4000)
        parser.add_argument("--max-tokens", type=int, help="default: no cap")
        parser.add_argument("--max-cost", type=float, help="US dollars; default: no cap")
        parser.add_argument("--max-seconds", type=int, help="default: no cap")
        parser.add_argument(
            "--no-reuse", action="store_true", help="take nothing over from earlier runs"
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--user", default="", help="who starts it; default: an admin")
        parser.add_argument(
            "--json", action="store_true", help="end in one line of JSON instead of a table"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """See `BaseCommand.handle`."""
        try:
            self._compile(options)
        except (StudioError, EngineError) as error:
            raise CommandError(with_problems(error)) from None

    def _compile(self, options: dict[str, Any]) -> None:
        project = project_of(options["project"])
        pipeline = one_of(project.pipelines, options["pipeline"], "pipeline")
        connection: Connection = one_of(
            project.connections, options["lm"] or _default_lm(project), "language model"
        )
        choice = {
            "actor": actor_of(project, options["user"]),
            "pipeline": pipeline,
            "dataset": one_of(project.datasets, options["dataset"], "dataset"),
            "metric": one_of(project.metrics, options["metric"], "metric"),
            "connection": connection,
            "teacher": _named(project, options["teacher"]),
            "proposer": _named(project, options["proposer"]),
            "teacher_artifact": _artifact(project, options["teacher_artifact"]),
            "start_artifact": _artifact(project, options["start"]),
            "compiler": options["compiler"],
            "params": check_compiler(
                options["compiler"], _params(options["param"]), options["preset"]
            ),
            "reuse": not options["no_reuse"],
        }
        limits = {
            name: options[name]
            for name in ("seed", "max_calls", "max_tokens", "max_cost", "max_seconds")
        }
        check_limits(**limits)
        asked = [connection, choice["teacher"], choice["proposer"], _own_lm(choice)]
        needs_embedded = any(one is not None and one.kind == Kind.EMBEDDED for one in asked)
        bar = Bar(self.stderr if sys.stderr.isatty() else None)
        # The LM first: a run that waited for it could be taken by a worker.
        with embedded_lm() if needs_embedded else contextlib.nullcontext():
            begun = time.monotonic()
            run = services.start_compile(**choice, **limits, kick=False)
            with ctrl_c_cancels(run):
                state = execute(run.pk, on_look=bar.show)
            bar.clear()
        run.refresh_from_db()
        if state == State.CANCELLED:
            raise CommandError("Cancelled. What was scored is kept.", returncode=130)
        if state == State.PAUSED:
            raise CommandError(f"Paused. It goes on when somebody resumes it: {run.pk}.")
        if state != State.SUCCEEDED:
            raise CommandError(run.error or "Another worker has taken the run over.")
        self._tell(run, time.monotonic() - begun, as_json=options["json"])

    def _tell(self, run: Run, seconds: float, *, as_json: bool) -> None:
        report = run.report
        if as_json:
            keys = ("baseline", "compiled", "difference")
            line = {
                **{key: report.get(key) for key in keys},
                "calls": run.calls,
                "seconds": round(seconds, 1),
                "artifact": report.get("artifact", ""),
            }
            self.stdout.write(json.dumps(line))
            return
        difference = report.get("difference")
        rows = [
            ("baseline", _score(report.get("baseline"))),
            ("compiled", _score(report.get("compiled"))),
            ("difference", _interval(difference)),
            ("held-out examples", str(report.get("confirmed_on", 0))),
            ("LM calls", f"{run.calls:,} of at most {run.max_calls:,}{_saved(run)}"),
            ("time", f"{seconds:.1f} s"),
            ("artifact", str(report.get("artifact", ""))[:12]),
        ]
        for name, value in rows:
            self.stdout.write(f"{name:>18}  {value}")
        if difference:
            self.stdout.write(f"\n{_verdict(difference)}")
        if report.get("note"):
            self.stdout.write(str(report["note"]))


class Bar:
    """One line on the terminal that shows how far the run is."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._width = 0

    def show(self, run: Run) -> None:
        """Draw the line anew."""
        if self._stream is None:
            return
        progress = read_progress(run)
        full = min(_BAR, round(_BAR * run.calls / max(1, run.max_calls)))
        now = next((stage for stage in progress.stages if stage.state == "now"), None)
        best = progress.best
        parts = [
            f"[{'█' * full}{'·' * (_BAR - full)}] {run.calls:,}/{run.max_calls:,} calls",
            f"{now.title}{': ' + now.note if now.note else ''}" if now else "",
            f"best {best.dev.value:.3f}" if best and best.dev.value is not None else "",
        ]
        self._write("  ".join(part for part in parts if part))

    def clear(self) -> None:
        """Leave an empty line."""
        if self._stream is not None and self._width:
            self._write("")

    def _write(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width), ending="\r")
        self._stream.flush()
        self._width = len(text)


@contextlib.contextmanager
def ctrl_c_cancels(run: Run) -> Iterator[None]:
    """Inside, Ctrl-C asks the run to stop; a second one stops the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(*_: Any) -> None:
        signal.signal(signal.SIGINT, before)
        # The handler may interrupt this thread inside of a query, so another thread asks.
        threading.Thread(target=_request_cancel, args=(run,), daemon=True).start()

    signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _request_cancel(run: Run) -> None:
    from django.db import connection

    Run.objects.filter(pk=run.pk).update(cancel_requested=True)
    connection.close()


def project_of(slug: str) -> Project:
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        hint = " `python manage.py quickstart --prepare-only` makes the sample project."
        raise CommandError(f"There is no project “{slug}”.{hint if slug == sample.SLUG else ''}")
    return project


def one_of(rows: Any, slug: str, what: str) -> Any:
    """The row with this slug; without one, the only row there is."""
    slugs = list(rows.values_list("slug", flat=True))
    if not slug and len(slugs) == 1:
        slug = slugs[0]
    found = rows.filter(slug=slug).first()
    if found is None:
        known = f"It has {', '.join(slugs)}." if slugs else "It has none."
        asked = f"has no {what} “{slug}”" if slug else f"has several: name a {what}"
        raise CommandError(f"The project {asked}. {known}")
    return found


def _named(project: Project, slug: str) -> Connection | None:
    return one_of(project.connections, slug, "language model") if slug else None


def _artifact(project: Project, hash_: str) -> Artifact | None:
    return find_artifact(project, hash_) if hash_ else None


def _own_lm(choice: dict[str, Any]) -> Connection | None:
    """The LM that a teaching artifact brings along, when no teacher is named."""
    artifact: Artifact | None = choice["teacher_artifact"]
    return artifact.connection if artifact is not None and choice["teacher"] is None else None


def _saved(run: Run) -> str:
    calls = run.saved.get("calls", 0)
    return f"; {calls:,} saved by earlier runs" if calls else ""


def _default_lm(project: Project) -> str:
    found = project.connections.filter(kind=Kind.EMBEDDED).first()
    return found.slug if found else ""


def actor_of(project: Project, username: str) -> User:
    members = Membership.objects.filter(project=project).select_related("user").order_by("pk")
    if username:
        member = members.filter(user__username=username).first()
        if member is None:
            raise CommandError(f"{username} is no member of {project}.")
        return member.user
    member = members.filter(role=Role.ADMIN).first()
    if member is None:
        raise CommandError(f"{project} has no admin: name somebody by --user.")
    return member.user


def _params(pairs: list[str]) -> dict[str, Any]:
    """`NAME=VALUE` pairs; a value that is JSON is read as such, anything else is a text."""
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise CommandError(f"--param {pair}: write NAME=VALUE.")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values


def with_problems(error: Exception) -> str:
    problems = [
        problem.get("message", "")
        if isinstance(problem, dict)
        else str(getattr(problem, "message", problem))
        for problem in getattr(error, "problems", ())
    ]
    more = (
        [text for text in problems if text and text not in str(error)] if len(problems) > 1 else []
    )
    return "\n".join([str(error), *(f"  - {text}" for text in more[:10])])


def _score(value: float | None) -> str:
    return "unscored" if value is None else f"{value:.3f}"


def _interval(difference: dict[str, float] | None) -> str:
    if not difference:
        return "unknown"
    value, low, high = (difference[key] for key in ("value", "low", "high"))
    return f"{value:+.3f}  (95 % interval {low:+.3f} to {high:+.3f})"


def _verdict(difference: dict[str, float]) -> str:
    if difference["low"] > 0:
        return "The compiled program is better than the uncompiled one."
    if difference["high"] < 0:
        return "The compiled program is worse than the uncompiled one."
    return "The two cannot be told apart on these examples."

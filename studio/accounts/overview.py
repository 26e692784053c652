"""What a project has, and what is to be done next: the loop as eight steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

from studio.accounts.models import Project, Role
from studio.accounts.navigation import url_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One station of the loop."""

    title: str
    icon: str
    sentence: str
    """Why there is such a step."""
    has: str
    """What is there, in words."""
    done: bool
    url: str
    """Where its things are listed."""
    action: str
    action_url: str
    role: Role = Role.AUTHOR
    """Who may do it."""
    is_next: bool = False


def steps_of(project: Project) -> list[Step]:
    """The eight steps; the first that is not done is the next."""
    steps = [*_describe(project), *_measure(project), *_ship(project)]
    following = next((index for index, step in enumerate(steps) if not step.done), None)
    return [replace(step, is_next=index == following) for index, step in enumerate(steps)]


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}" if number else "none yet"


def _describe(project: Project) -> list[Step]:
    slug = project.slug
    signatures, pipelines = project.signatures.count(), project.pipelines.count()
    return [
        Step(
            title="Signature",
            icon="signature",
            sentence="Say what goes in and what comes out.",
            has=_count(signatures, "signature"),
            # Steps that were drawn with a signature of their own need no named one.
            done=bool(signatures or pipelines),
            url=url_of("pipelines:signatures", slug),
            action="Write a signature",
            action_url=url_of("pipelines:new-signature", slug),
        ),
        Step(
            title="Pipeline",
            icon="pipeline",
            sentence="Draw how the steps fit together.",
            has=_count(pipelines, "pipeline"),
            done=bool(pipelines),
            url=url_of("pipelines:pipelines", slug),
            action="Draw a pipeline",
            action_url=url_of("pipelines:new-pipeline", slug),
        ),
    ]


def _measure(project: Project) -> list[Step]:
    slug = project.slug
    datasets, metrics = project.datasets.count(), project.metrics.count()
    connections = project.connections.count()
    return [
        Step(
            title="Dataset",
            icon="dataset",
            sentence="A few dozen examples: some to learn from, some to be judged on.",
            has=_count(datasets, "dataset"),
            done=bool(datasets),
            url=url_of("datasets:datasets", slug),
            action="Upload examples",
            action_url=url_of("datasets:upload", slug),
        ),
        Step(
            title="Metric",
            icon="metric",
            sentence="Say what a good answer is.",
            has=_count(metrics, "metric"),
            done=bool(metrics),
            url=url_of("metrics:metrics", slug),
            action="Choose a metric",
            action_url=url_of("metrics:new-metric", slug),
        ),
        Step(
            title="Language model",
            icon="lm",
            sentence="Connect the model that does the work.",
            has=_count(connections, "connection"),
            done=bool(connections),
            url=url_of("lms:connections", slug),
            action="Connect a model",
            action_url=url_of("lms:new-connection", slug),
            role=Role.ADMIN,
        ),
    ]


def _ship(project: Project) -> list[Step]:
    slug = project.slug
    compiles = project.runs.filter(kind="compile")
    done_compiles = compiles.filter(state="succeeded").count()
    running = compiles.filter(state__in=("queued", "running")).count()
    open_reviews = project.reviews.filter(state="open")
    approved = project.reviews.filter(state="approved").count()
    first_open = open_reviews.first()
    pipeline = project.pipelines.order_by("-updated_at").first()
    released = project.releases.values("pipeline", "label").distinct().count()
    to_review = len(open_reviews)
    return [
        Step(
            title="Compile",
            icon="compile",
            sentence="Search for instructions and demos that score best on your examples.",
            has=f"{running} running" if running else _count(done_compiles, "compile"),
            done=bool(done_compiles),
            url=url_of("runs:runs", slug),
            action="Compile",
            action_url=url_of("runs:compile", slug, pipeline.slug) if pipeline else "",
        ),
        Step(
            title="Review",
            icon="review",
            sentence="Read the compiled prompts; accept or reject each demo; approve.",
            has=f"{to_review} open" if to_review else _count(approved, "approved", "approved"),
            done=bool(approved),
            url=url_of("reviews:reviews", slug),
            action="Review" if first_open else "",
            action_url=url_of("reviews:review", slug, first_open.pk) if first_open else "",
            role=Role.REVIEWER,
        ),
        Step(
            title="Release",
            icon="release",
            sentence="Point a label to what was approved, and call it over HTTP.",
            has=_count(released, "release"),
            done=bool(released),
            url=url_of("reviews:releases", slug),
            action="Release" if approved else "",
            action_url=url_of("reviews:releases", slug) if approved else "",
            role=Role.REVIEWER,
        ),
    ]

"""The menu of a project: what stands in it, where it leads, and which entry is current."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from studio.accounts.models import Project, Role
from studio.accounts.services import role_of

_GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    ("", (("Overview", "overview", "accounts:project"),)),
    (
        "Describe",
        (
            ("Pipelines", "pipeline", "pipelines:pipelines"),
            ("Signatures", "signature", "pipelines:signatures"),
            ("Modules", "module", "pipelines:modules"),
        ),
    ),
    (
        "Measure",
        (
            ("Datasets", "dataset", "datasets:datasets"),
            ("Metrics", "metric", "metrics:metrics"),
            ("Language models", "lm", "lms:connections"),
        ),
    ),
    (
        "Compile and ship",
        (
            ("Runs", "run", "runs:runs"),
            ("Reviews", "review", "reviews:reviews"),
            ("Releases", "release", "reviews:releases"),
            ("Keys", "key", "serving:keys"),
        ),
    ),
    ("Project", (("Members", "members", "accounts:members"),)),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the menu."""

    title: str
    icon: str
    url: str
    current: str = ""
    """What `aria-current` says: `page`, `true` (something below it), or nothing."""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under a small heading."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Navigation:
    """Everything that the frame of a page shows around it."""

    home: str = "/"
    projects_url: str = ""
    sign_out_url: str = ""
    admin_url: str = ""
    project: Project | None = None
    role: Role | None = None
    projects: tuple[Project, ...] = ()
    groups: tuple[Group, ...] = field(default_factory=tuple)


def url_of(name: str, *args: Any) -> str:
    """The address of a page; empty where the app that has it is not installed."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def navigate(request: HttpRequest | None) -> Navigation:
    """The navigation for whoever asks. A stranger's project has no menu."""
    user = getattr(request, "user", None)
    if request is None or user is None or not user.is_authenticated:
        return Navigation(home=url_of("accounts:home"))
    project = _project_of(request, user)
    return Navigation(
        home=url_of("accounts:home"),
        projects_url=url_of("accounts:projects"),
        sign_out_url=url_of("accounts:sign-out"),
        admin_url=url_of("admin:index"),
        project=project,
        role=role_of(user=user, project=project) if project else None,
        projects=tuple(Project.objects.visible_to(user)) if project else (),
        groups=tuple(_groups(project, request.path)) if project else (),
    )


def _project_of(request: HttpRequest, user: Any) -> Project | None:
    match = request.resolver_match
    slug = match.kwargs.get("project") if match else None
    return Project.objects.visible_to(user).filter(slug=slug).first() if slug else None


def _groups(project: Project, path: str) -> Iterable[Group]:
    open_reviews = project.reviews.filter(state="open").count()
    for title, entries in _GROUPS:
        items = []
        for name, icon, view in entries:
            url = url_of(view, project.slug)
            if not url:
                continue
            count = open_reviews if view == "reviews:reviews" else 0
            items.append(Item(name, icon, url, _current(view, url, path), count))
        if items:
            yield Group(title, tuple(items))


def _current(view: str, url: str, path: str) -> str:
    if path == url:
        return "page"
    below = path.startswith(url) and view != "accounts:project"
    return "true" if below else ""

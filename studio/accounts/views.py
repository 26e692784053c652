"""Pages for signing in, projects and members."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studio.accounts import attempts, services
from studio.accounts.forms import BLOCKED, MemberForm, ProjectForm, RoleForm, SignInForm
from studio.accounts.models import Project, Role
from studio.accounts.overview import steps_of
from studio.errors import Invalid, StudioError
from studio.http import StudioRequest


@login_not_required
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Name and password; too many wrong ones and nothing is looked at for a while."""
    if request.user.is_authenticated:
        return redirect(_next_of(request))
    form = SignInForm(request, request.POST or None)
    status = 200
    if request.method == "POST":
        who = {
            "name": request.POST.get("username", "")[:150],
            "address": str(request.META.get("REMOTE_ADDR", ""))[:64],
        }
        if attempts.is_blocked(**who):
            form = SignInForm(request, initial={"username": who["name"]})
            context = {"form": form, "next": _next_of(request), "blocked": BLOCKED}
            return render(request, "accounts/sign_in.html", context, status=429)
        if form.is_valid():
            attempts.forget_failures(**who)
            login(request, form.get_user())
            return redirect(_next_of(request))
        attempts.note_failure(**who)
        status = 422
    context = {"form": form, "next": _next_of(request)}
    return render(request, "accounts/sign_in.html", context, status=status)


def _next_of(request: HttpRequest) -> str:
    """Where the person wanted to go, if that is on this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    hosts = {request.get_host()}
    safe = url_has_allowed_host_and_scheme(wanted, hosts, require_https=request.is_secure())
    return wanted if safe else "/"


@require_POST
def sign_out(request: StudioRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("accounts:sign-in")


@require_GET
def home(request: StudioRequest) -> HttpResponse:
    """Straight to the project of whoever has just one."""
    mine = list(Project.objects.visible_to(request.user)[:2])
    return redirect(mine[0]) if len(mine) == 1 else redirect("accounts:projects")


@require_http_methods(["GET", "POST"])
def projects(request: StudioRequest) -> HttpResponse:
    """My projects, and a form for a new one."""
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            project = services.create_project(actor=request.user, name=form.cleaned_data["name"])
        except Invalid as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, f"{project.name} is there. You are its admin.")
            return redirect(project)
    mine = request.user.memberships.select_related("project").order_by("project__name")
    context = {"form": form, "memberships": mine}
    return render(request, "accounts/projects.html", context, status=422 if form.errors else 200)


@require_GET
def project(request: StudioRequest, project: str) -> HttpResponse:
    """What is there, what is next, and what happened lately."""
    found = services.get_project(user=request.user, slug=project)
    steps = steps_of(found)
    next_step = next((step for step in steps if step.is_next), None)
    context = {
        "project": found,
        "steps": steps,
        "next_step": next_step,
        "runs": found.runs.select_related("version__pipeline", "connection", "created_by")[:6],
        "entries": found.audit.select_related("actor")[:8],
        "may_go_on": next_step is not None
        and services.may(user=request.user, project=found, role=next_step.role),
    }
    return render(request, "accounts/project.html", context)


@require_http_methods(["GET", "POST"])
def members(request: StudioRequest, project: str) -> HttpResponse:
    """Who is in the project; admins let people in."""
    role = Role.VIEWER if request.method == "GET" else Role.ADMIN
    found = services.get_project(user=request.user, slug=project, role=role)
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            membership = services.add_member(
                actor=request.user,
                project=found,
                username=form.cleaned_data["username"],
                role=Role(form.cleaned_data["role"]),
            )
        except StudioError as error:
            form.add_error("username", str(error))
        else:
            messages.success(request, f"{membership.user.username} is in.")
            return redirect("accounts:members", found.slug)
    context = {
        "project": found,
        "form": form,
        "memberships": found.memberships.select_related("user").order_by("user__username"),
        "roles": Role.choices,
        "is_admin": services.may(user=request.user, project=found, role=Role.ADMIN),
    }
    return render(request, "accounts/members.html", context, status=422 if form.errors else 200)


@require_POST
def change_role(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """Give a member another role."""
    found = services.get_project(user=request.user, slug=project, role=Role.ADMIN)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise Invalid("Choose one of the roles viewer, author, reviewer, admin.")
    role = Role(form.cleaned_data["role"])
    try:
        membership = services.change_role(
            actor=request.user, project=found, member_id=pk, role=role
        )
    except Invalid as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{membership.user.username} is {role.label.lower()} now.")
    return redirect("accounts:members", found.slug)


@require_POST
def remove_member(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """Take a member out, or leave."""
    found = services.get_project(user=request.user, slug=project)
    try:
        user = services.remove_member(actor=request.user, project=found, member_id=pk)
    except Invalid as error:
        messages.error(request, str(error))
        return redirect("accounts:members", found.slug)
    if user == request.user:
        messages.success(request, f"You have left {found.name}.")
        return redirect("accounts:projects")
    messages.success(request, f"{user.username} is no member any more.")
    return redirect("accounts:members", found.slug)

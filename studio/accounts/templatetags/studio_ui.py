"""Template tags and filters that every page may use: icons, form controls, states, intervals."""

from __future__ import annotations

from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField, BoundWidget
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from studio.accounts.icons import ICONS
from studio.accounts.interval import draw_interval
from studio.accounts.navigation import Navigation, navigate

register = template.Library()

_STATES = {
    "queued": ("text-quiet", "Queued"),
    "running": ("text-info state-busy", "Running"),
    "paused": ("text-info", "Paused"),
    "succeeded": ("text-success", "Succeeded"),
    "failed": ("text-error", "Failed"),
    "cancelled": ("text-quiet", "Cancelled"),
    "open": ("text-info", "In review"),
    "approved": ("text-success", "Approved"),
    "rejected": ("text-error", "Rejected"),
    "superseded": ("text-quiet", "Superseded"),
    "accept": ("text-success", "Accepted"),
    "reject": ("text-error", "Rejected"),
    "ok": ("text-success", "OK"),
    "problem": ("text-error", "Problem"),
}
_CONTROLS: list[tuple[type[forms.Widget], str]] = [
    (forms.CheckboxInput, "checkbox checkbox-primary checkbox-sm mt-0.5"),
    (forms.Textarea, "textarea"),
    (forms.RadioSelect, "radio radio-primary radio-sm"),
    (forms.CheckboxSelectMultiple, "checkbox checkbox-primary checkbox-sm"),
    (forms.Select, "select"),
    (forms.FileInput, "file-input"),
    (forms.widgets.Input, "input"),
]


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> Navigation:
    """What stands around a page. A tag, so that a partial for htmx does not ask for it."""
    return navigate(context.get("request"))


@register.simple_tag
def icon(name: str, classes: str = "size-5") -> SafeString:
    """The drawing called `name`; it says nothing to screen readers, so put words beside it."""
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{}</svg>',
        classes,
        mark_safe(ICONS[name]),
    )


@register.filter
def alert_icon(kind: str) -> str:
    """The icon of an alert's kind."""
    return kind if kind in ("success", "warning", "error") else "info"


@register.filter
def problem_text(problem: Any) -> str:
    """A problem as a sentence, whether it is one or holds one."""
    if isinstance(problem, dict):
        return str(problem.get("message", problem))
    return str(getattr(problem, "message", problem))


@register.filter
def audit_words(action: str) -> str:
    """`dataset.upload` as it reads between a name and a subject: “upload dataset”."""
    noun, _, verb = action.partition(".")
    return f"{verb.replace('-', ' ')} {noun}".strip() if verb else noun


@register.filter
def problem_title(status: int) -> str:
    """A heading for the page that shows a problem."""
    return {
        403: "You may not do this",
        404: "There is no such page",
        409: "Somebody was faster",
        422: "This does not fit yet",
    }.get(status, "This cannot be done")


@register.filter
def control(field: BoundField, extra: str = "") -> SafeString:
    """The form control of `field` with the site's classes and its help and errors announced."""
    widget = field.field.widget
    classes = next((names for kind, names in _CONTROLS if isinstance(widget, kind)), "input")
    described = []
    if field.errors:
        described.append(f"{field.auto_id}_error")
    if field.help_text:
        described.append(f"{field.auto_id}_helptext")
    names = [classes, widget.attrs.get("class", ""), extra]
    attrs: dict[str, str | bool] = {}
    if field.errors:
        names.append(f"{classes.split()[0]}-error")
        attrs["aria-invalid"] = "true"
    attrs["class"] = " ".join(filter(None, names))
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=attrs)


@register.filter
def choice_control(option: BoundWidget) -> SafeString:
    """One button or box of a group, with the site's classes."""
    kind = "radio" if option.data.get("type") == "radio" else "checkbox"
    option.data["attrs"]["class"] = f"{kind} {kind}-primary {kind}-sm mt-0.5 shrink-0"
    return mark_safe(option.tag())


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Whether the field is one box to tick."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_group(field: BoundField) -> bool:
    """Whether the field is several boxes or buttons."""
    return isinstance(field.field.widget, forms.RadioSelect | forms.CheckboxSelectMultiple)


@register.filter
def state_class(state: str) -> str:
    """The colour of a state."""
    return _STATES.get(str(state), ("text-quiet", ""))[0]


@register.filter
def state_label(state: str) -> str:
    """The state in words."""
    return _STATES.get(str(state), ("", str(state).replace("_", " ").capitalize()))[1]


@register.filter
def score(value: Any) -> str:
    """A score with three digits, or “unscored”."""
    return "unscored" if value is None else f"{float(value):.3f}"


@register.filter
def signed(value: Any) -> str:
    """A difference with its sign: +0.120, −0.030."""
    number = float(value)
    return f"{'−' if number < 0 else '+'}{abs(number):.3f}"


@register.filter
def dollars(value: Any) -> str:
    """Money with as many digits as it needs."""
    amount = float(value or 0)
    return "$0" if not amount else f"${amount:.2f}" if amount >= 1 else f"${amount:.4f}"


@register.inclusion_tag("components/interval.html")
def interval(baseline: float, compiled: float, low: float, high: float) -> dict[str, Any]:
    """Baseline beside compiled, with the 95 % interval of their difference around the compiled.

    `low` and `high` are the ends of the interval of the difference (compiled − baseline).
    """
    return {"chart": draw_interval(baseline, compiled, low, high)}

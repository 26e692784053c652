"""The addresses that the outline's links lead to."""

from __future__ import annotations

from django import template

from studio.pipelines.outline_page import query

register = template.Library()


@register.simple_tag
def outline_query(at: str, opened: str = "", section: str = "") -> str:
    """The end of a level’s address: `opened` is being edited, `section` alone is asked for."""
    return query(at, open=opened, section=section) or "?"

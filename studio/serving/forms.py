"""The form for a new key."""

from __future__ import annotations

from django import forms


class KeyForm(forms.Form):
    """Who will call with it."""

    name = forms.CharField(
        max_length=60,
        label="Name",
        help_text="Who will call with it, such as “web shop”. One key for each caller.",
    )

"""The app's name for Django."""

from __future__ import annotations

from django.apps import AppConfig


class ServingConfig(AppConfig):
    """See the app's models for what it holds."""

    name = "studio.serving"
    label = "serving"

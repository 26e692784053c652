"""The app's name for Django."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register


class RunsConfig(AppConfig):
    """See the app's models for what it holds."""

    name = "studio.runs"
    label = "runs"

    def ready(self) -> None:
        """Have the operator's tools read when the process starts, not when one is called."""
        register(check_tools)


def check_tools(**_: Any) -> list[CheckMessage]:
    """Problems of the setting STUDIO_TOOLS."""
    from studio.engine.errors import EngineError
    from studio.runs.equipment import operators_tools

    try:
        operators_tools()
    except EngineError as error:
        return [Error(f"STUDIO_TOOLS: {error}", id="studio.E001")]
    return []

"""Puts the built front end and the templates into the wheel; builds the front end if need be.

Where Node is missing it comes as a Python package, for the time of the build only. A source
distribution carries the built bundle, so that installing from one needs no Node at all.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

import frontend  # type: ignore[import-not-found]


class FrontendHook(BuildHookInterface[Any]):
    """See the module."""

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling."""
        if frontend.is_built() or frontend.node_on_path():
            return []
        return [frontend.NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the files are collected."""
        if version == "editable":
            return
        frontend.build()
        if self.target_name == "wheel":
            build_data["force_include"] |= {
                str(frontend.DIST): "studio/assets/frontend/dist",
                str(frontend.ROOT / "templates"): "studio/assets/templates",
            }

"""What must not be loaded by merely starting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.platform.processes import studio_environment

ROOT = Path(__file__).resolve().parents[2]


def loaded_after(code: str, tmp_path: Path) -> set[str]:
    """The top-level modules in memory after running `code` in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        env=studio_environment(tmp_path, DJANGO_SETTINGS_MODULE="studio.settings"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_neither_django_nor_the_addresses_nor_the_tasks_load_litellm(tmp_path: Path) -> None:
    code = (
        "import django; django.setup()\n"
        "import studio.urls\n"
        "from studio.celery import app; app.loader.import_default_modules()\n"
        "import studio.asgi\n"
    )
    loaded = loaded_after(code, tmp_path)
    assert "studio" in loaded
    assert loaded.isdisjoint({"litellm", "openai", "xllamacpp"})


def test_the_engine_loads_neither_django_nor_celery(tmp_path: Path) -> None:
    loaded = loaded_after("import studio.engine.graph.build, studio.engine.program", tmp_path)
    assert loaded.isdisjoint({"django", "celery", "kombu", "rest_framework", "litellm"})

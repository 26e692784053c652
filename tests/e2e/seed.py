"""Fills the database of the browser tests: `python -m tests.e2e.seed`."""

from __future__ import annotations

import django


def main() -> None:
    """Tables, alice and bob, a project with a scripted LM and two pipelines."""
    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)

    from studio.pipelines.starts import STARTS
    from tests import builders

    project = builders.make_project(
        admin=builders.make_user("alice"),
        reviewer=builders.make_user("bob"),
        viewer=builders.make_user("vera"),
    )
    builders.make_connection(project, model="support-triage")
    rows = [
        {"message": "My invoice was paid twice.", "category": "billing"},
        {"message": "The delivery of my parcel is late.", "category": "shipping"},
        {"message": "The invoice shows a penguin.", "category": "shipping"},
    ]
    splits = ["train", "dev", "train"]
    builders.make_dataset(project, "canvas-rows", rows=rows, splits=splits)
    builders.make_pipeline(project, "triage")
    builders.make_pipeline(project, "two-steps", spec=STARTS["two-steps"].make())
    builders.make_pipeline(project, "blank", spec=STARTS["empty"].make())


if __name__ == "__main__":
    main()

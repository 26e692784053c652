"""The app's name for Django, and what its workers can do."""

from __future__ import annotations

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    """See the app's models for what it holds."""

    name = "studio.datasets"
    label = "datasets"

    def ready(self) -> None:
        """Say what does each kind of chore."""
        from studio.datasets.browsing.indexing import make_index
        from studio.datasets.browsing.ordering import make_order
        from studio.datasets.chores import CHORES
        from studio.datasets.scanning.scan import make_scan

        CHORES.update({"index": make_index, "order": make_order, "scan": make_scan})

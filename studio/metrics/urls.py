"""Addresses of the project's metrics."""

from __future__ import annotations

from django.urls import path

from studio.metrics import api, version_views, views

app_name = "metrics"

urlpatterns = [
    path("metrics/", views.metrics, name="metrics"),
    path("metrics/new/", views.new_metric, name="new-metric"),
    path("metrics/try/<slug:kind>/", views.try_metric, name="try-metric"),
    path("metrics/<slug:slug>/", views.metric, name="metric"),
    path("metrics/<slug:slug>/delete/", views.delete_metric, name="delete-metric"),
    path("metrics/<slug:slug>/versions/", version_views.versions, name="versions"),
    path("metrics/<slug:slug>/versions/restore/", version_views.restore, name="restore-version"),
]
api_urlpatterns = [
    path("metrics/", api.metrics, name="metrics"),
    path("metric-kinds/", api.kinds, name="kinds"),
    path("metrics/<slug:slug>/", api.metric, name="metric"),
    path("metrics/<slug:slug>/versions/", api.versions, name="versions"),
    path("metrics/<slug:slug>/versions/<int:number>/", api.version, name="version"),
    path(
        "metrics/<slug:slug>/versions/<int:number>/restore/",
        api.restore,
        name="restore-version",
    ),
]

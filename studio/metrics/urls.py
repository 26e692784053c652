"""Addresses of the project's metrics."""

from __future__ import annotations

from django.urls import path

from studio.metrics import views

app_name = "metrics"

urlpatterns = [
    path("metrics/", views.metrics, name="metrics"),
    path("metrics/new/", views.new_metric, name="new-metric"),
    path("metrics/try/<slug:kind>/", views.try_metric, name="try-metric"),
    path("metrics/<slug:slug>/", views.metric, name="metric"),
    path("metrics/<slug:slug>/delete/", views.delete_metric, name="delete-metric"),
]

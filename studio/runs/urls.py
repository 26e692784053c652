"""Addresses of runs."""

from __future__ import annotations

from django.urls import path

from studio.runs import api, views
from studio.runs.compile_views import compile_estimate, compile_pipeline
from studio.runs.outline_views import try_from_outline

app_name = "runs"
urlpatterns = [
    path("pipelines/<slug:slug>/compile/", compile_pipeline, name="compile"),
    path("pipelines/<slug:slug>/compile/estimate/", compile_estimate, name="estimate"),
    path("pipelines/<slug:slug>/outline/try/", try_from_outline, name="outline-try"),
    path("runs/", views.runs, name="runs"),
    path("runs/matrix/<uuid:matrix>/", views.matrix, name="matrix"),
    path("runs/<uuid:run>/", views.run, name="run"),
    path("runs/<uuid:run>/cancel/", views.cancel, name="cancel"),
    path("runs/<uuid:run>/pause/", views.pause, name="pause"),
    path("runs/<uuid:run>/resume/", views.resume, name="resume"),
    path("runs/<uuid:run>/asked/", views.asked, name="asked"),
    path("runs/<uuid:run>/rows/", views.rows, name="rows"),
]
api_urlpatterns = [
    path("pipelines/<slug:pipeline>/try/", api.try_pipeline, name="try"),
    path("pipelines/<slug:pipeline>/last-try/", api.last_try, name="last-try"),
    path("pipelines/<slug:pipeline>/examples/", api.examples, name="examples"),
    path("runs/<uuid:run>/", api.run, name="run"),
    path("pipelines/<slug:pipeline>/compile/", api.compile_pipeline, name="compile"),
    path("runs/<uuid:run>/cancel/", api.cancel, name="cancel"),
    path("runs/<uuid:run>/pause/", api.pause, name="pause"),
    path("runs/<uuid:run>/resume/", api.resume, name="resume"),
]

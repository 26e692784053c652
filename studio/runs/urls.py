"""Addresses of runs."""

from __future__ import annotations

from django.urls import path

from studio.runs import api, views

app_name = "runs"
urlpatterns = [
    path("pipelines/<slug:slug>/compile/", views.compile_pipeline, name="compile"),
    path("pipelines/<slug:slug>/compile/estimate/", views.compile_estimate, name="estimate"),
    path("runs/", views.runs, name="runs"),
    path("runs/<uuid:run>/", views.run, name="run"),
    path("runs/<uuid:run>/cancel/", views.cancel, name="cancel"),
    path("runs/<uuid:run>/rows/", views.rows, name="rows"),
]
api_urlpatterns = [
    path("pipelines/<slug:pipeline>/try/", api.try_pipeline, name="try"),
    path("runs/<uuid:run>/", api.run, name="run"),
    path("runs/<uuid:run>/cancel/", api.cancel, name="cancel"),
]

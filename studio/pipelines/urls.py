"""Addresses of signatures, modules and pipelines."""

from __future__ import annotations

from django.urls import include, path

from studio.pipelines import api, views

app_name = "pipelines"
urlpatterns = [
    path("pipelines/", views.pipelines, name="pipelines"),
    path("pipelines/new/", views.new_pipeline, name="new-pipeline"),
    path("pipelines/upload/", views.upload_program, name="upload-program"),
    path("pipelines/<slug:slug>/", views.canvas, name="canvas"),
    path("pipelines/<slug:slug>/outline/", views.outline, name="outline"),
    path("pipelines/<slug:slug>/instructions/", views.upload_state, name="upload-state"),
    path("pipelines/<slug:slug>/rename/", views.rename, name="rename"),
    path("", include("studio.pipelines.signature_urls")),
]
api_urlpatterns = [
    path("palette/", api.palette, name="palette"),
    path("pipelines/<slug:pipeline>/", api.pipeline, name="pipeline"),
    path("pipelines/<slug:pipeline>/check/", api.check, name="check"),
]

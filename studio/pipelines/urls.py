"""Addresses of signatures, modules and pipelines."""

from __future__ import annotations

from django.urls import include, path

from studio.pipelines import api, code_api, version_views, versions_api, views
from studio.pipelines.constraints_views import constraints
from studio.pipelines.prompts_api import prompts

app_name = "pipelines"
urlpatterns = [
    path("pipelines/", views.pipelines, name="pipelines"),
    path("constraints/", constraints, name="constraints"),
    path("pipelines/new/", views.new_pipeline, name="new-pipeline"),
    path("pipelines/upload/", views.upload_program, name="upload-program"),
    path("pipelines/<slug:slug>/", views.canvas, name="canvas"),
    path("pipelines/<slug:slug>/outline/", include("studio.pipelines.outline_urls")),
    path("pipelines/<slug:slug>/instructions/", views.upload_state, name="upload-state"),
    path("pipelines/<slug:slug>/rename/", views.rename, name="rename"),
    path("pipelines/<slug:slug>/versions/", version_views.versions, name="versions"),
    path(
        "pipelines/<slug:slug>/versions/compare/",
        version_views.compare_page,
        name="compare-versions",
    ),
    path("pipelines/<slug:slug>/versions/restore/", version_views.restore, name="restore-version"),
    path("", include("studio.pipelines.signature_urls")),
]
api_urlpatterns = [
    path("palette/", api.palette, name="palette"),
    path("pipelines/<slug:pipeline>/", api.pipeline, name="pipeline"),
    path("pipelines/<slug:pipeline>/check/", api.check, name="check"),
    path("pipelines/<slug:pipeline>/prompts/", prompts, name="prompts"),
    path("pipelines/<slug:pipeline>/code/", code_api.code, name="code"),
    path("pipelines/<slug:pipeline>/read-code/", code_api.read_code, name="read-code"),
    path("pipelines/<slug:pipeline>/versions/", versions_api.versions, name="versions"),
    path("pipelines/<slug:pipeline>/versions/<int:number>/", versions_api.version, name="version"),
    path(
        "pipelines/<slug:pipeline>/versions/<int:number>/restore/",
        versions_api.restore_version,
        name="restore-version",
    ),
    path("pipelines/<slug:pipeline>/revisions/", versions_api.revisions, name="revisions"),
    path(
        "pipelines/<slug:pipeline>/revisions/<int:number>/", versions_api.revision, name="revision"
    ),
    path(
        "pipelines/<slug:pipeline>/revisions/<int:number>/restore/",
        versions_api.restore_revision,
        name="restore-revision",
    ),
]

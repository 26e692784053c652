"""Addresses of runs."""

from __future__ import annotations

from django.urls import path

from studio.runs import (
    api,
    comparison_views,
    evaluate_api,
    evaluate_views,
    evaluation_views,
    views,
)
from studio.runs.agreement_views import agreement, agreements, label_rows, retry_agreement
from studio.runs.compile_views import compile_estimate, compile_pipeline
from studio.runs.constraint_views import try_constraint
from studio.runs.metric_api import try_metric
from studio.runs.metric_views import metric_rows
from studio.runs.outline_views import try_from_outline
from studio.runs.to_dataset_views import result_to_dataset, try_to_dataset

app_name = "runs"
urlpatterns = [
    path("pipelines/<slug:slug>/compile/", compile_pipeline, name="compile"),
    path("pipelines/<slug:slug>/compile/estimate/", compile_estimate, name="estimate"),
    path("pipelines/<slug:slug>/outline/try/", try_from_outline, name="outline-try"),
    path("metrics/rows/<slug:kind>/", metric_rows, name="metric-rows"),
    path("metrics/<slug:slug>/agreement/", agreements, name="agreements"),
    path("metrics/<slug:slug>/agreement/<int:pk>/", agreement, name="agreement"),
    path("metrics/<slug:slug>/agreement/<int:pk>/retry/", retry_agreement, name="retry-agreement"),
    path("metrics/<slug:slug>/label/", label_rows, name="label-rows"),
    path("constraints/try/", try_constraint, name="try-constraint"),
    path("pipelines/<slug:slug>/evaluate/", evaluate_views.evaluate_pipeline, name="evaluate"),
    path(
        "pipelines/<slug:slug>/evaluate/estimate/",
        evaluate_views.evaluate_estimate,
        name="evaluate-estimate",
    ),
    path("pipelines/<slug:slug>/evaluations/", evaluate_views.evaluations, name="evaluations"),
    path("evaluations/new/", evaluate_views.choose_pipeline, name="evaluate-choose"),
    path("evaluations/compare/", comparison_views.compare, name="compare"),
    path("runs/", views.runs, name="runs"),
    path("runs/matrix/<uuid:matrix>/", views.matrix, name="matrix"),
    path("runs/<uuid:run>/", views.run, name="run"),
    path("runs/<uuid:run>/cancel/", views.cancel, name="cancel"),
    path("runs/<uuid:run>/pause/", views.pause, name="pause"),
    path("runs/<uuid:run>/resume/", views.resume, name="resume"),
    path("runs/<uuid:run>/asked/", views.asked, name="asked"),
    path("runs/<uuid:run>/rows/", views.rows, name="rows"),
    path("runs/<uuid:run>/to-dataset/", try_to_dataset, name="try-to-dataset"),
    path(
        "runs/<uuid:run>/results/<slug:example>/to-dataset/",
        result_to_dataset,
        name="result-to-dataset",
    ),
    path("runs/<uuid:run>/go-on/", evaluate_views.raise_caps, name="go-on"),
    path("runs/<uuid:run>/export/<slug:kind>/", evaluation_views.export, name="export"),
    path(
        "runs/<uuid:run>/results/<slug:example>/", evaluation_views.result_row, name="result-row"
    ),
]
api_urlpatterns = [
    path("try-metric/", try_metric, name="try-metric"),
    path("pipelines/<slug:pipeline>/try/", api.try_pipeline, name="try"),
    path("pipelines/<slug:pipeline>/last-try/", api.last_try, name="last-try"),
    path("pipelines/<slug:pipeline>/examples/", api.examples, name="examples"),
    path("runs/<uuid:run>/", api.run, name="run"),
    path("pipelines/<slug:pipeline>/compile/", api.compile_pipeline, name="compile"),
    path("pipelines/<slug:pipeline>/evaluate/", evaluate_api.evaluate, name="evaluate"),
    path("pipelines/<slug:pipeline>/evaluations/", evaluate_api.evaluations, name="evaluations"),
    path("evaluations/compare/", evaluate_api.compare, name="compare"),
    path("runs/<uuid:run>/results/", evaluate_api.results, name="results"),
    path("runs/<uuid:run>/go-on/", evaluate_api.raise_caps, name="go-on"),
    path("runs/<uuid:run>/cancel/", api.cancel, name="cancel"),
    path("runs/<uuid:run>/pause/", api.pause, name="pause"),
    path("runs/<uuid:run>/resume/", api.resume, name="resume"),
]

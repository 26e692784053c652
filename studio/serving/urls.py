"""Addresses of keys, and the one that callers call."""

from __future__ import annotations

from django.urls import path

from studio.serving import api, views
from studio.serving.to_dataset_views import call_to_dataset

app_name = "serving"
urlpatterns = [
    path("keys/", views.keys, name="keys"),
    path("keys/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("calls/<int:pk>/to-dataset/", call_to_dataset, name="call-to-dataset"),
]
api_urlpatterns = [
    path(
        "pipelines/<slug:pipeline>/releases/<slug:label>/predict",
        api.predict_view,
        name="predict",
    ),
]

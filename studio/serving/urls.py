"""Addresses of keys, and the one that callers call."""

from __future__ import annotations

from django.urls import path

from studio.serving import api, views

app_name = "serving"
urlpatterns = [
    path("keys/", views.keys, name="keys"),
    path("keys/<int:pk>/revoke/", views.revoke, name="revoke"),
]
api_urlpatterns = [
    path(
        "pipelines/<slug:pipeline>/releases/<slug:label>/predict",
        api.predict_view,
        name="predict",
    ),
]

"""Addresses of the outline."""

from __future__ import annotations

from django.urls import path

from studio.pipelines import outline_views as views

urlpatterns = [
    path("", views.outline, name="outline"),
    path("edit/", views.edit, name="outline-edit"),
    path("history/", views.history, name="outline-history"),
]

"""Addresses of datasets; `project` comes from the site map."""

from __future__ import annotations

from django.urls import path

from studio.datasets import api, views

app_name = "datasets"
urlpatterns = [
    path("datasets/", views.datasets, name="datasets"),
    path("datasets/upload/", views.upload, name="upload"),
    path("datasets/upload/<slug:token>/", views.map_upload, name="map-upload"),
    path("datasets/<slug:slug>/", views.dataset, name="dataset"),
    path("datasets/<slug:slug>/delete/", views.delete, name="delete"),
]
api_urlpatterns = [
    path("datasets/", api.datasets, name="datasets"),
    path("datasets/uploads/<slug:token>/", api.upload, name="upload"),
    path("datasets/<slug:slug>/", api.dataset, name="dataset"),
]

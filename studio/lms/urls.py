"""Addresses of the project's language models."""

from __future__ import annotations

from django.urls import path

from studio.lms import views

app_name = "lms"

urlpatterns = [
    path("lms/", views.connections, name="connections"),
    path("lms/new/", views.new_connection, name="new-connection"),
    path("lms/<slug:slug>/", views.connection, name="connection"),
    path("lms/<slug:slug>/test/", views.test_connection, name="test-connection"),
    path("lms/<slug:slug>/delete/", views.delete_connection, name="delete-connection"),
]

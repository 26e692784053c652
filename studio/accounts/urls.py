"""Addresses of signing in, projects and members."""

from __future__ import annotations

from django.urls import path

from studio.accounts import views

app_name = "accounts"

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("projects/", views.projects, name="projects"),
    path("p/<slug:project>/", views.project, name="project"),
    path("p/<slug:project>/members/", views.members, name="members"),
    path("p/<slug:project>/members/<int:pk>/role/", views.change_role, name="change-role"),
    path("p/<slug:project>/members/<int:pk>/remove/", views.remove_member, name="remove-member"),
]

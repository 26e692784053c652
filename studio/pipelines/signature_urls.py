"""Addresses of signatures and modules; `urls.py` takes them in."""

from __future__ import annotations

from django.urls import path

from studio.pipelines import module_views, signature_views

urlpatterns = [
    path("signatures/", signature_views.signatures, name="signatures"),
    path("signatures/new/", signature_views.new_signature, name="new-signature"),
    path("signatures/<slug:slug>/", signature_views.signature, name="signature"),
    path(
        "signatures/<slug:slug>/delete/", signature_views.delete_signature, name="delete-signature"
    ),
    path("modules/", module_views.modules, name="modules"),
    path("modules/new/", module_views.new_module, name="new-module"),
    path("modules/<slug:slug>/", module_views.module, name="module"),
    path("modules/<slug:slug>/delete/", module_views.delete_module, name="delete-module"),
]

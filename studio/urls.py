"""The site map. Names are `app:verb-or-noun`.

Every app but accounts stands under `/p/<project>/` and gets the project's slug as `project`.
"""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from studio.health import health

IN_PROJECT = ("lms", "datasets", "metrics", "pipelines", "runs", "reviews", "serving")

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/", health, name="health"),
    path("admin/", admin.site.urls),
    path("api/", include("studio.api")),
    path("", include("studio.accounts.urls")),
    *(path("p/<slug:project>/", include(f"studio.{app}.urls")) for app in IN_PROJECT),
]

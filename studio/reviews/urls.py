"""Addresses of reviews and releases."""

from __future__ import annotations

from django.urls import path

from studio.reviews import release_views, views

app_name = "reviews"
urlpatterns = [
    path("reviews/", views.reviews, name="reviews"),
    path("reviews/open/", views.open_review, name="open"),
    path("reviews/<int:pk>/", views.review, name="review"),
    path("reviews/<int:pk>/demos/", views.demos, name="demos"),
    path("reviews/<int:pk>/decide/", views.decide, name="decide"),
    path("reviews/<int:pk>/accept-rest/", views.accept_rest, name="accept-rest"),
    path("reviews/<int:pk>/rescore/", views.rescore, name="rescore"),
    path("reviews/<int:pk>/vote/", views.vote, name="vote"),
    path("reviews/<int:pk>/release/", release_views.release, name="release"),
    path("artifacts/<slug:hash>/<slug:kind>/", views.download, name="download"),
    path("releases/", release_views.releases, name="releases"),
    path("releases/<int:pk>/roll-back/", release_views.roll_back, name="roll-back"),
]

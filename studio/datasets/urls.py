"""Addresses of datasets; `project` comes from the site map."""

from __future__ import annotations

from django.urls import path

from studio.datasets import api, views
from studio.datasets.browsing import column_views, export_views, row_views
from studio.datasets.editing import add_views, bulk_views, version_views
from studio.datasets.editing import api as edit_api
from studio.datasets.editing import views as edit_views
from studio.datasets.scanning import api as findings_api
from studio.datasets.scanning import views as findings_views
from studio.datasets.splits import api as split_api
from studio.datasets.splits import views as split_views
from studio.datasets.uploading import api as upload_api
from studio.datasets.uploading import views as upload_views

app_name = "datasets"
urlpatterns = [
    path("datasets/", views.datasets, name="datasets"),
    path("datasets/upload/", upload_views.upload, name="upload"),
    path("datasets/upload/<slug:token>/", upload_views.map_upload, name="map-upload"),
    path(
        "datasets/upload/<slug:token>/problems.csv",
        upload_views.upload_problems,
        name="upload-problems",
    ),
    path("datasets/<slug:slug>/", views.dataset, name="dataset"),
    path("datasets/<slug:slug>/rows/<int:number>/", row_views.row, name="row"),
    path("datasets/<slug:slug>/export/<slug:kind>/", export_views.export, name="export"),
    path("datasets/<slug:slug>/columns/", column_views.columns, name="columns"),
    path("datasets/<slug:slug>/again/", column_views.again, name="again"),
    path("datasets/<slug:slug>/delete/", views.delete, name="delete"),
    path("datasets/<slug:slug>/rows/add/", add_views.add_rows, name="add-rows"),
    path("datasets/<slug:slug>/rows/delete/", edit_views.delete_rows, name="delete-rows"),
    path("datasets/<slug:slug>/rows/<int:number>/edit/", edit_views.edit_row, name="edit-row"),
    path("datasets/<slug:slug>/rows/<int:number>/cell/", edit_views.cell, name="cell"),
    path("datasets/<slug:slug>/bulk/", bulk_views.bulk, name="bulk"),
    path("datasets/<slug:slug>/versions/", version_views.versions, name="versions"),
    path(
        "datasets/<slug:slug>/versions/compare/",
        version_views.compare_versions,
        name="compare-versions",
    ),
    path(
        "datasets/<slug:slug>/versions/restore/",
        version_views.restore_version,
        name="restore-version",
    ),
    path("datasets/<slug:slug>/versions/<int:number>/undo/", edit_views.undo, name="undo"),
    path("datasets/<slug:slug>/splits/", split_views.splits, name="splits"),
    path("datasets/<slug:slug>/splits/undo/", split_views.undo, name="undo-split"),
    path("datasets/<slug:slug>/splits/seal/", split_views.seal, name="seal"),
    path("datasets/<slug:slug>/splits/unseal/", split_views.unseal, name="unseal"),
    path("datasets/<slug:slug>/findings/", findings_views.page, name="findings"),
]
api_urlpatterns = [
    path("datasets/", api.datasets, name="datasets"),
    path("datasets/uploads/", upload_api.announce, name="uploads"),
    path("datasets/uploads/<slug:token>/", upload_api.upload, name="upload"),
    path("datasets/uploads/<slug:token>/data/", upload_api.data, name="upload-data"),
    path("datasets/uploads/<slug:token>/problems/", upload_api.problems, name="upload-problems"),
    path("datasets/<slug:slug>/", api.dataset, name="dataset"),
    path("datasets/<slug:slug>/rows/", edit_api.rows, name="rows"),
    path("datasets/<slug:slug>/rows/<int:number>/", edit_api.row, name="row"),
    path("datasets/<slug:slug>/versions/", edit_api.versions, name="versions"),
    path("datasets/<slug:slug>/versions/compare/", edit_api.differences, name="differences"),
    path("datasets/<slug:slug>/versions/restore/", edit_api.restore, name="restore-version"),
    path("datasets/<slug:slug>/splits/", split_api.splits, name="splits"),
    path("datasets/<slug:slug>/seal/", split_api.seal, name="seal"),
    path("datasets/<slug:slug>/unseal/", split_api.unseal, name="unseal"),
    path("datasets/<slug:slug>/openings/", split_api.openings, name="openings"),
    path("datasets/<slug:slug>/findings/", findings_api.listing, name="findings"),
    path("datasets/<slug:slug>/findings/scan/", findings_api.scan, name="findings-scan"),
    path("datasets/<slug:slug>/findings/waive/", findings_api.waive, name="findings-waive"),
    path("datasets/<slug:slug>/findings/unwaive/", findings_api.unwaive, name="findings-unwaive"),
    path("datasets/<slug:slug>/findings/resolve/", findings_api.resolve, name="findings-resolve"),
]

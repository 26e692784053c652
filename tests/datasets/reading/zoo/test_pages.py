"""Every animal through the upload page: a dataset's beginning, or a sentence, never an error."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project, User
from studio.datasets.models import Upload
from studio.datasets.uploading import working
from tests.datasets.builders import nothing_is_left, post_file
from tests.datasets.reading.zoo.animal import Animal
from tests.datasets.reading.zoo.animals import ZOO

pytestmark = pytest.mark.django_db


def titles(animal: Animal) -> str:
    return animal.title


@pytest.mark.parametrize("animal", ZOO, ids=titles)
def test_the_page_takes_it_or_says_why_not(
    as_alice: Client, alice: User, project: Project, settings: Any, animal: Animal
) -> None:
    settings.STUDIO_MAX_UPLOAD_MB = 200
    answer = post_file(as_alice, animal.make(), animal.filename)
    if answer.status_code != 302:
        assert answer.status_code == 422
        assert animal.refused
        assert animal.refused in text_of(answer)
        assert nothing_is_left()
        return
    upload = Upload.objects.get()
    if upload.state == Upload.State.RECEIVED:
        working.work(upload.pk)  # what a worker does
        upload.refresh_from_db()
    page = as_alice.get(upload.get_absolute_url())
    assert page.status_code == 200
    if animal.refused:
        assert upload.state == Upload.State.REFUSED
        assert animal.refused in upload.error
        assert animal.refused in text_of(page)
    else:
        assert upload.state == Upload.State.READY, upload.error
        assert upload.report["left_out"] == animal.left_out
        count = animal.rows if isinstance(animal.rows, int) else len(animal.rows)
        assert upload.report["kept"] == count


def text_of(answer: Any) -> str:
    """The page without its escapes."""
    return html.unescape(answer.content.decode())

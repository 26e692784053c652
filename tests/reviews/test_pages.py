"""The pages of reviews and releases."""

from __future__ import annotations

import pytest
from django.test import Client

from studio.accounts.models import User
from studio.pipelines.wording import word_diff
from studio.reviews import services
from studio.reviews.items import read_items
from studio.reviews.models import Review
from studio.reviews.wording import shifts

pytestmark = pytest.mark.django_db


def test_the_inbox_lists_what_was_compiled_before_anybody_opened_it(
    kit: object, artifact: object, as_bob: Client
) -> None:
    page = as_bob.get("/p/support/reviews/").content.decode()
    assert "not opened yet" in page
    assert "Open for review" in page


def test_a_decision_by_htmx_gives_back_the_card_the_list_and_the_vote(
    review: Review, as_bob: Client
) -> None:
    item = read_items(review).demos[0]
    answer = as_bob.post(
        f"{review.get_absolute_url()}decide/",
        {"path": item.path, "demo": item.key, "verdict": "reject", "reason": "Wrong <b>tone</b>"},
        headers={"HX-Request": "true"},
    )
    text = answer.content.decode()
    assert answer.status_code == 200
    assert f'id="{item.id}"' in text
    assert 'id="checklist"' in text
    assert 'id="vote"' in text
    assert text.count('hx-swap-oob="true"') == 2
    assert "&lt;b&gt;tone" in text
    plain = as_bob.post(
        f"{review.get_absolute_url()}decide/",
        {"path": item.path, "demo": item.key, "verdict": "accept"},
    )
    assert plain.status_code == 302, "it works without JavaScript"


def test_the_page_shows_the_prompt_that_the_lm_read(review: Review, as_bob: Client) -> None:
    page = as_bob.get(review.get_absolute_url()).content.decode()
    assert "Sort the message into one category." in page
    assert "The exact prompt" in page
    assert "[system]" in page
    assert "From row" in page


def test_a_viewer_reads_but_has_no_buttons(review: Review) -> None:
    viewer = User.objects.create_user("vera")
    review.project.memberships.create(user=viewer, role="viewer")
    client = Client()
    client.force_login(viewer)
    page = client.get(review.get_absolute_url()).content.decode()
    assert "A reviewer or an admin of the project decides here" in page
    assert 'value="reject"' not in page
    answer = client.post(f"{review.get_absolute_url()}accept-rest/")
    assert answer.status_code == 403


def test_a_decided_review_offers_the_release(review: Review, bob: User, as_bob: Client) -> None:
    services.accept_rest(actor=bob, review=review)
    services.approve(actor=bob, review=review, hash=review.artifact.hash, note="Fine.")
    page = as_bob.get(review.get_absolute_url()).content.decode()
    assert "Release as production" in page
    assert "Fine." in page
    assert "Approved, not released" in as_bob.get("/p/support/releases/").content.decode()


def test_a_word_diff_tells_what_was_added_and_removed() -> None:
    pieces = word_diff("Sort the message.", "Sort each message well.")
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == (
        "Sort each message well."
    )
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == "Sort the message."


def test_calibration_is_told_in_words() -> None:
    found = shifts({"a": 1.0, "b": -1.0, "c": 0.0})
    assert [shift.label for shift in found] == ["a", "c", "b"]
    assert found[0].words == "2.7 times more readily"
    assert found[1].words == "as the model has it"
    assert found[2].words == "2.7 times less readily"
    assert shifts({}) == ()

"""Files that arrive in pieces: in order, once, not more than announced, on a disk with room."""

from __future__ import annotations

import errno
import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from studio.accounts.models import Membership, Project, Role, User
from studio.datasets.claims import Claim
from studio.datasets.models import Dataset, Upload
from studio.datasets.uploading import receiving, storage, uploads
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import builders
from tests.datasets.builders import make_csv, make_file, nothing_is_left, stored_files

URL = "/api/projects/support/datasets/uploads/"
CONTENT = make_csv().encode()


def announce(actor: User, project: Project, **values: Any) -> Upload:
    """An upload of CONTENT of which nothing is here."""
    known = {"filename": "messages.csv", "size": len(CONTENT)}
    return receiving.announce(actor=actor, project=project, **{**known, **values})


def send(actor: User, upload: Upload, offset: int, piece: bytes) -> Upload:
    """A piece, through the service."""
    return receiving.take_piece(
        actor=actor, upload=upload, offset=offset, stream=io.BytesIO(piece), length=len(piece)
    )


def put(client: Client, token: str, offset: Any, piece: bytes, **more: Any) -> Any:
    """A piece, through the API."""
    kind = more.pop("content_type", "application/octet-stream")
    return client.put(f"{URL}{token}/data/?offset={offset}", piece, kind, **more)


def test_pieces_become_a_file_that_is_checked(alice: User, project: Project) -> None:
    upload = announce(alice, project)
    assert (upload.state, upload.arrived, stored_files()) == (Upload.State.ARRIVING, 0, [])
    for offset in range(0, len(CONTENT), 40):
        upload = send(alice, upload, offset, CONTENT[offset : offset + 40])
        assert upload.arrived == min(offset + 40, len(CONTENT))
    assert upload.state == Upload.State.READY
    assert upload.report["rows"] == 4
    assert storage.path_of(upload.token).read_bytes() == CONTENT


def test_the_api_takes_pieces_and_says_where_to_go_on(as_alice: Client, project: Project) -> None:
    answer = as_alice.post(URL, {"filename": "m.csv", "size": len(CONTENT)}, "application/json")
    assert answer.status_code == 201, answer.json()
    token = answer.json()["token"]
    assert (answer.json()["state"], answer.json()["arrived"]) == ("arriving", 0)
    assert put(as_alice, token, 0, CONTENT[:50]).json()["arrived"] == 50
    for wrong in (0, 10, 49, 60):
        answer = put(as_alice, token, wrong, CONTENT[50:])
        assert answer.status_code == 409
        assert (answer.json()["arrived"], answer.json()["state"]) == (50, "arriving")
    assert as_alice.get(f"{URL}{token}/").json()["arrived"] == 50
    answer = as_alice.patch(
        f"{URL}{token}/data/?offset=50", CONTENT[50:], "application/octet-stream"
    )
    assert answer.json()["state"] == "ready"
    assert put(as_alice, token, len(CONTENT), b"more").status_code == 409
    assert as_alice.post(f"{URL}{token}/", {}, "application/json").status_code == 201
    assert Dataset.objects.get().row_count == 4


def test_more_than_announced_is_refused(as_alice: Client, project: Project) -> None:
    upload = announce(User.objects.get(username="alice"), project)
    answer = put(as_alice, upload.token, 0, CONTENT + b"more")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert f"announced with {len(CONTENT):,} bytes" in answer.json()["message"]
    assert put(as_alice, upload.token, 0, CONTENT).json()["state"] == "ready"


def test_a_piece_of_unknown_length_is_cut_off(alice: User, project: Project) -> None:
    upload = announce(alice, project)
    with pytest.raises(Invalid, match="More bytes came than were announced"):
        receiving.take_piece(
            actor=alice, upload=upload, offset=0, stream=io.BytesIO(CONTENT * 2), length=None
        )
    assert storage.path_of(upload.token).stat().st_size == 0
    assert send(alice, upload, 0, CONTENT).state == Upload.State.READY


def test_a_piece_may_not_be_huge(
    alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "LARGEST_PIECE", 100)
    upload = announce(alice, project, size=1_000)
    with pytest.raises(Invalid, match="A piece has at most"):
        send(alice, upload, 0, b"x" * 101)


@pytest.mark.parametrize("offset", ["", "-1", "x", "1e3", "٣", "9" * 30])
def test_an_offset_is_a_number(as_alice: Client, project: Project, offset: str) -> None:
    upload = announce(User.objects.get(username="alice"), project)
    assert put(as_alice, upload.token, offset, b"a").status_code == 422


def test_another_content_type_is_refused(as_alice: Client, project: Project) -> None:
    upload = announce(User.objects.get(username="alice"), project)
    answer = put(as_alice, upload.token, 0, b"a=b", content_type="application/json")
    assert answer.status_code == 415


def test_two_writers_at_once(alice: User, project: Project) -> None:
    upload = announce(alice, project)
    other = Claim(Upload.objects.filter(state=Upload.State.ARRIVING), upload.pk)
    assert other.held
    with pytest.raises(Conflict, match="just being written") as raised:
        send(alice, upload, 0, CONTENT)
    assert raised.value.extra == {"arrived": 0, "state": "arriving"}
    other.mine.update(owner="")
    stale = Upload.objects.get(pk=upload.pk)
    send(alice, upload, 0, CONTENT[:20])
    with pytest.raises(Conflict, match="20 bytes are here"):
        send(alice, stale, 0, CONTENT[:20])
    assert send(alice, stale, 20, CONTENT[20:]).state == Upload.State.READY


def test_a_piece_that_breaks_off_is_written_over(alice: User, project: Project) -> None:
    upload = announce(alice, project)
    send(alice, upload, 0, CONTENT[:30])

    class Broken:
        """Gives some bytes, then breaks."""

        given = False

        def read(self, size: int) -> bytes:
            if self.given:
                raise ConnectionResetError
            self.given = True
            return b"these are not the right bytes"

    with pytest.raises(ConnectionResetError):
        receiving.take_piece(actor=alice, upload=upload, offset=30, stream=Broken())
    assert storage.path_of(upload.token).stat().st_size == 30
    assert send(alice, upload, 30, CONTENT[30:]).state == Upload.State.READY
    assert storage.path_of(upload.token).read_bytes() == CONTENT


def test_an_upload_that_is_thrown_away_meanwhile_leaves_no_file(
    alice: User, project: Project
) -> None:
    upload = announce(alice, project)

    class Slow(io.BytesIO):
        """While it is read, somebody throws the upload away."""

        def read(self, size: int | None = -1) -> bytes:
            Upload.objects.all().delete()
            return super().read(size)

    with pytest.raises(NotFound, match="thrown away"):
        receiving.take_piece(actor=alice, upload=upload, offset=0, stream=Slow(CONTENT[:10]))
    assert nothing_is_left()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"filename": "a.png"}, "not a file that can be read"),
        ({"filename": ""}, "not a file that can be read"),
        ({"size": 0}, "is empty"),
        ({"size": 5 * 2**40}, "is the most"),
    ],
)
def test_what_will_not_be_taken_is_refused_before_it_is_sent(
    alice: User, project: Project, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        announce(alice, project, **values)
    assert nothing_is_left()


def test_a_refused_file_leaves_nothing(as_alice: Client, project: Project) -> None:
    upload = announce(User.objects.get(username="alice"), project, size=9)
    answer = put(as_alice, upload.token, 0, b"%PDF-1.7 ")
    assert answer.status_code == 422
    assert "PDF" in answer.json()["message"]
    assert nothing_is_left()


def test_a_disk_without_room_refuses_at_once(
    as_alice: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil_usage(free=10 * storage.MEGABYTE)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    answer = as_alice.post(URL, {"filename": "m.csv", "size": 5}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (507, "no-room")
    assert "10 MB left" in answer.json()["message"]
    assert nothing_is_left()


def shutil_usage(*, free: int) -> Any:
    """What `shutil.disk_usage` says."""
    return type("usage", (), {"total": free, "used": 0, "free": free})


def test_a_disk_that_fills_up_keeps_what_was_there(
    as_alice: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = announce(User.objects.get(username="alice"), project)
    put(as_alice, upload.token, 0, CONTENT[:30])

    def full(file: Any, block: bytes) -> None:
        file.write(block[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(storage, "_write_all", full)
        answer = put(as_alice, upload.token, 30, CONTENT[30:])
    assert (answer.status_code, answer.json()["code"]) == (507, "no-room")
    assert storage.path_of(upload.token).stat().st_size == 30
    assert put(as_alice, upload.token, 30, CONTENT[30:]).json()["state"] == "ready"


@pytest.mark.parametrize("door", ["page", "api", "pieces"])
def test_a_disk_that_is_full_when_rows_are_staged(
    as_alice: Client, project: Project, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    upload = announce(User.objects.get(username="alice"), project) if door == "pieces" else None

    def full(*_args: Any) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr("studio.datasets.uploading.importing.Stage._write", full)
    file = {"file": make_file(CONTENT)}
    if upload:
        answer = put(as_alice, upload.token, 0, CONTENT)
    elif door == "api":
        answer = as_alice.post("/api/projects/support/datasets/", file)
    else:
        answer = as_alice.post("/p/support/datasets/upload/", file)
    assert answer.status_code == 507
    assert "disk is full" in answer.content.decode()
    assert nothing_is_left()


def test_a_disk_that_is_full_when_it_is_kept(
    as_alice: Client, alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = send(alice, announce(alice, project), 0, CONTENT)

    def full(*_args: Any, **_values: Any) -> None:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("studio.datasets.uploading.working.publish", full)
        uploads.keep(
            actor=alice, upload=upload, checked=uploads.choices_hash(upload), leave_out=False
        )
    upload.refresh_from_db()
    assert (upload.state, Dataset.objects.count()) == (Upload.State.READY, 0)
    assert "disk is full" in upload.error
    page = as_alice.get(upload.get_absolute_url()).content.decode()
    assert "disk is full" in page


def test_strangers_viewers_and_other_projects(
    as_alice: Client, alice: User, charlie: User, project: Project
) -> None:
    upload = announce(alice, project)
    dana = builders.make_user("dana")
    Membership.objects.create(project=project, user=dana, role=Role.VIEWER)
    other = builders.make_project("Other", "other", admin=charlie)
    for user, error in ((dana, NotAllowed), (charlie, NotFound)):
        with pytest.raises(error):
            announce(user, project)
        with pytest.raises(error):
            send(user, upload, 0, CONTENT)
    body = {"filename": "m.csv", "size": 5}
    for user, status in ((dana, 403), (charlie, 404)):
        client = builders.make_client(user)
        assert client.post(URL, body, "application/json").status_code == status
        assert put(client, upload.token, 0, CONTENT).status_code == status
        assert client.delete(f"{URL}{upload.token}/").status_code == status
    elsewhere = f"/api/projects/{other.slug}/datasets/uploads/{upload.token}"
    as_charlie = builders.make_client(charlie)
    kind = "application/octet-stream"
    assert as_charlie.put(f"{elsewhere}/data/?offset=0", b"a", kind).status_code == 404
    assert as_charlie.get(f"{elsewhere}/").status_code == 404
    assert as_charlie.get(f"{elsewhere}/problems/").status_code == 404
    assert Client().put(f"{URL}{upload.token}/data/?offset=0", b"a", kind).status_code == 401
    upload.refresh_from_db()
    assert (upload.arrived, stored_files()) == (0, [])


def test_a_session_needs_the_csrf_token(alice: User, project: Project) -> None:
    upload = announce(alice, project)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert put(browser, upload.token, 0, CONTENT).status_code == 403
    assert stored_files() == []


def test_what_does_not_arrive_any_further_is_removed_after_a_day(
    alice: User, project: Project
) -> None:
    abandoned, slow = announce(alice, project), announce(alice, project)
    for upload in (abandoned, slow):
        send(alice, upload, 0, CONTENT[:10])
    long_ago = timezone.now() - timedelta(days=2)
    Upload.objects.update(created_at=long_ago)
    Upload.objects.filter(pk=abandoned.pk).update(heartbeat_at=long_ago)
    receiving.forget_old()
    assert list(Upload.objects.all()) == [slow]
    assert stored_files() == [slow.token]


def test_files_without_an_upload_are_removed_after_a_day(
    alice: User, project: Project, data_dir: Path
) -> None:
    upload = announce(alice, project)
    send(alice, upload, 0, CONTENT[:10])
    lost, fresh, not_ours = (data_dir / "uploads" / name for name in ("a" * 32, "b" * 32, "notes"))
    for path in (lost, fresh, not_ours):
        path.write_bytes(b"x")
    long_ago = (timezone.now() - timedelta(days=2)).timestamp()
    for path in (lost, not_ours, storage.path_of(upload.token)):
        os.utime(path, (long_ago, long_ago))
    receiving.forget_old()
    assert stored_files() == sorted([fresh.name, not_ours.name, upload.token])


def test_a_name_is_no_path(alice: User, project: Project) -> None:
    for name in ("../../etc/a.csv", "C:\\Users\\alice\\a.csv", "/a.csv", "x\0/a.csv"):
        assert announce(alice, project, filename=name).filename == "a.csv"


def test_half_a_file_is_told_and_cannot_be_kept(as_alice: Client, project: Project) -> None:
    upload = announce(User.objects.get(username="alice"), project)
    put(as_alice, upload.token, 0, CONTENT[:30])
    page = as_alice.get(upload.get_absolute_url()).content.decode()
    assert "Go on with the upload" in page
    assert "messages.csv broke off" in as_alice.get("/p/support/datasets/upload/").content.decode()
    answer = as_alice.post(f"{URL}{upload.token}/", {}, "application/json")
    assert answer.status_code == 422
    assert "30 of" in answer.json()["message"]
    answer = as_alice.post(upload.get_absolute_url(), {"action": "keep"}, follow=True)
    assert answer.status_code == 200
    assert not Dataset.objects.exists()
    assert as_alice.delete(f"{URL}{upload.token}/").status_code == 204
    assert nothing_is_left()

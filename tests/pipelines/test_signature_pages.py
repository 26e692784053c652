"""Pages of signatures and modules: a line and a table that say the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.pipelines.models import Module, Signature
from tests import builders

URL = "/p/support/signatures/"
MODULES = "/p/support/modules/"
HTMX = {"HX-Request": "true"}
LINE = "message -> category: enum[billing, shipping]"


def typed(text: str = LINE, was: str = LINE, rows: str = "", **more: Any) -> dict[str, Any]:
    """What the form sends; `rows` is written `role name: type | description`, one a line."""
    cells = [row.partition("|") for row in rows.strip().splitlines()]
    heads = [cell[0].strip().partition(" ") for cell in cells]
    return {
        "name": "Triage",
        "text": text,
        "was": was,
        "field_role": [head[0] for head in heads],
        "field_name": [head[2].partition(":")[0].strip() for head in heads],
        "field_type": [head[2].partition(":")[2].strip() for head in heads],
        "field_description": [cell[2].strip() for cell in cells],
        "instruction": "",
        **more,
    }


ROWS = """
input message: str
output category: enum[billing, shipping] | What it is about.
"""


@pytest.fixture
def as_viewer(project: Project) -> Client:
    viewer = builders.make_user("viewer")
    Membership.objects.create(project=project, user=viewer, role=Role.VIEWER)
    return builders.make_client(viewer)


@pytest.mark.parametrize(
    "path",
    [URL, f"{URL}new/", f"{URL}triage/", MODULES, f"{MODULES}new/", f"{MODULES}classify/"],
)
def test_a_stranger_cannot_open_it(as_charlie: Client, project: Project, path: str) -> None:
    builders.make_module(project, signature=builders.make_signature(project))
    assert as_charlie.get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        f"{URL}new/",
        f"{URL}triage/",
        f"{URL}triage/delete/",
        f"{MODULES}new/",
        f"{MODULES}classify/",
        f"{MODULES}classify/delete/",
    ],
)
def test_a_viewer_cannot_write(as_viewer: Client, project: Project, path: str) -> None:
    builders.make_module(project, signature=builders.make_signature(project))
    assert as_viewer.post(path, typed(name="Mine", rows=ROWS)).status_code == 403
    assert Signature.objects.get().name == "Triage"
    assert Module.objects.get().name == "Classify"


def test_a_viewer_reads(as_viewer: Client, project: Project) -> None:
    builders.make_module(project, signature=builders.make_signature(project))
    for path in (URL, f"{URL}triage/", MODULES, f"{MODULES}classify/"):
        page = as_viewer.get(path)
        assert page.status_code == 200
        assert ">Save<" not in page.content.decode().replace('aria-hidden="true">Save<', "")


def test_the_page_shows_line_table_and_prompts(as_alice: Client, project: Project) -> None:
    builders.make_signature(project)
    page = as_alice.get(f"{URL}triage/").content.decode()
    assert "message -&gt; category: enum[billing, shipping]" in page
    assert 'name="field_name" value="category"' in page
    assert "Message: ‹message›" in page
    assert "Prompt in the format chat" in page


def test_a_new_signature_is_saved_from_the_line(as_alice: Client, project: Project) -> None:
    line = "question, context: list[str] -> answer, sure: bool"
    answer = as_alice.post(f"{URL}new/", typed(line, rows=ROWS, instruction="Answer briefly."))
    row = Signature.objects.get()
    assert answer["Location"] == f"{URL}triage/"
    assert [field["name"] for field in row.spec["fields"]] == [
        "question",
        "context",
        "answer",
        "sure",
    ]
    assert row.spec["instruction"] == "Answer briefly."
    assert AuditEntry.objects.get().detail == {"fields": line}


def test_a_signature_is_saved_from_the_table_when_the_line_has_not_changed(
    as_alice: Client, project: Project
) -> None:
    row = builders.make_signature(project)
    rows = "input message: str | What they wrote.\noutput urgent: bool"
    as_alice.post(f"{URL}triage/", typed(rows=rows))
    row.refresh_from_db()
    assert row.spec["fields"] == [
        builders.make_field("message", role="input", description="What they wrote."),
        builders.make_field("urgent", "bool", role="output"),
    ]


def test_a_changed_line_keeps_the_descriptions(as_alice: Client, project: Project) -> None:
    row = builders.make_signature(project)
    as_alice.post(f"{URL}triage/", typed("message, age: int -> category", rows=ROWS))
    row.refresh_from_db()
    assert row.spec["fields"][2]["description"] == "What it is about."


def test_the_table_follows_the_line(as_alice: Client, project: Project) -> None:
    data = typed("a, b: int -> c", rows=ROWS, action="text")
    page = as_alice.post(f"{URL}new/", data, headers=HTMX).content.decode()
    assert page.strip().startswith('<fieldset class="field" id="fields"')
    assert 'name="field_name" value="b"' in page
    assert 'id="was" name="was" value="a, b: int -&gt; c" hx-swap-oob="true"' in page
    assert 'id="preview"' in page
    assert 'id="text"' not in page
    assert not Signature.objects.exists()


def test_the_line_follows_the_table(as_alice: Client, project: Project) -> None:
    data = typed(rows="input x: float\noutput y: str", action="table")
    page = as_alice.post(f"{URL}new/", data, headers=HTMX).content.decode()
    assert "x: float -&gt; y</textarea>" in page
    assert 'id="fields"' not in page


@pytest.mark.parametrize(
    ("action", "line"),
    [
        ("add-input", "message, input -&gt; category: enum[billing, shipping]"),
        ("add-output", "message -&gt; category: enum[billing, shipping], output"),
    ],
)
def test_rows_are_added(as_alice: Client, project: Project, action: str, line: str) -> None:
    data = typed(rows=ROWS, action=action)
    page = as_alice.post(f"{URL}new/", data, headers=HTMX).content.decode()
    assert line in page
    assert page.count('name="field_name"') == 3


def test_rows_are_removed_and_moved(as_alice: Client, project: Project) -> None:
    rows = "input a: str\ninput b: str\noutput c: str"

    def line(action: str) -> str:
        data = typed("a, b -> c", "a, b -> c", rows, action=action)
        page = as_alice.post(f"{URL}new/", data, headers=HTMX).content.decode()
        return page.partition("</textarea>")[0].rpartition(">")[2]

    assert line("remove:0") == "b -&gt; c"
    assert line("down:0") == "b, a -&gt; c"
    assert line("up:1") == "b, a -&gt; c"
    for action in ("up:0", "down:2", "remove:99", "remove:x"):
        assert line(action) == "a, b -&gt; c"


def test_buttons_work_without_javascript(as_alice: Client, project: Project) -> None:
    page = as_alice.post(f"{URL}new/", typed(rows=ROWS, action="add-input", name="Half typed"))
    assert page.status_code == 200
    assert 'value="Half typed"' in page.content.decode()
    assert page.content.decode().count('name="field_name"') == 3


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("message", "exactly one"),
        ("a -> b -> c", "exactly one"),
        ("a ->", "name is missing"),
        ("a, a -> b", "stands twice"),
        ("A Message -> b", "is not a field name"),
        ("a -> b: enum[one]", "two labels or more"),
        ("a -> b: dictionary", "is not a type"),
        ("a -> b: enum[x", "not closed"),
        ("a -> " + "b" * 21_000, "longer than 20,000"),
    ],
)
def test_a_line_that_cannot_be_read_gets_a_sentence(
    as_alice: Client, project: Project, line: str, sentence: str
) -> None:
    page = as_alice.post(f"{URL}new/", typed(line, rows=ROWS))
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert not Signature.objects.exists()
    live = as_alice.post(f"{URL}new/", typed(line, rows=ROWS, action="text"), headers=HTMX)
    assert live.status_code == 200
    assert sentence in live.content.decode()
    assert 'id="preview"' not in live.content.decode()


def test_a_row_in_the_middle_of_being_typed_disturbs_nothing(
    as_alice: Client, project: Project
) -> None:
    data = typed(rows="input : str\noutput c: str", action="table")
    answer = as_alice.post(f"{URL}new/", data, headers=HTMX)
    assert answer.headers["HX-Reswap"] == "none"
    assert "is not a field name" in answer.content.decode()
    assert "<textarea" not in answer.content.decode()


def test_a_signature_needs_a_name(as_alice: Client, project: Project) -> None:
    page = as_alice.post(f"{URL}new/", typed(rows=ROWS, name=" "))
    assert page.status_code == 422
    assert "field-error" in page.content.decode()


def test_what_was_typed_is_never_run(as_alice: Client, project: Project) -> None:
    rows = "input a: str | <script>alert(1)</script>\noutput b: str"
    as_alice.post(f"{URL}new/", typed("a -> b", "a -> b", rows, instruction="</pre><b>x</b>"))
    page = as_alice.get(f"{URL}triage/").content.decode()
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page


def test_a_stored_signature_that_cannot_be_read_can_be_repaired(
    as_alice: Client, project: Project
) -> None:
    builders.make_signature(project, spec={"fields": "broken"})
    assert "cannot be read" in as_alice.get(URL).content.decode()
    page = as_alice.get(f"{URL}triage/")
    assert page.status_code == 200
    assert "needs a list of fields" in page.content.decode()
    as_alice.post(f"{URL}triage/", typed("a -> b", was=""))
    assert Signature.objects.get().spec["fields"][0]["name"] == "a"


def test_a_signature_that_a_module_uses_stays(as_alice: Client, project: Project) -> None:
    builders.make_module(project, signature=builders.make_signature(project))
    page = as_alice.post(f"{URL}triage/delete/", follow=True).content.decode()
    assert "is used by Classify" in page
    as_alice.post(f"{MODULES}classify/delete/")
    as_alice.post(f"{URL}triage/delete/")
    assert not Signature.objects.exists()


def test_a_module_is_made_and_changed(as_alice: Client, project: Project) -> None:
    signature = builders.make_signature(project)
    data = {"name": "Classify", "kind": "predict", "signature": signature.pk, "temperature": "0.5"}
    assert as_alice.post(f"{MODULES}new/", data)["Location"] == MODULES
    module = Module.objects.get()
    assert (module.slug, module.params) == ("classify", {"temperature": 0.5})
    as_alice.post(f"{MODULES}classify/", {**data, "kind": "chain_of_thought", "temperature": ""})
    module.refresh_from_db()
    assert (module.kind, module.params) == ("chain_of_thought", {})


@pytest.mark.parametrize(
    "change",
    [{"kind": "magic"}, {"signature": "99"}, {"name": ""}, {"temperature": "9"}],
)
def test_a_module_that_does_not_fit_is_refused(
    as_alice: Client, project: Project, change: dict[str, str]
) -> None:
    signature = builders.make_signature(project)
    data = {"name": "Classify", "kind": "predict", "signature": signature.pk, **change}
    page = as_alice.post(f"{MODULES}new/", data)
    assert page.status_code == 422
    assert "field-error" in page.content.decode()
    assert not Module.objects.exists()


def test_a_signature_of_another_project_is_not_offered(
    as_alice: Client, charlie: User, project: Project
) -> None:
    builders.make_signature(project)
    other = builders.make_project("Other", "other", admin=charlie)
    foreign = builders.make_signature(other, "foreign")
    data = {"name": "Mine", "kind": "predict", "signature": foreign.pk}
    assert as_alice.post(f"{MODULES}new/", data).status_code == 422
    assert "Foreign" not in as_alice.get(f"{MODULES}new/").content.decode()


def test_a_module_needs_a_signature_first(as_alice: Client, project: Project) -> None:
    assert "First a signature" in as_alice.get(f"{MODULES}new/").content.decode()
    assert "Write a signature" in as_alice.get(MODULES).content.decode()


def test_a_step_that_would_have_two_fields_of_one_name_is_refused(
    as_alice: Client, project: Project
) -> None:
    spec = {
        "fields": [
            builders.make_field("message", role="input"),
            builders.make_field("reasoning", role="output"),
        ],
        "instruction": "",
    }
    signature = builders.make_signature(project, spec=spec)
    data = {"name": "Think", "kind": "chain_of_thought", "signature": signature.pk}
    page = as_alice.post(f"{MODULES}new/", data)
    assert page.status_code == 422
    assert "rename yours" in page.content.decode()
    assert not Module.objects.exists()


def test_another_kind_of_module_has_other_settings(as_alice: Client, project: Project) -> None:
    builders.make_signature(project)
    page = as_alice.get("/p/support/modules/new/?kind=react").content.decode()
    assert 'name="tools"' in page
    assert 'name="tools"' not in as_alice.get("/p/support/modules/new/").content.decode()
    for needs_parts in ("branch", "router", "subpipeline"):
        assert f'value="{needs_parts}"' not in page

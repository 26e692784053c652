"""The outline: every edit as a plain form, and what becomes of a bad one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project, User
from studio.engine.graph import check, empty_spec
from studio.pipelines.models import Pipeline
from studio.pipelines.services import save_pipeline
from tests.builders import (
    make_client,
    make_connection,
    make_module,
    make_pipeline,
    make_project,
    make_spec,
    make_user,
)

pytestmark = pytest.mark.django_db

PAGE = "/p/support/pipelines/triage/outline/"


def saved(project: Project) -> dict[str, Any]:
    """What is drawn now."""
    spec: dict[str, Any] = project.pipelines.get().spec
    return spec


def node(project: Project, name: str) -> dict[str, Any]:
    """The node that is called so."""
    found: dict[str, Any] = next(one for one in saved(project)["nodes"] if one["name"] == name)
    return found


def post(client: Client, project: Project, *, htmx: bool = False, **data: Any) -> Any:
    """Send a form of the outline; it was made of what is saved now unless it says otherwise."""
    form = {"at": "", "revision": project.pipelines.get().revision}
    form |= {key.replace("__", "."): value for key, value in data.items()}
    if "node" in form and form.get("op", "save") == "save":
        form["form"] = "step"
    headers = {"hx-request": "true"} if htmx else {}
    return client.post(f"{PAGE}edit/", form, headers=headers)


def done(answer: Any) -> None:
    """The edit was made."""
    assert answer.status_code == 302, answer.content.decode()[:3000]


def refused(answer: Any, says: str, status: int = 422) -> None:
    """The edit was not made, and the page says why."""
    html = answer.content.decode()
    assert answer.status_code == status, html[:2000]
    assert says in html


def test_two_steps_are_built_from_nothing(as_alice: Client, project: Project) -> None:
    make_pipeline(project, spec=empty_spec())
    done(post(as_alice, project, node="input", text="topic"))
    for name, after, signature in (
        ("plan", "input", "topic -> points: list[str]"),
        ("write", "n3", "points: list[str] -> text"),
    ):
        done(
            post(
                as_alice,
                project,
                op="add",
                what="kind:predict",
                name=name,
                after=after,
                signature=signature,
            )
        )
    answer = post(as_alice, project, op="expose:text", node="n4")
    done(answer)
    assert check(saved(project)) == ()
    assert answer.headers["Location"] == f"{PAGE}?open=n4#node-n4"
    assert "Ready to compile" in as_alice.get(answer.headers["Location"]).content.decode()


def test_a_step_is_changed_in_one_go(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    make_connection(project, "small")
    done(
        post(
            as_alice,
            project,
            node="n2",
            name="sort",
            kind="chain_of_thought",
            text="body, hint: optional[str] -> category: enum[billing, shipping]",
            instruction="Sort it.",
            lm="small",
        )
    )
    step = node(project, "sort")
    assert (step["kind"], step["lm"]) == ("chain_of_thought", "small")
    assert step["signature"]["instruction"] == "Sort it."
    assert [field["name"] for field in step["signature"]["fields"]] == ["body", "hint", "category"]
    assert project.pipelines.get().revision == 2


def test_fields_are_changed_in_the_table(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    form: dict[str, Any] = {
        "node": "n2",
        "field__0__name": "body",
        "field__0__description": "What they wrote.",
        "field__0__max_length": "500",
        "field__0__default": "nothing",
    }
    done(post(as_alice, project, **form))
    field = node(project, "classify")["signature"]["fields"][0]
    assert field["name"] == "body"
    assert (field["constraints"], field["default"]) == ({"max_length": 500}, "nothing")
    assert saved(project)["edges"][0]["target_field"] == "body"
    done(post(as_alice, project, node="n2", op="add-output"))
    done(post(as_alice, project, node="n2", op="field-up:2"))
    done(post(as_alice, project, node="n2", op="field-remove:2"))
    names = [one["name"] for one in node(project, "classify")["signature"]["fields"]]
    assert names == ["body", "output"]


def test_inputs_are_wired_cut_and_converted(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    done(post(as_alice, project, node="n1", text="message, lines: list[str]"))
    done(post(as_alice, project, node="n2", wire__message=""))
    assert len(saved(project)["edges"]) == 1
    html = as_alice.get(f"{PAGE}?open=n2").content.decode()
    assert "gets nothing" in html
    assert "via Join lines" in html
    assert "(list[str] does not fit into str.)" in html
    way = json.dumps(["n1", "lines", "join_lines"])
    done(post(as_alice, project, node="n2", wire__message=way))
    assert check(saved(project)) == ()
    assert node(project, "join_lines")["kind"] == "convert"
    done(post(as_alice, project, node="n2", wire__message=json.dumps(["n1", "message"])))
    refused(
        post(as_alice, project, node="n2", wire__message=json.dumps(["n1", "lines"])),
        "does not fit into str",
    )
    refused(post(as_alice, project, node="n2", wire__message="what"), "nothing that message")


def test_settings_of_the_kind(as_alice: Client, project: Project) -> None:
    make_pipeline(project, spec=make_spec(kind="majority"))
    form: dict[str, Any] = {
        "node": "n2",
        "params_of": "majority",
        "p-step": "chain_of_thought",
        "p-temperature": "0.7",
    }
    form["p-samples"] = "7"
    done(post(as_alice, project, **form))
    assert node(project, "classify")["params"] == {"samples": 7}
    revision = project.pipelines.get().revision
    form["p-samples"] = "many"
    refused(post(as_alice, project, **form), "whole number")
    assert project.pipelines.get().revision == revision


def test_pinned_demos(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    done(post(as_alice, project, node="n2", op="add-demo"))
    done(
        post(
            as_alice, project, node="n2", demo__0__message="Hi\r\nBob", demo__0__category="billing"
        )
    )
    assert node(project, "classify")["demos"] == [{"message": "Hi\nBob", "category": "billing"}]
    refused(post(as_alice, project, node="n2", demo__0__category="weather"), "Demo 1, category")
    done(post(as_alice, project, node="n2", op="demo-remove:0"))
    assert "demos" not in node(project, "classify")


def test_a_step_is_copied_moved_and_removed(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    done(post(as_alice, project, node="n2", op="duplicate"))
    done(post(as_alice, project, node="n2", op="move:down"))
    assert node(project, "classify")["position"] == {"x": 320, "y": 40}
    done(post(as_alice, project, node="n2", op="remove"))
    assert [one["name"] for one in saved(project)["nodes"]] == ["input", "output", "classify_2"]


def test_steps_are_chosen_grouped_and_taken_apart(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    done(post(as_alice, project, op="group", chosen=["n2"], name="sorting"))
    assert check(saved(project)) == ()
    group = node(project, "sorting")
    page = as_alice.get(f"{PAGE}?at={group['id']}.body")
    assert "sorting: body" in page.content.decode()
    done(post(as_alice, project, at=f"{group['id']}.body", node="n2", name="inner"))
    assert node(project, "sorting")["parts"]["body"]["nodes"][1]["name"] == "inner"
    done(post(as_alice, project, node=group["id"], op="ungroup"))
    assert check(saved(project)) == ()
    assert node(project, "inner")
    for op in ("copy-chosen", "move-chosen:left", "remove-chosen"):
        done(post(as_alice, project, op=op, chosen=[node(project, "inner")["id"]]))
        refused(post(as_alice, project, op=op), "Choose the steps first")
    done(post(as_alice, project, op="tidy"))


def test_pipelines_inside_come_and_go(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    done(post(as_alice, project, node="n2", kind="subpipeline"))
    done(post(as_alice, project, node="n2", op="add-part:body"))
    html = as_alice.get(PAGE).content.decode()
    assert "?at=n2.body" in html
    assert "of another type" in html or "gets nothing" in html
    done(post(as_alice, project, node="n2", op="part-remove:body"))
    refused(post(as_alice, project, node="n2", op="add-part:cellar"), "no pipeline “cellar”")


def test_a_module_of_the_project_becomes_a_step(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    make_module(project, "sorter")
    done(post(as_alice, project, op="add", what="module:sorter", after="n1"))
    assert node(project, "sorter")["module"] == "sorter"
    refused(post(as_alice, project, op="add", what="module:gone"), "There is no module", 404)


def test_notes(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    done(post(as_alice, project, op="note", text="Ask <Bob>."))
    note = saved(project)["notes"][0]
    assert "Ask &lt;Bob&gt;." in as_alice.get(PAGE).content.decode()
    done(post(as_alice, project, op=f"note:{note['id']}", text="Ask Vera."))
    assert saved(project)["notes"][0]["text"] == "Ask Vera."
    done(post(as_alice, project, op=f"note-remove:{note['id']}"))
    assert "notes" not in saved(project)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"node": "n9", "name": "x"}, "no node “n9”"),
        ({"node": "n2", "name": "Not A Name"}, "is not a name"),
        ({"node": "n2", "name": "output"}, "Another node is called"),
        ({"node": "n2", "kind": "magic"}, "cannot become"),
        ({"node": "n2", "text": "a b c"}, "exactly one"),
        ({"node": "n2", "text": "x" * 30_000}, "longer than 20,000"),
        ({"node": "n2", "instruction": "x" * 30_000}, "letters"),
        ({"node": "n2", "lm": "x" * 300}, "no short name"),
        ({"node": "n2", "field__0__min": "3"}, "says nothing about"),
        ({"node": "n2", "field__0__type": "wrong"}, "is not a type"),
        ({"node": "n2", "instruction": "a\0b"}, "character zero"),
        ({"node": "n2", "op": "explode"}, "nothing that can be done"),
        ({"node": "n2", "op": "field-up:x"}, "no place in the table"),
        ({"node": "n2", "op": "field-remove:99"}, "no field 100"),
        ({"node": "n2", "op": "move:off"}, "is no way"),
        ({"node": "n2", "op": "expose:nothing"}, "has no output"),
        ({"op": "add", "what": "kind:magic"}, "no kind of node"),
        ({"op": "add", "what": ""}, "Choose what kind"),
        ({"op": "add", "what": "kind:predict", "after": "n9"}, "no node"),
        ({"op": "group", "chosen": ["n1"]}, "an end of the pipeline"),
        ({"op": "note", "text": ""}, "The note is empty"),
        ({"op": "tidy", "at": "n2.body"}, "no pipeline “body”"),
        ({"op": "tidy", "at": "n2"}, "leads to no pipeline"),
        ({"op": "tidy", "at": "../../etc"}, "leads to no pipeline"),
        ({"op": "tidy", "revision": ""}, "which revision"),
        ({"op": "tidy", "revision": "-1"}, "which revision"),
        ({"op": "tidy", "revision": "9" * 5_000}, "which revision"),
    ],
    ids=lambda value: None if isinstance(value, str) else next(reversed(value)),
)
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "htmx"])
def test_a_bad_form_gets_a_sentence_and_changes_nothing(
    as_alice: Client, project: Project, form: dict[str, Any], says: str, htmx: bool
) -> None:
    make_pipeline(project)
    answer = post(as_alice, project, htmx=htmx, **form)
    html = answer.content.decode()
    assert answer.status_code in (404, 422), html[:2000]
    assert says in html
    assert saved(project) == make_spec()
    assert project.pipelines.get().revision == 1


def test_what_was_typed_stays_when_it_is_refused(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    answer = post(
        as_alice, project, node="n2", name="Bad Name", instruction="A long <b>thought</b>."
    )
    html = answer.content.decode()
    assert 'value="Bad Name"' in html
    assert "A long &lt;b&gt;thought&lt;/b&gt;." in html
    assert "This was not saved" in html


def test_bad_addresses(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    for query, status in (
        ("?at=n2", 422),
        ("?at=n2.body", 404),
        ("?open=nobody", 200),
        ("?at=" + "x." * 900, 422),
    ):
        assert as_alice.get(PAGE + query).status_code == status
    answer = as_alice.get(f"{PAGE}?section=gone", headers={"hx-request": "true"})
    assert answer.status_code == 422
    assert as_alice.get(f"{PAGE}edit/").status_code == 405


def test_only_authors_edit(db: None) -> None:
    viewer, stranger = make_user("viewer"), make_user("stranger")
    project = make_project(viewer=viewer)
    make_pipeline(project)
    html = make_client(viewer).get(f"{PAGE}?open=n2").content.decode()
    assert "classify" in html
    assert "<form" not in html.split('id="outline"')[1]
    for client, status in ((make_client(viewer), 403), (make_client(stranger), 404)):
        assert post(client, project, op="tidy").status_code == status
        answer = client.post(f"{PAGE}history/", {"revision": 1, "op": "undo"})
        assert answer.status_code == status
    assert saved(project) == make_spec()


def by_bob(pipeline: Pipeline, bob: User, called: str, **changes: Any) -> None:
    """Bob, an author now, changes a node and saves."""
    pipeline.project.memberships.filter(user=bob).update(role="author")
    pipeline.refresh_from_db()
    spec = json.loads(json.dumps(pipeline.spec))
    step = next(one for one in spec["nodes"] if one["name"] == called)
    for key, value in changes.items():
        if key == "instruction":
            step["signature"]["instruction"] = value
        else:
            step[key] = value
    save_pipeline(actor=bob, pipeline=pipeline, spec=spec, base_revision=pipeline.revision)


def test_an_edit_of_a_step_that_nobody_touched_goes_on_top(
    as_alice: Client, project: Project, bob: User
) -> None:
    pipeline = make_pipeline(project)
    by_bob(pipeline, bob, "output", name="result")
    answer = post(as_alice, project, revision=1, node="n2", name="sort")
    done(answer)
    html = as_alice.get(answer.headers["Location"]).content.decode()
    assert "bob has saved in the meantime; your change is made to that" in html
    assert [one["name"] for one in saved(project)["nodes"]] == ["input", "sort", "result"]


def test_an_edit_of_a_step_that_somebody_changed_asks_first(
    as_alice: Client, project: Project, bob: User
) -> None:
    pipeline = make_pipeline(project)
    by_bob(pipeline, bob, "classify", instruction="Bob says.")
    answer = post(
        as_alice,
        project,
        revision=1,
        node="n2",
        name="sort",
        instruction="Sort the message into one category.",
    )
    refused(answer, "bob has saved Triage", 409)
    html = answer.content.decode()
    assert 'value="sort"' in html
    assert "Make my change to theirs" in html
    assert "instruction" in html.lower()
    assert node(project, "classify")["signature"]["instruction"] == "Bob says."
    done(
        post(
            as_alice,
            project,
            began=1,
            node="n2",
            name="sort",
            instruction="Sort the message into one category.",
        )
    )
    assert node(project, "sort")["signature"]["instruction"] == "Bob says."


def test_an_edit_of_a_step_that_is_gone_says_so(
    as_alice: Client, project: Project, bob: User, alice: User
) -> None:
    pipeline = make_pipeline(project)
    spec = make_spec()
    spec["nodes"].pop(1)
    spec["edges"] = []
    save_pipeline(actor=alice, pipeline=pipeline, spec=spec, base_revision=1)
    refused(
        post(as_alice, project, revision=1, node="n2", name="sort"), "alice has saved Triage", 409
    )


def test_changes_are_undone_and_redone_in_turn(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    for name in ("a", "b", "c"):
        done(post(as_alice, project, node="n2", name=name))

    def go(op: str, status: int = 302) -> str:
        revision = project.pipelines.get().revision
        answer = as_alice.post(f"{PAGE}history/", {"revision": revision, "op": op})
        assert answer.status_code == status
        return str(saved(project)["nodes"][1]["name"])

    assert [go("undo"), go("undo")] == ["b", "a"]
    assert go("redo") == "b"
    assert [go("undo"), go("undo")] == ["a", "classify"]
    assert go("undo", 422) == "classify"
    assert [go("redo"), go("redo"), go("redo")] == ["a", "b", "c"]
    assert go("redo", 422) == "c"
    assert go("undo") == "b"
    done(post(as_alice, project, node="n2", name="d"))
    assert go("redo", 422) == "d"
    assert [go("undo"), go("undo")] == ["b", "a"]


def test_htmx_gets_what_changed_and_leaves_the_rest_alone(
    as_alice: Client, project: Project
) -> None:
    make_pipeline(project)
    answer = post(as_alice, project, htmx=True, node="n2", instruction="New.", open=["n2", "n3"])
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in html
    assert 'id="now" name="now" value="2"' in html
    assert html.count('hx-preserve="true"') == 2
    assert 'id="node-n2-save"' in html
    assert "Saved." in html


def test_htmx_opens_one_step(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    headers = {"hx-request": "true"}
    html = as_alice.get(f"{PAGE}?open=n2&section=n2", headers=headers).content.decode()
    assert html.count("<section") == 1
    assert 'id="node-n2-text"' in html
    html = as_alice.get(f"{PAGE}?section=n2", headers=headers).content.decode()
    assert "<form" not in html


def test_a_strange_id_is_no_danger(as_alice: Client, project: Project) -> None:
    spec = make_spec()
    spec["nodes"][1]["id"] = '"><script>alert(1)</script> .%'
    for edge in spec["edges"]:
        for end in ("source", "target"):
            edge[end] = spec["nodes"][1]["id"] if edge[end] == "n2" else edge[end]
    make_pipeline(project, spec=spec)
    html = as_alice.get(PAGE).content.decode()
    assert "<script>alert" not in html
    done(post(as_alice, project, node=spec["nodes"][1]["id"], name="sort"))
    assert node(project, "sort")


@pytest.mark.parametrize("spec", [{}, [], {"version": 9, "nodes": [], "edges": []}, {"nodes": 3}])
def test_what_is_no_pipeline_is_shown_and_not_edited(
    as_alice: Client, project: Project, spec: Any
) -> None:
    make_pipeline(project, spec=spec)
    assert as_alice.get(PAGE).status_code == 200
    refused(post(as_alice, project, op="tidy"), "no pipeline that can be edited")


def test_three_hundred_steps_are_one_quick_page(as_alice: Client, project: Project) -> None:
    spec = make_spec()
    step = spec["nodes"][1]
    spec["nodes"] += [{**step, "id": f"s{number}", "name": f"s{number}"} for number in range(300)]
    make_pipeline(project, spec=spec)
    answer = as_alice.get(f"{PAGE}?open=s7")
    assert answer.status_code == 200
    assert len(answer.content) < 1_500_000

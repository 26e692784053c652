"""Running on the canvas: all of it, a part of it, on values written by hand, and by keyboard."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.board import SignIn, at_rest, node, select, tab_to

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("worker")]
CATEGORY = "enum[billing, shipping]"
A_RUN = 90_000
_numbers = itertools.count(1)


def test_all_of_it_runs_and_every_step_shows_what_it_wrote(sign_in: SignIn) -> None:
    page = sign_in("alice")
    open_two_steps(page)
    panel = open_panel(page)
    panel.get_by_role("button", name="Run").click()
    expect(panel.get_by_text("Write something.")).to_be_visible()
    expect(panel.get_by_label("Message")).to_be_focused()
    panel.get_by_label("Message").fill("The invoice is <b>wrong</b>.")
    panel.get_by_role("button", name="Run").click()
    expect_done(page)
    expect(footer(page, "summarise")).to_contain_text("Done")
    expect(footer(page, "summarise")).to_contain_text("It is about: invoice")
    expect(footer(page, "classify").locator(".node-answer")).to_contain_text("billing")
    expect(panel.locator(".try-outputs")).to_contain_text("billing")
    panel.locator(".try-step > summary").filter(has_text="summarise").click()
    panel.get_by_text("What the model read").click()
    expect(panel.locator(".prompt").first).to_contain_text("The invoice is <b>wrong</b>.")
    panel.get_by_role("button", name="Show it on the board").click()
    expect(inspector(page).get_by_label("Name", exact=True)).to_have_value("summarise")
    expect(last_run(page)).to_contain_text("The invoice is <b>wrong</b>.")


def test_it_runs_until_a_step_and_then_that_step_alone(sign_in: SignIn) -> None:
    page = sign_in("alice")
    open_two_steps(page)
    select(page, "classify")
    only = last_run(page).get_by_role("button", name="Run only this step")
    expect(only).to_have_attribute("aria-disabled", "true")
    expect(last_run(page)).to_contain_text("summarise has no value yet: run until here first.")

    menu(page, "summarise").get_by_role("menuitem", name="Run until here").click()
    panel = page.locator(".try")
    panel.get_by_label("Message").fill("The invoice is wrong.")
    menu(page, "summarise").get_by_role("menuitem", name="Run until here").click()
    expect_done(page)
    expect(footer(page, "summarise")).to_contain_text("Done")
    expect(footer(page, "classify")).to_contain_text("Skipped")
    expect(panel.locator(".try-phase")).to_contain_text("until summarise")

    select(page, "classify")
    expect(only).to_have_attribute("aria-disabled", "false")
    only.click()
    expect(footer(page, "classify").locator(".node-answer")).to_contain_text("billing")
    expect(footer(page, "summarise")).to_contain_text("As given")


def test_a_value_is_written_over_and_the_rest_runs_with_it(sign_in: SignIn) -> None:
    page = sign_in("alice")
    open_two_steps(page)
    run_all(page, "The invoice is wrong.")
    select(page, "summarise")
    last_run(page).get_by_role("button", name="Edit what it wrote").click()
    last_run(page).get_by_label("Summary").fill("My delivery is late.")
    expect(footer(page, "summarise")).to_contain_text("edited")
    expect(footer(page, "classify")).to_contain_text("out of date")
    last_run(page).get_by_role("button", name="Run the rest with this").click()
    expect(footer(page, "classify").locator(".node-answer")).to_contain_text(
        "shipping", timeout=A_RUN
    )
    expect(footer(page, "summarise")).to_contain_text("My delivery is late.")
    expect(footer(page, "classify")).not_to_contain_text("out of date")

    last_run(page).get_by_role("button", name="Back to what it wrote").click()
    expect(footer(page, "summarise")).to_contain_text("It is about: invoice")
    expect(footer(page, "classify")).to_contain_text("out of date")


def test_a_row_of_a_dataset_fills_the_inputs(sign_in: SignIn) -> None:
    page = sign_in("alice")
    open_two_steps(page)
    panel = open_panel(page)
    panel.get_by_text("Take the inputs from a dataset").click()
    panel.get_by_label("Dataset", exact=True).select_option("canvas-rows")
    panel.get_by_label("Rows that hold this text").fill("parcel")
    expect(panel.get_by_text("1 row", exact=True)).to_be_visible()
    panel.locator(".try-row-list button").click()
    expect(panel.get_by_text("Row 2 of Canvas Rows")).to_be_visible()
    expect(panel.get_by_label("Message")).to_have_value("The delivery of my parcel is late.")
    panel.get_by_role("button", name="Run").click()
    expect_done(page)
    expect(panel.locator(".try-expected.is-same")).to_contain_text("as in the dataset")

    panel.locator(".try-dataset > summary").click()
    panel.get_by_label("Rows that hold this text").fill("penguin")
    panel.locator(".try-row-list button").click()
    panel.get_by_role("button", name="Run again").click()
    expect(panel.locator(".try-expected.is-other")).to_contain_text(
        "the dataset says: shipping", timeout=A_RUN
    )


def test_a_failure_is_shown_at_its_step_and_what_was_done_before_stays(sign_in: SignIn) -> None:
    page = sign_in("alice")
    open_drawing(page, FAILING)
    panel = run_all(page, "The invoice is wrong.", ends="It failed")
    expect(footer(page, "summarise")).to_contain_text("Done")
    expect(footer(page, "count")).to_contain_text("Failed")
    expect(footer(page, "count").locator(".node-error")).not_to_be_empty()
    panel.get_by_role("button", name=re.compile("count failed")).click()
    expect(inspector(page).get_by_label("Name", exact=True)).to_have_value("count")
    expect(last_run(page)).to_contain_text("It is about: invoice")


def test_what_the_lm_writes_is_seen_at_its_step_and_can_be_stopped(sign_in: SignIn) -> None:
    page = sign_in("alice")
    open_two_steps(page)
    told = {"state": "running", "error": "", "report": {}, "live": {"nodes": HALF_WAY}}

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            told.update(state="cancelled")
        route.fulfill(json=told)

    page.route(re.compile(r"/api/projects/support/runs/"), answer)
    panel = open_panel(page)
    panel.get_by_label("Message").fill("Hello")
    panel.get_by_role("button", name="Run").click()
    expect(footer(page, "summarise")).to_contain_text("Done")
    stream = footer(page, "classify").locator(".node-stream")
    expect(stream).to_have_text("second <i>line</i>\nthird")
    expect(stream).to_have_attribute("aria-hidden", "true")
    expect(page.locator("[role=status]").filter(has_text="summarise: done.")).to_have_count(1)
    at_rest(page)
    footer(page, "classify").get_by_role("button", name="Cancel the run").click()
    expect(panel.locator(".try-phase")).to_contain_text("Cancelled")
    expect(footer(page, "classify")).to_contain_text("Skipped")


def test_the_last_try_is_there_at_the_next_visit(sign_in: SignIn) -> None:
    page = sign_in("alice")
    open_two_steps(page)
    run_all(page, "The invoice is wrong.")
    page.reload()
    expect(footer(page, "classify")).to_contain_text("Last time")
    expect(footer(page, "classify").locator(".node-answer")).to_contain_text("billing")
    expect(footer(page, "classify")).not_to_contain_text("out of date")
    panel = open_panel(page)
    expect(panel.get_by_label("Message")).to_have_value("The invoice is wrong.")
    select(page, "summarise")
    inspector(page).get_by_label("Instruction", exact=True).fill("Be brief.")
    expect(footer(page, "summarise")).to_contain_text("out of date")
    expect(footer(page, "classify")).to_contain_text("out of date")


def test_it_runs_by_keyboard_alone(sign_in: SignIn) -> None:
    page = sign_in("alice")
    open_two_steps(page)
    page.keyboard.press("Alt+r")
    message = page.locator(".try").get_by_label("Message")
    expect(message).to_be_focused()
    page.keyboard.type("The invoice is wrong.")
    page.keyboard.press("Alt+r")
    expect(message).to_have_value(re.compile("wrong"))
    page.get_by_role("button", name="Zoom to fit").focus()
    page.keyboard.press("Alt+r")
    expect_done(page)

    node(page, "classify").focus()
    tab_to(page, page.get_by_role("button", name="Run classify"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Run until here")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Run only this step")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Run classify")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".try-phase")).to_contain_text("only classify")
    expect_done(page)

    select(page, "summarise")
    node(page, "summarise").focus()
    page.keyboard.press("Shift+Alt+r")
    expect(page.locator(".try-phase")).to_contain_text("until summarise")
    expect_done(page)


def test_steps_inside_of_a_step_show_how_they_fared(sign_in: SignIn) -> None:
    page = sign_in("alice")
    open_drawing(page, NESTED, "whole")
    run_all(page, "The invoice is wrong.")
    expect(footer(page, "whole").locator(".node-answer")).to_contain_text("billing")
    page.get_by_role("button", name="Close the panel").click()
    at_rest(page)
    node(page, "whole").locator(".chip").click()
    expect(footer(page, "classify").locator(".node-answer")).to_contain_text("billing")
    expect(page.get_by_role("button", name="Run classify")).to_have_count(0)
    select(page, "classify")
    expect(last_run(page)).to_contain_text("It is about: invoice")
    expect(last_run(page).get_by_role("button", name="Run until here")).to_have_count(0)


def test_who_may_only_look_sees_values_and_runs_nothing(sign_in: SignIn) -> None:
    page = sign_in("vera")
    page.goto("/p/support/pipelines/triage/")
    expect(page.get_by_role("button", name="Run classify")).to_have_count(0)
    panel = open_panel(page)
    expect(panel.get_by_role("button", name="Run")).to_be_disabled()
    expect(panel.get_by_text("Authors of the project may run it.")).to_be_visible()
    page.get_by_role("button", name="Zoom to fit").focus()
    page.keyboard.press("Alt+r")
    expect(page.locator(".said")).to_contain_text("Authors of the project may run it.")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_runs_on_a_phone(sign_in: SignIn, theme: str) -> None:
    page = sign_in("alice", width=390, height=844, theme=theme)
    open_two_steps(page)
    panel = open_panel(page)
    panel.get_by_label("Message").fill("The invoice is wrong.")
    panel.get_by_role("button", name="Run").click()
    expect_done(page)
    assert panel.evaluate("panel => panel.scrollWidth - panel.clientWidth") <= 0
    expect(panel.locator(".try-outputs")).to_contain_text("billing")


HALF_WAY = {
    "summarise": {"state": "done", "seconds": 0.4, "calls": 1, "outputs": {"summary": "s"}},
    "classify": {"state": "running", "text": "first\nsecond <i>line</i>\nthird\n"},
}


def field(name: str, type_: str = "str", **more: str) -> dict[str, str]:
    return {"name": name, "type": type_, "description": "", **more}


def step(id_: str, name: str, x: int, source: dict[str, str], target: dict[str, str]) -> Any:
    fields = [{**source, "role": "input"}, {**target, "role": "output"}]
    position = {"x": x, "y": 0}
    signature = {"fields": fields, "instruction": ""}
    base = {"id": id_, "kind": "predict", "name": name, "position": position}
    return {**base, "signature": signature, "params": {}, "module": ""}


def end(id_: str, kind: str, x: int, *fields: dict[str, str]) -> Any:
    position = {"x": x, "y": 0}
    return {"id": id_, "kind": kind, "name": kind, "position": position, "fields": list(fields)}


def chain(*fields: str) -> list[dict[str, str]]:
    """A wire from each node to the next, of the fields' names."""
    return [
        {
            "id": f"e{number}",
            "source": f"n{number}",
            "source_field": name,
            "target": f"n{number + 1}",
            "target_field": name,
        }
        for number, name in enumerate(fields, start=1)
    ]


TWO_STEPS = {
    "version": 1,
    "nodes": [
        end("n1", "input", 0, field("message")),
        step("n2", "summarise", 300, field("message"), field("summary")),
        step("n3", "classify", 600, field("summary"), field("category", CATEGORY)),
        end("n4", "output", 900, field("category", CATEGORY)),
    ],
    "edges": chain("message", "summary", "category"),
}
FAILING = {
    "version": 1,
    "nodes": [
        end("n1", "input", 0, field("message")),
        step("n2", "summarise", 300, field("message"), field("summary")),
        {
            **step("n3", "count", 600, field("summary"), field("number", "int")),
            "kind": "convert",
        },
        end("n4", "output", 900, field("number", "int")),
    ],
    "edges": chain("message", "summary", "number"),
}

NESTED = {
    "version": 1,
    "nodes": [
        end("n1", "input", 0, field("message")),
        {
            **step("n2", "whole", 300, field("message"), field("category", CATEGORY)),
            "kind": "subpipeline",
            "parts": {"body": TWO_STEPS},
        },
        end("n3", "output", 600, field("category", CATEGORY)),
    ],
    "edges": chain("message", "category"),
}


def open_two_steps(page: Page) -> None:
    open_drawing(page, TWO_STEPS)


def open_drawing(page: Page, spec: Mapping[str, Any], shown: str = "summarise") -> None:
    """A pipeline of its own for this test, of this drawing."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    token = {"X-CSRFToken": cookies["csrftoken"], "Referer": page.url}
    form: dict[str, str | float | bool] = {
        "name": f"Run {next(_numbers)}",
        "start": "empty",
    }
    opened = page.request.post("/p/support/pipelines/new/", form=form, headers=token)
    slug = opened.url.rstrip("/").rsplit("/", 1)[-1]
    address = f"/api/projects/support/pipelines/{slug}/"
    revision = page.request.get(address).json()["revision"]
    data = json.dumps({"spec": spec, "base_revision": revision})
    json_headers = {**token, "Content-Type": "application/json"}
    answer = page.request.put(address, data=data, headers=json_headers)
    assert answer.ok, answer.text()
    page.goto(opened.url)
    expect(node(page, shown)).to_be_visible()


def open_panel(page: Page) -> Locator:
    page.get_by_role("button", name="Try").click()
    return page.locator(".try")


def run_all(page: Page, message: str, ends: str = "Done") -> Locator:
    panel = open_panel(page)
    panel.get_by_label("Message").fill(message)
    panel.get_by_role("button", name="Run").click()
    expect(panel.locator(".try-phase")).to_contain_text(ends, timeout=A_RUN)
    return panel


def expect_done(page: Page) -> None:
    expect(page.locator(".try-phase")).to_contain_text("Done", timeout=A_RUN)


def menu(page: Page, name: str) -> Locator:
    """The menu of the button in the node's head, opened."""
    at_rest(page)
    node(page, name).hover()
    page.get_by_role("button", name=f"Run {name}").click()
    return page.get_by_role("menu")


def footer(page: Page, name: str) -> Locator:
    return node(page, name).locator(".node-footer")


def inspector(page: Page) -> Locator:
    return page.locator(".inspector")


def last_run(page: Page) -> Locator:
    return inspector(page).locator(".last-run")

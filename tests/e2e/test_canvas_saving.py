"""Saving on the canvas: two tabs, a server that dies, a session that ends, and undo after it all.

The measured promise is the last test: in random interleavings of all of that no edit is lost.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.builders import PASSWORD
from tests.e2e.board import SignIn, expect_saved, new_pipeline, node, select
from tests.e2e.site import ROOT, environment_in, free_port, wait_until_ready

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
_numbers = itertools.count(1)


@dataclass
class Server:
    """A server of this file's own, that may be killed."""

    environment: dict[str, str]
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, or leave it running."""
        if self.process is not None:
            return
        command = [sys.executable, "-m", "uvicorn", "studio.asgi:application"]
        command += ["--port", str(self.port), "--log-level", "warning"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment)
        wait_until_ready(f"{self.address}/sign-in/", self.process)

    def kill(self) -> None:
        """As a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with alice, bob and vera."""
    own = environment_in(tmp_path_factory.mktemp("mortal"))
    subprocess.run(
        [sys.executable, "-m", "tests.e2e.seed"], cwd=ROOT, env=own, check=True, timeout=300
    )
    running = Server(own, free_port())
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def site(server: Server) -> str:
    """The address of the server above, which the other fixtures use, too."""
    return server.address


@pytest.fixture(autouse=True)
def _running(server: Server) -> None:
    server.start()


def instruct(page: Page, text: str, name: str = "classify") -> None:
    """Write another instruction."""
    select(page, name)
    page.locator(".inspector").get_by_label("Instruction").fill(text)


def add_step(page: Page, name: str) -> None:
    """A new step of that name."""
    page.locator(".palette").get_by_role("button", name="Predict", exact=False).first.click()
    page.locator(".inspector").get_by_label("Name", exact=True).fill(name)
    expect(node(page, name)).to_have_count(1)


def second_tab(page: Page) -> Page:
    """The same pipeline in another tab of the same browser."""
    tab = page.context.new_page()
    tab.goto(page.url)
    expect(node(tab, "input")).to_be_visible()
    return tab


def saved_spec(page: Page) -> dict[str, Any]:
    """What the server has."""
    project, slug = page.url.split("/p/")[1].split("/pipelines/")
    address = f"/api/projects/{project}/pipelines/{slug.split('/')[0]}/"
    spec: dict[str, Any] = page.request.get(address).json()["spec"]
    return spec


def instruction_of(spec: dict[str, Any], name: str) -> str:
    """What the step is told to do."""
    found = next(step for step in spec["nodes"] if step["name"] == name)
    return str(found["signature"]["instruction"])


def mark(where: Locator, name: str) -> Locator:
    """What the picture says of a step."""
    return where.locator(".diff-node").filter(has_text=name).locator(".diff-mark")


def words(page: Page) -> Locator:
    """How it is saved, in words."""
    return page.locator(".save-words")


def hold(page: Page) -> None:
    """Keep this tab from the server for a while."""
    page.route("**/api/**", lambda route: route.abort())


def let_go(page: Page) -> None:
    """The server can be reached again."""
    page.unroute("**/api/**")
    page.get_by_role("button", name="Try now").click()


def expire(context: BrowserContext) -> None:
    """The session ends."""
    context.clear_cookies(name="sessionid")


def sign_in_again(page: Page) -> None:
    """In a tab of its own, as the link there says."""
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/p/**")


def test_what_two_people_do_is_saved_in_one_drawing(sign_in: SignIn) -> None:
    alice, bob = sign_in("alice"), sign_in("bob")
    bob.goto(new_pipeline(alice, "One step"))
    hold(alice)
    instruct(alice, "Alice's instruction")
    add_step(alice, "alices_step")
    expect(words(alice)).to_contain_text("Not saved: The server does not answer")
    add_step(bob, "bobs_step")
    expect_saved(bob)
    let_go(alice)

    expect(alice.get_by_text("bob has saved this pipeline too")).to_be_visible()
    expect(alice.get_by_text("bob added 1 step")).to_be_visible()
    expect(alice.get_by_text("both fit into one drawing")).to_be_visible()
    alice.get_by_role("button", name="Look at it first").click()
    view = alice.get_by_role("dialog")
    expect(view.get_by_role("button", name="bobs_step was added")).to_be_visible()
    expect(view.get_by_role("button", name="classify: the instruction changed")).to_be_visible()
    expect(mark(view, "bobs_step")).to_have_text("Added")
    expect(view.get_by_role("button", name="Save the merged pipeline")).to_be_focused()
    alice.keyboard.press("Enter")
    expect(view).to_have_count(0)
    expect_saved(alice)
    expect(alice.get_by_text("Both are in one drawing now")).to_be_visible()
    spec = saved_spec(alice)
    names = {step["name"] for step in spec["nodes"]}
    assert {"alices_step", "bobs_step"} <= names
    assert instruction_of(spec, "classify") == "Alice's instruction"

    # Bob gets it by himself, because nothing is unsaved there; undo takes back only one's own.
    bob.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(bob.get_by_text("alice has saved: it is shown here now")).to_be_visible()
    expect(node(bob, "alices_step")).to_be_visible()
    bob.get_by_role("button", name="Undo").click()
    bob.get_by_role("button", name="Undo").click()
    expect(node(bob, "bobs_step")).to_have_count(0)
    expect(node(bob, "alices_step")).to_be_visible()


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_what_both_did_differently_is_decided_by_people(sign_in: SignIn, choice: str) -> None:
    alice, bob = sign_in("alice"), sign_in("bob")
    bob.goto(new_pipeline(alice, "One step"))
    hold(alice)
    instruct(alice, "Alice's instruction")
    add_step(alice, "alices_step")
    instruct(bob, "Bob's instruction")
    expect_saved(bob)
    let_go(alice)
    expect(alice.get_by_text("One thing both of you changed differently")).to_be_visible()
    expect(words(alice)).to_have_text("Not saved: bob has saved")
    alice.get_by_role("button", name="Decide").click()
    view = alice.get_by_role("dialog")
    expect(view.get_by_role("radio", checked=True)).to_have_count(0)
    expect(view.get_by_role("button", name="Save the merged pipeline")).to_be_disabled()
    expect(view.locator(".diff-mark.is-disputed")).to_have_text("To decide")
    with alice.expect_download() as download:
        view.get_by_role("button", name="Download theirs").click()
    assert "Bob's instruction" in download.value.path().read_text()
    if choice == "mine":
        view.get_by_role("button", name="Take all mine").click()
    else:
        view.get_by_role("radio", name="Theirs (bob)").check()
    view.get_by_role("button", name="Save the merged pipeline").click()
    expect_saved(alice)
    spec = saved_spec(alice)
    wanted = {"mine": "Alice's instruction", "theirs": "Bob's instruction"}[choice]
    assert instruction_of(spec, "classify") == wanted
    assert "alices_step" in {step["name"] for step in spec["nodes"]}
    with alice.expect_download() as download:
        alice.get_by_role("button", name="Download mine").click()
    assert "Alice's instruction" in download.value.path().read_text()


def test_a_third_save_in_between_is_merged_again(sign_in: SignIn) -> None:
    alice, bob = sign_in("alice"), sign_in("bob")
    bob.goto(new_pipeline(alice, "One step"))
    hold(alice)
    add_step(alice, "alices_step")
    add_step(bob, "bobs_step")
    expect_saved(bob)
    let_go(alice)
    expect(alice.get_by_role("button", name="Save both")).to_be_visible()
    add_step(bob, "another_of_bobs")
    expect_saved(bob)
    alice.get_by_role("button", name="Save both").click()
    # A page that has looked in the meantime knows of the third save already.
    again = alice.get_by_text("bob added 1 step")
    expect(again.or_(words(alice).filter(has_text=re.compile("^Saved$"))).first).to_be_visible()
    if again.count():
        alice.get_by_role("button", name="Save both").click()
    expect_saved(alice)
    names = {step["name"] for step in saved_spec(alice)["nodes"]}
    assert {"alices_step", "bobs_step", "another_of_bobs"} <= names


def test_edits_outlive_a_server_that_is_killed(sign_in: SignIn, server: Server) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    server.kill()
    instruct(page, "Written while it was dead.")
    expect(words(page)).to_contain_text("Not saved: The server does not answer")
    expect(page.locator(".save-next")).to_contain_text("Next try in")
    add_step(page, "drawn_while_dead")
    server.start()
    expect_saved(page)
    spec = saved_spec(page)
    assert instruction_of(spec, "classify") == "Written while it was dead."
    assert "drawn_while_dead" in {step["name"] for step in spec["nodes"]}


def test_edits_outlive_a_tab_that_is_closed(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    other = second_tab(page)
    hold(other)
    instruct(other, "Closed in the middle of a sen")
    expect(words(other)).to_contain_text("Not saved")
    other.close()
    add_step(page, "drawn_since")
    expect_saved(page)
    page.reload()
    expect(page.get_by_text("You have edits that were never saved")).to_be_visible()
    page.get_by_role("button", name="Bring them back").click()
    expect(page.get_by_text("You have edits that were never saved")).to_have_count(0)
    expect_saved(page)
    spec = saved_spec(page)
    assert instruction_of(spec, "classify") == "Closed in the middle of a sen"
    assert "drawn_since" in {step["name"] for step in spec["nodes"]}


def test_edits_outlive_a_session(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    expire(page.context)
    instruct(page, "Written while signed out.")
    expect(words(page)).to_have_text("Not saved: you are signed out.")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in a new tab").click()
    sign_in_again(opened.value)
    opened.value.close()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect_saved(page)
    assert instruction_of(saved_spec(page), "classify") == "Written while signed out."


def test_tabs_of_one_browser_follow_each_other(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    other = second_tab(page)
    add_step(page, "seen_at_once")
    expect_saved(page)
    expect(node(other, "seen_at_once")).to_be_visible()
    expect(other.get_by_text("alice has saved: it is shown here now")).to_be_visible()


def test_undo_reaches_back_over_a_reload(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    for text in ("First.", "Second."):
        instruct(page, text)
        page.keyboard.press("Escape")
        select(page, "input")
    add_step(page, "third")
    expect_saved(page)
    page.reload()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_enabled()
    while node(page, "third").count() or node(page, "predict").count():
        undo.click()
    select(page, "classify")
    instruction = page.locator(".inspector").get_by_label("Instruction")
    expect(instruction).to_have_value("Second.")
    undo.click()
    expect(instruction).not_to_have_value("Second.")
    expect_saved(page)
    page.reload()
    redo = page.get_by_role("button", name="Redo")
    expect(redo).to_be_enabled()
    redo.click()
    select(page, "classify")
    expect(instruction).to_have_value("Second.")


def test_versions_are_saved_compared_and_restored(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    page.get_by_role("button", name="Versions").click()
    panel = page.get_by_role("region", name="Versions")
    expect(panel.get_by_text("There is none yet")).to_be_visible()
    panel.get_by_label("What is new in it").fill("The first one")
    panel.get_by_role("button", name="Save a version").click()
    expect(panel.get_by_text("Version 1 The first one")).to_be_visible()

    instruct(page, "Another one.")
    add_step(page, "extra")
    panel.get_by_label("What is new in it").fill("With <b>more</b>")
    panel.get_by_role("button", name="Save a version").click()
    expect(panel.get_by_text("Version 2 With <b>more</b>")).to_be_visible()
    page.locator(".inspector").get_by_role("button", name="Remove", exact=True).click()

    panel.get_by_role("checkbox", name="Version 1").check()
    board = page.locator(".versions-board")
    expect(board.get_by_text("From version 1 to the drawing as it is now")).to_be_visible()
    expect(mark(board, "classify")).to_have_text("Changed")
    expect(panel.get_by_text("classify: the instruction changed")).to_be_visible()
    panel.get_by_role("checkbox", name="Version 2").check()
    expect(mark(board, "extra")).to_have_text("Added")
    panel.get_by_role("checkbox", name="Version 1").uncheck()
    expect(mark(board, "extra")).to_have_text("Removed")

    panel.get_by_role("button", name="Restore as a new version").click()
    expect(panel.get_by_text("The drawing becomes what version 2 was")).to_be_visible()
    panel.get_by_role("button", name="Restore version 2").click()
    expect(panel.get_by_text("brought back from version 2")).to_be_visible()
    expect(board).to_have_count(0)
    expect(node(page, "extra")).to_be_visible()
    expect_saved(page)
    page.get_by_role("button", name="Undo").click()
    expect(node(page, "extra")).to_have_count(0)
    expect_saved(page)


@dataclass
class World:
    """Two tabs of alice's browser, the server, and what the server owes her."""

    server: Server
    context: BrowserContext
    url: str
    chance: random.Random
    tabs: list[Page] = field(default_factory=list)
    owed: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)

    def open(self) -> Page:
        tab = self.context.new_page()
        tab.set_default_timeout(15_000)
        tab.on("dialog", lambda dialog: dialog.accept())
        if self.server.process is not None:
            tab.goto(self.url)
            if "sign-in" in tab.url:
                sign_in_again(tab)
                tab.goto(self.url)
            expect(node(tab, "input")).to_be_visible()
        return tab

    def act(self) -> None:
        """One thing that happens."""
        tab = self.chance.choice(self.tabs)
        actions = ["edit"] * 5 + ["save"] * 3 + ["merge"] * 2
        actions += ["die", "return", "reopen", "expire", "sign in", "wait"]
        action = self.chance.choice(actions)
        self.log.append(f"{action} {self.tabs.index(tab)}")
        acts: dict[str, Callable[[Page], object]] = {
            "edit": self.edit,
            "save": lambda page: page.keyboard.press("Control+s"),
            "merge": self.merge,
            "die": lambda _: self.server.kill(),
            "return": lambda _: self.server.start(),
            "reopen": self.reopen,
            "expire": lambda _: expire(self.context),
            "sign in": lambda _: self.sign_in(),
            "wait": lambda page: page.wait_for_timeout(1_200),
        }
        acts[action](tab)

    def edit(self, tab: Page) -> None:
        name = f"edit_{next(_numbers)}"
        add_step(tab, name)
        self.owed.add(name)

    def merge(self, tab: Page) -> None:
        """Save both sides' work, or decide at random."""
        both = tab.get_by_role("button", name="Save both")
        decide = tab.get_by_role("button", name="Decide")
        if both.count():
            with suppress(PlaywrightTimeout):
                both.first.click(timeout=3_000)
        elif decide.count():
            decide.first.click()
            side = self.chance.choice(["mine", "theirs"])
            view = tab.get_by_role("dialog")
            other = "Theirs" if side == "mine" else "Mine"
            for value in view.locator(".dispute-side").filter(has_text=other).all():
                self.owed -= {value.locator(".dispute-value").inner_text()}
            view.get_by_role("button", name=f"Take all {side}").click()
            view.get_by_role("button", name="Save the merged pipeline").click()
            tab.wait_for_timeout(500)
            if view.count():
                tab.keyboard.press("Escape")

    def reopen(self, tab: Page) -> None:
        """A page needs a server: only then may a tab go."""
        if self.server.process is None:
            return
        tab.close()
        self.tabs[self.tabs.index(tab)] = self.open()

    def sign_in(self) -> None:
        if self.server.process is None:
            return
        page = self.context.new_page()
        page.goto(f"{self.server.address}/sign-in/")
        if page.get_by_label("Username").count():
            sign_in_again(page)
        page.close()

    def heal(self) -> None:
        """All is well again; decide and bring back until there is nothing left to."""
        self.server.start()
        self.sign_in()
        for _ in range(30):
            for tab in self.tabs:
                tab.evaluate("window.dispatchEvent(new Event('focus'))")
                back = tab.get_by_role("button", name="Bring them back")
                if back.count():
                    # It goes by itself when another tab turns out to have the same edits.
                    with suppress(PlaywrightTimeout):
                        back.click(timeout=3_000)
                self.merge(tab)
                tab.wait_for_timeout(700)
            if all(self.is_calm(tab) for tab in self.tabs):
                return
        pytest.fail(f"It did not come to rest: {self.log}")

    def is_calm(self, tab: Page) -> bool:
        questions = tab.get_by_role("button", name="Bring them back").count()
        return words(tab).inner_text() == "Saved" and not questions

    def lost(self) -> set[str]:
        """What alice has drawn and the server has not."""
        names = {step["name"] for step in saved_spec(self.tabs[0])["nodes"]}
        return self.owed - names


def live(server: Server, page: Page, seed: int, actions: int = 14) -> World:
    """One random interleaving, until all is well again."""
    world = World(server, page.context, new_pipeline(page), random.Random(seed))
    world.tabs = [world.open(), world.open()]
    for _ in range(actions):
        world.act()
    world.heal()
    return world


@pytest.mark.parametrize("seed", range(1, 6))
def test_nothing_is_lost_whatever_happens(sign_in: SignIn, server: Server, seed: int) -> None:
    world = live(server, sign_in("alice"), seed)
    assert world.lost() == set(), json.dumps(world.log)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 51))
def test_nothing_is_lost_in_fifty_interleavings(
    sign_in: SignIn, server: Server, seed: int
) -> None:
    world = live(server, sign_in("alice"), 1_000 + seed, actions=24)
    assert world.lost() == set(), json.dumps(world.log)

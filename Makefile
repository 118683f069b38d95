# Thin targets: each one is a command or two that could be typed by hand. `make help` lists them.
#
# Two environments, both made by make and needing nothing but Python 3.11 or later:
#   .venv        c2kit in editable form; development happens here
#   .venv-wheel  c2kit as its users get it: the wheel, installed without the source tree
# `make test` judges the second. The single checks run in the first, or with ENV=.venv-wheel in the second.

SHELL := bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

ENV ?= .venv
BIN := $(ENV)/bin
ARGS ?=

# How many processes share the tests. A choice of a few is run in one: starting others would take longer.
WORKERS ?= $(if $(ARGS),0,2)
PYTEST = C2KIT_TEST_ENV=$(ENV) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# The first Python that is recent enough, whatever it is called here.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PYTHONS ?= python3.11 python3.12 python3.13
PIP_INSTALL := -m pip --disable-pip-version-check install --quiet

# What goes into a wheel; a change of any of it makes a new one.
PACKAGE := pyproject.toml setup.py README.md LICENSE MANIFEST.in \
	$(shell find src -type f -not -name '*.py[co]' -not -name '*.so' -not -path '*.egg-info/*')

# What is compiled, where there is a compiler.
KERNEL := setup.py $(wildcard src/c2kit/kernel/c/*.[ch])

# The same source gives the same wheel: its files are as old as the last commit.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 946684800)

# Folders with Python in them: examples and benchmarks are judged like the rest.
CODE := $(sort $(foreach folder,src tests examples benchmarks dev,$(if $(shell find $(folder) -name '*.py' 2>/dev/null),$(folder))))

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)$$/\1\t\2/p' Makefile | while IFS=$$'\t' read -r target text; do \
		printf '  make %-12s %s\n' "$$target" "$$text"; done

.PHONY: demo
demo: .venv/.core ## fly a satellite and run its ground system (first run: sets up .venv); ARGS='--seconds 0' until Ctrl-C
	.venv/bin/c2kit demo $(ARGS)

.PHONY: tour
tour: .venv/.core ## decode a recording that the example dictionary makes, and show what came of it
	.venv/bin/python examples/tour.py $(ARGS)

.PHONY: test
test: ## all that CI checks, on the wheel as its users install it (first run: sets up .venv-wheel)
	$(MAKE) --no-print-directory --keep-going ENV=.venv-wheel lint types layers docs pytest

.PHONY: lint
lint: $(ENV)/.ready ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(ENV)/.ready ## mypy, strict
	$(BIN)/mypy $(CODE)

.PHONY: layers
layers: $(ENV)/.ready ## import-linter: imports go towards the foundations, libraries enter in one place
	$(BIN)/lint-imports --no-cache

.PHONY: docs
docs: $(ENV)/.ready ## build the documentation into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

.PHONY: pytest
pytest: $(ENV)/.ready ## the tests; ARGS='-k crc' chooses, WORKERS=4 hurries
	$(PYTEST) $(ARGS)

.PHONY: kill-test
kill-test: $(ENV)/.ready ## kill -9 of processes of a pipeline, 1 000 times; ARGS='--kills 200 --seed 8' chooses
	$(BIN)/python -m tests.kill $(ARGS)

.PHONY: kafka-kill-test
kafka-kill-test: $(ENV)/.ready ## the same on three brokers of Kafka, with 200 kills of both; ARGS='--kills 20 --broker-kills 20'
	$(BIN)/python -m tests.kill --bus kafka $(ARGS)

.PHONY: coverage
coverage: $(ENV)/.ready ## the same, slower, with coverage of lines and branches, and a report to click through in htmlcov/
	$(PYTEST) --cov --cov-report=term --cov-report=html $(ARGS)

.PHONY: bench
bench: .venv/.core ## c2kit beside its peers (installed under build/), then the live pipeline; ARGS=--quick takes two minutes
	.venv/bin/python -m benchmarks $(ARGS)
	.venv/bin/python -m benchmarks.pipeline $(filter --quick,$(ARGS))

.PHONY: bench-kafka
bench-kafka: .venv/.ready ## Apache Kafka as the bus beside bare clients, on brokers that it starts; ARGS=--quick takes a minute
	.venv/bin/python -m benchmarks.kafka $(ARGS)

.PHONY: kafka
kafka: .venv/.ready ## a real Apache Kafka of three brokers on this machine until Ctrl-C (Java 17, Maven); ARGS='--brokers 1'
	.venv/bin/python -m dev.kafka $(ARGS)

.PHONY: fuzz
fuzz: ## fuzz the kernel in C under sanitizers (needs clang); ARGS=-runs=100000000 for long, one minute each by default
	dev/fuzz/run $(or $(ARGS),-max_total_time=60)

.PHONY: format
format: .venv/.ready ## let ruff format, and fix what it can
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

.PHONY: serve
serve: .venv/.ready ## show the documentation at localhost:8000 while it is written
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs serve

.PHONY: hooks
hooks: .venv/.ready ## run the checks of `make lint types layers` before each commit
	.venv/bin/pre-commit install

.PHONY: wheel
wheel: .venv-wheel/.wheel ## build dist/*.tar.gz, and from it dist/*.whl for the Python that runs here

# The kernel is compiled for one version of Python, so a release has a wheel for each.
.PHONY: wheels
wheels: .venv-wheel/.wheel ## the same, and beside it a wheel for each of PYTHONS='python3.11 python3.12 python3.13'
	for python in $(PYTHONS); do C2KIT_REQUIRE_KERNEL=1 $$python -m pip --disable-pip-version-check wheel --quiet \
		--no-deps --wheel-dir dist dist/*.tar.gz || exit; done

.PHONY: changelog
changelog: .venv/.ready ## show what the next release's changelog will say
	.venv/bin/towncrier build --draft --version next

.PHONY: clean
clean: ## remove all that make made, the environments included
	rm -rf .venv .venv-wheel build dist site htmlcov src/*.egg-info .coverage .coverage.* \
		.hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +


# The environments. A stamp is touched when its environment is complete; pyproject.toml makes them stale.

# Only what c2kit itself needs: the demo must not wait for linters.
.venv/.core: pyproject.toml $(KERNEL)
	$(call make-environment,.venv)
	.venv/bin/python $(PIP_INSTALL) --editable .
	touch $@

.venv/.ready: .venv/.core
	.venv/bin/python $(PIP_INSTALL) --editable '.[dev]'
	touch $@

# Emptied when the dependencies may have changed: one that is no longer declared must not be found there.
.venv-wheel/.empty: pyproject.toml
	$(call make-environment,.venv-wheel,--clear)
	.venv-wheel/bin/python $(PIP_INSTALL) build
	touch $@

# Built by way of the source archive, so that neither what is left in build/ nor a file that git has
# and the archive lacks can be in it. The stamp says which one it is: `make wheels` puts others beside it.
.venv-wheel/.wheel: .venv-wheel/.empty $(PACKAGE)
	rm -rf dist
	.venv-wheel/bin/python -m build --outdir dist . >/dev/null
	ls dist/*.whl >$@

# An old c2kit goes first: pip takes a wheel of the same version for the one that it has.
.venv-wheel/.ready: .venv-wheel/.wheel
	.venv-wheel/bin/python -m pip --disable-pip-version-check uninstall --quiet --yes c2kit
	.venv-wheel/bin/python $(PIP_INSTALL) "$$(cat $<)[docs,test]"
	touch $@

define make-environment
$(if $(PYTHON),,$(error c2kit needs Python 3.11 or later; name yours: make PYTHON=/path/to/python3))
$(PYTHON) -m venv $(2) $(1)
endef

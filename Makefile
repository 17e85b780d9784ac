# Needs Python 3.11 or newer with venv; everything else goes into .venv/ from the locks.
PYTHON ?= python3
PORT ?= 8000
# Parts of `make test` to leave out: postgresql, browser, gdal, r.
WITHOUT ?=
export PORT WITHOUT

.PHONY: help run test test-newest test-api test-long test-nominatim nominatim lint lock bench screenshots clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

run: .venv/.locked static/staticfiles.json ## set up, load the sample, start server and worker on PORT (8000)
	@.venv/bin/python deploy/run

test: .venv/.test-locked lint ## the whole suite on SQLite and PostgreSQL, with a browser
	@.venv/bin/python -m tests.everything

test-newest: ## the suite on the newest Python here and the newest Django it takes
	@$(PYTHON) -m tests.newest

nominatim: .venv/.test-locked ## a real Nominatim on loopback, over EXTRACT=file.osm.pbf or a small made-up one
	@.venv/bin/python -m tests.nominatim

test-nominatim: .venv/.test-locked ## streets and houses through a real Nominatim that is lost half-way
	@TEST_NOMINATIM=1 .venv/bin/python -m pytest -q tests/nominatim

test-long: .venv/.test-locked ## ten thousand mutated files are read or refused, as many imported and undone (EXAMPLES=)
	EXAMPLES=$${EXAMPLES:-10000} .venv/bin/python -m pytest -q -n2 tests/tabular/test_mutations.py \
		tests/actions/test_mutated_batches.py

test-api: .venv/.test-locked ## the API against its own description, as every role (EXAMPLES= of each operation)
	EXAMPLES=$${EXAMPLES:-100} .venv/bin/python -m pytest -q -s tests/api/test_conformance.py

lint: .venv/.test-locked ## style, types, templates, and who may import whom
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	find templates -name '*.html' -exec .venv/bin/djade --check --target-version 5.2 {} +
	.venv/bin/lint-imports

lock: .venv/.test-locked ## write the locks anew from pyproject.toml (UPGRADE=--upgrade takes newer releases)
	.venv/bin/uv pip compile -q --universal --generate-hashes $(UPGRADE) \
		--custom-compile-command 'make lock' pyproject.toml -o requirements.lock
	.venv/bin/uv pip compile -q --universal --generate-hashes $(UPGRADE) \
		--custom-compile-command 'make lock' --group test pyproject.toml -o requirements-test.lock
	.venv/bin/uv pip compile -q --universal --generate-hashes $(UPGRADE) -c requirements-test.lock \
		--custom-compile-command 'make lock' --group test --group bench pyproject.toml -o requirements-bench.lock
	.venv/bin/uv pip compile -q --universal --generate-hashes $(UPGRADE) \
		--custom-compile-command 'make lock' tests/nominatim/requirements.in -o tests/nominatim/requirements.lock

bench: .venv/.bench-locked ## what is promised of speed, beside its peers: SIZE=, DATABASE=, KEEP=
	@.venv/bin/python -m bench

screenshots: .venv/.test-locked ## every page of the sample, narrow and wide, light and dark
	.venv/bin/python -m tests.screenshots

clean: ## what can be made again; the data folder stays
	rm -rf .venv .venv-newest static screenshots .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# The runtime lock, or the wider one of the tests: either will do to run.
.venv/.locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.venv/.test-locked: requirements-test.lock .venv/.locked
	.venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

.venv/.bench-locked: requirements-bench.lock .venv/.test-locked
	.venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

static/staticfiles.json: .venv/.locked $(shell find registry/static -type f 2>/dev/null)
	.venv/bin/python manage.py collectstatic --noinput --clear -v0

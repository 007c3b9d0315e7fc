# The first command on a machine that has only Python 3.11+, make and a compiler: `make demo` or `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export CINESCOPE_TEST_DATA ?= $(abspath ../shared/data)

.PHONY: demo test check unit docs bench-quick install lock clean

install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cinescope needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: install
	$(BIN)/cinescope demo

# Style, types, layers, then every test (the code blocks of the docs among them).
test: check unit

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: install
	$(BIN)/python -m pytest

docs: install
	$(BIN)/mkdocs build --strict

bench-quick: install
	$(BIN)/python -m benchmarks.clock --quick
	$(BIN)/python -m benchmarks.search --quick

# Resolve anew from pyproject.toml into the lock file; look at the difference before you commit it.
lock:
	$(PYTHON) tools/lock.py

clean:
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache

# make demo    the whole hotline on this machine, with callers and agents; ARGS="--help" lists what it takes
# make test    the test suite (SHOUWEN_DEEP=1 tries its properties further, for a nightly run) · make check   lint, types, contracts · make bench   ratios within one run
# Each sets up its own virtual environment; all it needs is Python >= 3.11, make and a network.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
CHARTS  = config/web/static/vendor/uPlot.iife.min.js

.PHONY: demo test check bench format assets clean

demo: $(VENV)/.ready $(CHARTS)
	@exec $(VENV)/bin/shouwen demo $(ARGS)

test: $(VENV)/.ready-dev $(CHARTS)
	$(VENV)/bin/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

check: $(VENV)/.ready-dev $(CHARTS)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	for site in config/sites/*/; do $(VENV)/bin/shouwen check $$site > /dev/null || exit 1; done

bench: $(VENV)/.ready-dev
	$(VENV)/bin/python -m tests.bench $(ARGS)

format: $(VENV)/.ready-dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Shouwen needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Say which: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python's venv module is missing (on Debian: apt-get install python3-venv)"; exit 1; }

$(VENV)/.ready: pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) (once; about a minute) ..."
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.ready-dev: pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) for development (once; about a minute) ..."
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.ready

assets: $(CHARTS)

# Where they cannot be fetched the pages show the numbers alone, and the next make tries again.
$(CHARTS): config/web/package.json config/web/package-lock.json config/web/assets.py | $(VENV)/bin/python
	@echo "Fetching what the pages draw charts with (once) ..."
	@$(VENV)/bin/python -m config.web.assets && touch $@ || echo "No charts for now: the npm registry was not reached. The pages show tables."

clean:
	rm -rf $(VENV) config/web/static/vendor build dist .mypy_cache .ruff_cache .hypothesis

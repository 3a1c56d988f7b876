# Two commands are all a user needs: `make run` (a live network in the browser) and `make test`.
# test         lint, types and every fast test: minutes
# test-system  what installs or builds something first: wheel, plugin, documentation, Ray; and
#              routers of Linux, where there are root and FRR
# test-all     the slow tests too, and random tests that search longer and elsewhere each time
# docs         the documentation site, docs/site/html/index.html
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt
STAMP := $(VENV)/.ready
TRAIN := $(VENV)/.train
SYSTEM := $(VENV)/.system

.PHONY: run test test-system test-all docs lint venv fuzz bench clean
.DEFAULT_GOAL := run

run: venv
	@$(VENV)/bin/nettwin serve --demo

test: lint $(TRAIN)
	$(PY) -m pytest -n 2

test-system: $(SYSTEM)
	$(PY) -m pytest -n 0 -m system --durations=10

test-all: lint $(SYSTEM)
	$(PY) -m pytest -n 2 -m 'not system' --hypothesis-profile=thorough
	$(PY) -m pytest -n 0 -m system

# warnings are errors: a link that leads nowhere, a docstring that cannot be read
docs: $(SYSTEM)
	@$(PY) -m sphinx -q -W --keep-going -b html docs docs/site/html
	@echo "The documentation is in docs/site/html/index.html"

lint: venv
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/ruff format --quiet --check .
	$(VENV)/bin/mypy

venv: $(STAMP)

# The stamp goes first and comes last: an environment whose making was cut short is made anew,
# a good one whose requirements changed is brought up to date in its place.
$(STAMP): pyproject.toml constraints.txt
	@if [ -e $@ ] && $(PY) -c '' 2>/dev/null; then \
	  echo "Bringing the virtual environment $(VENV) up to date ..."; rm -f $@; exit 0; \
	fi; \
	python=; bare=; \
	for p in python3.13 python3.12 python3.11 python3; do \
	  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1 || continue; \
	  if $$p -c 'import ensurepip, venv' >/dev/null 2>&1; then python=$$p; break; fi; \
	  bare=$$p; \
	done; \
	if [ -z "$$python" ] && [ -n "$$bare" ]; then \
	  echo "nettwin: $$bare cannot make virtual environments; on Debian and Ubuntu 'apt install python3-venv' mends it." >&2; exit 1; \
	elif [ -z "$$python" ]; then \
	  echo "nettwin needs Python 3.11, 3.12 or 3.13; none is on the path (python3 is $$(python3 --version 2>/dev/null || echo missing))." >&2; exit 1; \
	fi; \
	echo "Making the virtual environment $(VENV) with $$($$python --version) ..."; \
	$$python -m venv --clear $(VENV)
	@echo "Installing what nettwin needs (a few minutes the first time) ..."
	@$(PIP) hatchling editables
	@$(PIP) --no-build-isolation -e '.[dev]'
	@touch $@

# PyTorch is large and for training alone: `make run` does without it, tests do not
$(TRAIN): $(STAMP)
	@rm -f $@
	@echo "Installing what training needs (PyTorch; a few minutes the first time) ..."
	@$(PIP) --no-build-isolation -e '.[dev,train]'
	@touch $@

# Documentation, wheels and Ray, for the tests that install or build something
$(SYSTEM): $(STAMP)
	@rm -f $@
	@echo "Installing what the system tests need (Sphinx, Ray, PyTorch; a few minutes the first time) ..."
	@$(PIP) --no-build-isolation -e '.[system]'
	@touch $@ $(TRAIN)

fuzz: venv
	$(PY) -m fuzz

# make bench BENCH="packet_speed --limit 1"
BENCH := list
bench: venv
	$(PY) -m benchmarks $(BENCH)

clean:
	rm -rf $(VENV) build dist docs/site docs/api .pytest_cache .mypy_cache .ruff_cache .hypothesis nettwin-demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The one task runner: the same by hand and in CI.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK := requirements/all.txt

.PHONY: help install demo notebook test lint docs lock dictionary sample mutants

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

install: $(STAMP)  ## make .venv from the hashed lock file

$(STAMP): $(LOCK) pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11, or name another one, as make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: $(STAMP)  ## simulate a small county, train, judge, and show a visit list
	$(BIN)/relapse demo --out demo

notebook: $(STAMP)  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

test: $(STAMP)  ## run all tests; fails where too little of the code is run by them
	$(BIN)/python -m pytest -n auto --dist loadgroup --cov --durations=20

lint: $(STAMP)  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(STAMP)  ## build the documentation into site/; fails on a link or anchor that leads nowhere
	$(BIN)/python -m docs.generate build/docs
	$(BIN)/zensical build --clean --strict

lock: $(STAMP)  ## resolve the lock files anew
	./requirements/compile.sh $(BIN)/uv

mutants: $(STAMP)  ## break lines that decide, one at a time, and list those that no test misses
	$(BIN)/python -m tests.mutation.run

dictionary: $(STAMP)  ## write the data dictionary from the tables and the catalogue
	$(BIN)/python -m relapse_risk.features.dictionary data

sample: $(STAMP)  ## write the sample export anew
	$(BIN)/python -m tests.support.county_sample data/sample

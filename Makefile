# Everything a fresh machine needs is python3 (3.11 or newer, with venv) and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUN_READY := $(VENV)/.ready-to-run
BROWSE_READY := $(VENV)/.ready-to-browse
TEST_READY := $(VENV)/.ready-to-test
DOCS_READY := $(VENV)/.ready-to-document
OTHER_PYTHONS ?= python3.11 python3.12 python3.13

.PHONY: run browse test coverage docs measures bench matrix oldest constraints format clean

run: $(RUN_READY)  ## simulate the essay: data, figures, a result table
	$(BIN)/sumabm run essay --replicates 200

browse: $(BROWSE_READY)  ## watch runs in a browser
	$(BIN)/sumabm browse

test: $(TEST_READY)  ## lint, format check, types, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist loadgroup

coverage: $(TEST_READY)  ## the tests, and which lines they reach
	$(BIN)/python -m pytest -n auto --dist loadgroup --cov --cov-report=term

docs: $(DOCS_READY)  ## the documentation's site, in build/docs; warnings are errors
	$(BIN)/sphinx-build --jobs auto --fail-on-warning --keep-going --builder html docs build/docs

measures: $(TEST_READY)  ## rerun the scripts behind each issue's measures
	$(PIP) --editable '.[dev,measures]'
	$(BIN)/python measures/run_all.py

bench: $(TEST_READY)  ## ratios against peers and limits: table, figure and JSON in build/bench
	$(PIP) --editable '.[dev,measures]'
	$(BIN)/python benchmarks/suite.py

matrix: $(TEST_READY)  ## the tests on every other interpreter that is installed
	$(BIN)/python measures/matrix.py $(OTHER_PYTHONS)

oldest:  ## the core's tests with every dependency at its lower bound, on Python 3.11
	$(PYTHON) measures/oldest.py

constraints: $(TEST_READY)  ## constraints.txt from the versions that are installed
	$(BIN)/python measures/constraints.py

format: $(TEST_READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist .coverage .hypothesis .mypy_cache .ruff_cache

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUN_READY): $(VENV)/.created pyproject.toml
	$(PIP) --editable .
	@touch $@

$(BROWSE_READY): $(VENV)/.created pyproject.toml
	$(PIP) --editable '.[browser]'
	@touch $(RUN_READY) $@

$(TEST_READY): $(VENV)/.created pyproject.toml
	$(PIP) --editable '.[dev]'
	@touch $(RUN_READY) $(BROWSE_READY) $@

$(DOCS_READY): $(VENV)/.created pyproject.toml
	$(PIP) --editable '.[docs]'
	@touch $(RUN_READY) $@

# Everything a newcomer needs: make demo, make test. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench bench-large wheel lock torch train corpus-card screenshots clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/run.stamp: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Escucha needs Python 3.11 or newer: make PYTHON=python3.12 …" >&2; exit 2; }
	@echo "Installing what Escucha runs on (once)…" >&2
	@$(PIP) install --require-hashes --no-deps -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	@echo "Installing what the tests need (once)…" >&2
	@$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

setup: $(VENV)/dev.stamp ## make .venv with everything, tests included

demo: $(VENV)/run.stamp ## replay an invented company and serve its dashboard
	@$(BIN)/escucha demo

test: $(VENV)/dev.stamp ## run every test, on every core
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(VENV)/dev.stamp ## ruff, mypy --strict, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/torch.stamp ## measure ours and the alternative in one run
	@$(BIN)/python -m bench

bench-large: $(VENV)/dev.stamp ## the pages' questions on archives of one and ten million mentions
	@$(BIN)/python -m bench pages --large
	@$(BIN)/python -m bench pages --large --postgresql

wheel: $(VENV)/dev.stamp ## build dist/escucha-*.whl
	@$(BIN)/hatchling build -t wheel

$(VENV)/torch.stamp: $(VENV)/dev.stamp
	@echo "Installing torch and transformers (once)…" >&2
	@$(PIP) install torch==2.13.0
	@$(PIP) install onnx==1.23.2 transformers==5.23.0
	@touch $@

torch: $(VENV)/torch.stamp ## install what training and [sentiment] engine = "transformers" need

train: $(VENV)/torch.stamp ## train the embedded model again (START, DATA, WORK; about two hours)
	@$(BIN)/escucha train --start $(or $(START),../shared/start/encoder) --data $(or $(DATA),../shared/data) \
		--work $(or $(WORK),.training)

corpus-card: $(VENV)/run.stamp ## count the corpus again into its card
	@$(BIN)/python -c 'from pathlib import Path; from sentiment.training.corpus import CARD, card_of; \
		folder = Path("sentiment/corpus"); (folder / CARD).write_text(card_of(folder), "utf-8")'

screenshots: $(VENV)/dev.stamp ## picture every page of the demo into docs/images
	@$(BIN)/python -m bench.screenshots

lock: $(VENV)/dev.stamp ## pin every dependency again, with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra demo --group build pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra demo --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove what was built and the demo's data
	@rm -rf $(VENV) .demo dist .mypy_cache .ruff_cache .pytest_cache

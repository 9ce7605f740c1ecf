# Everything a person types. `make` alone lists it.
PYTHON ?= python3
BIN := .venv/bin
CODE := config.py wsgi.py portal jobs sandbox embedded benchmarks tests

.DEFAULT_GOAL := help
.PHONY: help run test lint format types bench screenshots lock clean

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/.ready ## Run the portal with all it needs on this machine, until Ctrl-C
	@$(BIN)/python -m embedded.run

test: lint ## Check everything: lint, then all tests (what CI runs)
	$(BIN)/pytest --numprocesses 2 --dist loadfile

lint: .venv/.ready types ## Check style, types, and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

format: .venv/.ready ## Lay the code out and mend what can be mended by itself
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

types: .venv/.ready ## Check the types
	$(BIN)/mypy $(CODE)

bench: .venv/.ready ## Measure submitting against a bare loop
	$(BIN)/python -m benchmarks.submit
	$(BIN)/python -m benchmarks.idle_poll

screenshots: .venv/.ready ## Make the README's pictures anew (needs Chromium)
	$(BIN)/python -m tests.browser.screenshots

lock: ## Pin requirements.in into requirements.txt (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file requirements.txt requirements.in

clean: ## Remove the virtual environment and the caches; instance/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready: requirements.txt embedded/bootstrap.py
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) embedded/bootstrap.py

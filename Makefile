# Every command of this project. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
CODE := config.py wsgi.py deploy portal jobs sandbox embedded benchmarks tests

.DEFAULT_GOAL := help
.PHONY: help run test judges lint format types bench screenshots lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/requirements-run.ready ## Run the portal and everything it needs on this machine, until Ctrl-C
	@$(BIN)/python -m embedded.run

# Folder by folder, because the tests of a folder share its processes; xdist's own order returns to each folder many times.
test: lint judges ## Lint, then run every test (what CI runs)
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 40

judges: tests/judges/node_modules/.package-lock.json ## Install the programs of others that judge pages (needs npm)

# Without them their tests are skipped, except in CI, where they fail.
tests/judges/node_modules/.package-lock.json: tests/judges/package-lock.json
	@cd tests/judges && { command -v npm >/dev/null || { echo "npm was not found: tests that need it are skipped"; exit 0; }; \
	  npm ci --loglevel=error || echo "npm couldn't install the judges of the pages: their tests are skipped"; } >&2

lint: .venv/requirements.ready types ## Check types, style, formatting and import layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

format: .venv/requirements.ready ## Format the code and apply safe lint fixes
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

types: .venv/requirements.ready ## Check types
	$(BIN)/mypy $(CODE)

bench: .venv/requirements.ready ## Run every benchmark; reports go to bench/ (takes some 20 minutes)
	$(BIN)/python -m benchmarks

screenshots: .venv/requirements.ready ## Take pictures of every page into screenshots/, and the README's (needs Chromium; some 5 minutes)
	$(BIN)/python -m tests.browser.screenshots

# The smaller locks take their versions from the whole one. Locks contain no index URL.
COMPILE = uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --annotation-style line \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
lock: ## Upgrade every pinned package within the ranges of requirements*.in (needs uv)
	$(COMPILE) --output-file requirements.txt requirements.in
	$(COMPILE) --constraints requirements.txt --output-file requirements-run.txt requirements-run.in
	$(COMPILE) --constraints requirements.txt --output-file requirements-production.txt requirements-production.in

clean: ## Remove the virtual environment and caches, but not instance/
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# requirements-run.txt is what `make run` installs; requirements.txt adds the tests and checkers to the same .venv.
.venv/%.ready: %.txt embedded/bootstrap.py embedded/ports.py
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m embedded.bootstrap $<

# Two commands matter: `make run` and `make test`. What they do stands in .ci/.
PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help run test faults matrix fuzz check lock production screenshots python

help: ## Show the commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1 @/p' Makefile | tr '@' '\t'

run: python ## Install, load the demo hospital once, start web, worker and clock
	@exec $(PYTHON) .ci/start.py

test: python ## Run every test on SQLite, then on PostgreSQL + Redis, then in Chromium
	@exec $(PYTHON) .ci/test.py

faults: python ## Kill, starve and restart everything in full counts; the table goes to .data/faults.md
	@exec $(PYTHON) .ci/faults.py

matrix: python ## Ask every address by every method as every kind of person, and print the figures
	@$(PYTHON) .ci/setup.py dev && exec .venv/bin/python -m pytest -q --full tests/architecture/test_matrix.py tests/architecture/test_fields.py tests/architecture/test_strangers.py tests/architecture/test_sockets.py

fuzz: python ## Bad input at full count: every parser, the API against its description, raw sockets
	@$(PYTHON) .ci/setup.py dev && exec .venv/bin/python -m pytest -q --full tests/fuzz

check: python ## Lint, types, contracts, migrations, translations, lock
	@$(PYTHON) .ci/setup.py dev && exec .venv/bin/python .ci/check.py

lock: python ## Resolve config/requirements/*.in again, with hashes
	@$(PYTHON) .ci/setup.py dev && exec .venv/bin/python .ci/lock.py

production: python ## The hospital's shape on one machine: nginx, 2 web, 2 workers, 2 clocks, PostgreSQL, Redis (ARGS="--check")
	@$(PYTHON) .ci/setup.py dev && exec .venv/bin/python .ci/production.py $(ARGS)

screenshots: python ## Take the README's pictures from a running demo
	@$(PYTHON) .ci/setup.py dev && exec .venv/bin/python .ci/screenshots.py

python:
	@command -v $(PYTHON) >/dev/null || { echo "wardline: $(PYTHON) is missing; install Python 3.11 or newer." >&2; exit 1; }

# What everyone types. Needs Python 3.11 or newer, git and make; the rest is installed into .venv.

PYTHON ?= python3
RUNTIME = requirements.txt requirements-embedded.txt
TOOLS = $(RUNTIME) requirements-dev.txt
BARE = $(PYTHON) -m embedded.bootstrap --
RUN = $(PYTHON) -m embedded.bootstrap $(RUNTIME) --
TOOL = $(PYTHON) -m embedded.bootstrap $(TOOLS) --

.DEFAULT_GOAL := help
.PHONY: help up manage test test-crash soak bench check lint format clean

help:  ## show this
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 20

up:  ## install what is missing, start everything, print where it is; Ctrl-C stops it
	@$(BARE) -m embedded check
	@$(RUN) -m embedded up

manage:  ## a Django command beside a running `make up`: make manage ARGS="shell"
	@$(RUN) -m embedded run manage.py $(ARGS)

# Two processes, each with servers of its own: many tests wait for other processes.
test: lint  ## everything: the checks, then all tests
	@$(TOOL) -m pytest -n 2 --dist loadfile

# N executions under each fault; SEED chooses victims and moments. The run writes the table.
N ?= 20
test-crash: export CHRONOS_CRASH_N = $(N)
test-crash: export CHRONOS_CRASH_SEED = $(or $(SEED),1)
test-crash: export CHRONOS_CRASH_REPORT = docs/reliability.md
test-crash:  ## only the tests that kill real processes: make test-crash N=300 SEED=7
	@$(TOOL) -m pytest -m crash

SECONDS ?= 3600
soak:  ## an hour of random faults: make soak SECONDS=600 SEED=7
	@$(TOOL) -m tests.crash.soak --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

# QUICK=1 takes three minutes, everything takes hours. ONLY names scenarios, PEERS contenders, ROWS the
# length of the history of S5. Peers are installed below .chronos.
bench:  ## Chronos beside its peers: make bench QUICK=1, make bench ONLY=S1 PEERS=chronos,celery
	@$(RUN) -m benchmarks run $(ONLY) $(if $(QUICK),--quick) $(if $(PEERS),--only $(PEERS)) \
		$(if $(ROWS),--rows $(ROWS))

check: lint  ## the checks, then the tests that kill nothing
	@$(TOOL) -m pytest -n 2 --dist loadfile -m "not crash"

# The checks load the settings but no server: these values only have to be there.
lint: export CHRONOS_ENV = development
lint: export CHRONOS_SECRET_KEY = not-a-secret-the-checks-only-load-the-settings
lint: export DATABASE_URL = postgres://nobody@127.0.0.1:1/nothing
lint: export REDIS_URL = redis://127.0.0.1:1/0
lint:  ## format, style, types, imports, missing migrations
	@$(TOOL) -m ruff format --check .
	@$(TOOL) -m ruff check .
	@$(TOOL) -m mypy .
	@$(TOOL) -c 'from importlinter.cli import lint_imports_command as check; check()'
	@$(TOOL) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

format:  ## format the code and mend what can be mended
	@$(TOOL) -m ruff format .
	@$(TOOL) -m ruff check --fix .

clean:  ## delete the virtual environment and caches; the data in .chronos stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

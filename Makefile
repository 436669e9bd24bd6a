# Needs Python 3.11 or later with venv, make and git. Everything else comes from the lock file into .venv.
#   make run PYTHON=python3.13     chooses the interpreter
#   make test ARGS="-k jobs -x"    passes arguments on

.DEFAULT_GOAL := help
.PHONY: help run test check bench lock advisories browser proxies prepare

FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
CHOSEN := $(if $(filter undefined,$(origin PYTHON)),,--rebuild)
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$python" -c "$(FITS)" 2>/dev/null && echo "$$python" && break; done)
ARGS ?=
BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile -q --system-certs --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

help: ## show this
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: prepare ## start everything and do the main job in front of you; Ctrl-C stops it
	@exec $(BIN)/python -m pigi up --demo $(ARGS)

# Where Python may not keep what it compiled, each of some hundred processes would compile everything anew.
test: export PYTHONDONTWRITEBYTECODE =
test: prepare ## the whole suite; the slowest tests and the time it took stand at the end
ifeq ($(strip $(ARGS)),)
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile --durations 15
else
	@$(BIN)/python -m pytest $(ARGS)
endif

check: prepare ## style, types, the direction of imports, known holes in what is locked
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/python -m devtools.advisories check

bench: prepare ## what Pigi costs, beside what you would use instead
	@$(BIN)/python -m benchmarks $(ARGS)

lock: prepare ## write the lock files anew; ARGS=--upgrade takes newer versions
	$(COMPILE) $(ARGS) pyproject.toml --group dev -o requirements-dev.txt
	$(COMPILE) $(ARGS) pyproject.toml -c requirements-dev.txt -o requirements.txt

advisories: prepare ## look up the known holes in what is locked anew; needs a network
	@$(BIN)/python -m devtools.advisories look-up $(ARGS)

browser: ## install Debian's Chromium for the browser tests, if there is none
	@"$(PYTHON)" tools/browser.py

proxies: ## install Debian's nginx and haproxy for the tests of proxies, if they are not there
	@"$(PYTHON)" tools/proxies.py

prepare:
	@"$(PYTHON)" -c "$(FITS)" 2>/dev/null || { \
		echo "Pigi needs Python 3.11 or later with venv; found: $(or $(PYTHON),none)." >&2; \
		echo "Debian, Ubuntu: apt install python3-venv. Fedora: dnf install python3. macOS: brew install python." >&2; \
		echo "Then run make again; PYTHON=... chooses among several." >&2; exit 1; }
	@"$(PYTHON)" tools/prepare.py $(CHOSEN)

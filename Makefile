# Two commands matter: `make demo` and `make test`. Each builds .venv from the lock when it must.
.DEFAULT_GOAL := help
.PHONY: help demo test slow test-all install-locks check bench soak late serve lock coverage clean

VENV := .venv
BIN := $(VENV)/bin
DEMO ?= demo-mine
COMPILE = uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-emit-index-url --no-annotate $(UPGRADE)

help:
	@echo "make demo    the whole playbook on a sample mine, into $(DEMO)/"
	@echo "make test    the tests, with branch coverage held by a ratchet"
	@echo "make test-all  the same and the tests marked slow"
	@echo "make check   form, types, walls, names, unused code and dependencies"
	@echo "make bench   speed and memory as ratios against named baselines"
	@echo "make late    requests that end without an award when dealers are late, by rule"
	@echo "make soak    what must hold, as counts, with planted bugs beside (SOAK=full: a release's figures)"

$(VENV)/.runtime: requirements.lock pyproject.toml tools/environment.sh
	@sh tools/environment.sh $(VENV) requirements.lock

$(VENV)/.develop: requirements-dev.lock requirements.lock pyproject.toml tools/environment.sh
	@sh tools/environment.sh $(VENV) requirements-dev.lock

demo: $(VENV)/.runtime
	@rm -rf "$(DEMO)"
	@$(BIN)/headframe demo "$(DEMO)"

test: $(VENV)/.develop
	@sh tools/test.sh $(BIN)

slow: $(VENV)/.develop
	@sh tools/test.sh $(BIN) slow

test-all: test slow

install-locks: $(VENV)/.develop
	@sh tools/install_locks.sh $(BIN)

check: $(VENV)/.develop
	@sh tools/check.sh $(BIN)

$(VENV)/.bench: $(VENV)/.develop requirements-bench.lock
	@sh tools/environment.sh $(VENV) requirements-bench.lock || echo "JAX could not be had: no ratios to it" >&2

bench: $(VENV)/.bench
	@$(BIN)/python benchmarks/run.py

late: $(VENV)/.develop
	@PYTHONPATH=tests $(BIN)/python benchmarks/late_quotes.py

soak: $(VENV)/.develop
	@PYTHONPATH=tests $(BIN)/python benchmarks/soak.py

serve:
	@echo "make serve is reserved for the dashboard, which this version does not have yet" >&2; exit 2

lock: # keeps what is pinned; `make lock UPGRADE=--upgrade` takes the newest
	$(COMPILE) requirements.in -o requirements.lock
	$(COMPILE) requirements-dev.in -c requirements.lock -o requirements-dev.lock
	$(COMPILE) requirements-bench.in -c requirements-dev.lock -o requirements-bench.lock
	$(COMPILE) tools/installers.in -o tools/installers.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage* .hypothesis

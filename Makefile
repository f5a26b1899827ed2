# make serve      set up, and start the server with the examples deployed; PORT=8081 uses another port; Ctrl-C stops it
# make test       set up, check the code, and run the tests that every change must pass; ARGS=... are arguments for pytest
# make test-all   set up, check the code, and run all tests, with more generated examples and with coverage
# make chaos      set up, and test under load while processes are killed, for some minutes
# make bench      set up, and measure
# make packages   set up, and compare packages of npm with Node.js, for an hour; needs a registry
# make standards  set up, and compare the web standards with Node.js and Deno, for some minutes; ARGS="--wpt FOLDER" runs the Web Platform Tests too
# The set-up takes only seconds the second time.  Test files run in parallel; JOBS sets the number of processes.  More: tox -l

.PHONY: help serve test test-all lint bench packages standards chaos docs clean ready

BIN := .venv/bin
# Many tests wait for processes, so one more than there are cores keeps these busy.
JOBS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
SKIPPED := build-cache/skipped-tests.txt

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

ready:
	@PYTHON="$(PYTHON)" .ci/prepare

serve: ready
	@exec $(BIN)/python examples/serve.py $(if $(PORT),--port $(PORT)) $(ARGS)

lint: ready
	@echo "==> ruff, mypy" >&2
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary

# The floors and the other rules of the repository are tests: tests/rules.
# A file's tests run one after another in one process.  Files begin in the order of their names, the long ones of e2e first.
# With coverage the tests take half as long again, so only COVERAGE=yes, as in .ci/run, and test-all measure it.
test: EXTENT := quick
test-all: EXTENT := full
test-all: COVERAGE := yes
test test-all: lint
	@echo "==> pytest" >&2
ifdef ARGS
	@$(BIN)/python -m pytest -q $(ARGS)
else
	@mkdir -p $(dir $(SKIPPED))
	@$(if $(COVERAGE),$(BIN)/coverage erase)
	@$(BIN)/$(if $(COVERAGE),coverage run,python) -m pytest -q --extent=$(EXTENT) --numprocesses=$(JOBS) --dist=loadfile \
		--no-loadscope-reorder --durations=10 --skipped=$(SKIPPED)
	@$(if $(COVERAGE),echo "==> coverage of aiwebengine/" >&2)
	@$(if $(COVERAGE),$(BIN)/coverage combine --quiet)
	@$(if $(COVERAGE),$(BIN)/coverage report --skip-covered --skip-empty --fail-under=85)
	@echo "==> skipped tests, and why" >&2
	@cat $(SKIPPED) >&2
endif

bench: ready
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[bench]'
	@exec $(BIN)/python bench/run.py $(ARGS)

packages: ready
	@exec $(BIN)/python bench/packages/survey.py $(ARGS)

standards: ready
	@exec $(BIN)/python bench/standards/survey.py $(ARGS)

chaos: ready
	@$(BIN)/python -m pytest -q -s tests/chaos $(ARGS)

docs: ready
	@$(BIN)/aiwebengine types

clean:
	rm -rf .venv build-cache build dist *.egg-info aiwebengine/build/toolchain/dist

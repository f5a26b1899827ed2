# make serve   set up, start the server with the examples deployed; Ctrl-C stops it
# make test    set up, check the code and run every test
# make bench   set up, measure
# make chaos   set up, kill whatever runs for some minutes and look at what remains
# Both set-ups are one, and take seconds the second time.  More: tox -l

.PHONY: help serve test lint bench chaos docs clean ready

BIN := .venv/bin

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

ready:
	@PYTHON="$(PYTHON)" .ci/prepare

serve: ready
	@exec $(BIN)/python examples/serve.py

lint: ready
	@echo "==> ruff, mypy" >&2
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary

# The floors and the other rules of the repository are tests: tests/rules.
test: lint
	@echo "==> pytest" >&2
ifdef ARGS
	@$(BIN)/python -m pytest -q $(ARGS)
else
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q
	@echo "==> coverage of aiwebengine/" >&2
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --skip-covered --skip-empty --fail-under=85
endif

bench: ready
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[bench]'
	@exec $(BIN)/python bench/run.py $(ARGS)

chaos: ready
	@$(BIN)/python -m pytest -q -s tests/chaos $(ARGS)

docs: ready
	@$(BIN)/aiwebengine types

clean:
	rm -rf .venv build-cache build dist *.egg-info aiwebengine/build/toolchain/dist

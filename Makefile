# make demo    sets everything up, runs the main job, serves the pages
# make test    sets everything up, checks and tests all of it

PYTHON ?= python3
IMAGES ?=
SERVE ?= 1
PORT ?= 8080

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
ATLAS := demo/$(if $(IMAGES),yours,demo).atlas
PICTURES := $(if $(IMAGES),$(subst ~/,$(HOME)/,$(IMAGES)),demo/pictures)

.DELETE_ON_ERROR:
.PHONY: help demo test check wheel browser clean

help:
	@echo 'make demo                     the main job on pictures of its own, then pages at http://127.0.0.1:$(PORT)'
	@echo 'make demo IMAGES=~/Pictures   the same on yours; they are only read'
	@echo 'make demo SERVE=0             the same, without serving; PORT=9000 serves elsewhere'
	@echo 'make test                     what CI runs: checks, tests, the wheel in a bare environment'
	@echo 'make test PARITY=1            the same with torch and transformers, to compare encoders with'
	@echo 'make check                    formatting, lint, types, layers, generated docs'
	@echo 'make clean                    removes .venv, build and demo'

# Setting up: a stamp for each, so that a second make installs nothing.

.venv/.made:
	tools/make_venv.sh $(PYTHON) .venv
	touch $@

.venv/.demo: .venv/.made pyproject.toml
	$(PIP) install --quiet --editable . --group demo
	touch $@

.venv/.test: .venv/.demo
	$(PIP) install --quiet --group test --group check
	touch $@

.venv/.parity: .venv/.test
	$(PIP) install --quiet --group parity
	touch $@

browser: .venv/.test
	tools/find_browser.sh

# The main job

demo/pictures/CREDITS.txt: .venv/.demo tools/demo.py $(wildcard tools/demo_pictures/*.py)
	rm -rf demo/pictures
	$(BIN)/python tools/demo.py pictures demo/pictures

demo: .venv/.demo $(if $(IMAGES),,demo/pictures/CREDITS.txt)
	@mkdir -p demo
	$(BIN)/bilderatlas index $(ATLAS) "$(PICTURES)"
	$(BIN)/bilderatlas search $(ATLAS) "a cat" -k 5
	$(BIN)/bilderatlas search $(ATLAS) "a cup of coffee" -k 5
	$(BIN)/bilderatlas search $(ATLAS) "newspaper page" -k 5
	$(BIN)/bilderatlas cluster $(ATLAS)
	$(BIN)/bilderatlas project $(ATLAS)
	$(BIN)/bilderatlas project $(ATLAS) --dims 3
ifeq ($(SERVE),1)
	$(BIN)/bilderatlas serve $(ATLAS) --port $(PORT)
else
	@echo 'Next: $(BIN)/bilderatlas serve $(ATLAS) --port $(PORT)'
endif

# Checks and tests

test: check browser wheel $(if $(PARITY),.venv/.parity)
	$(BIN)/python -m pytest

check: .venv/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/make_cli_docs.py --check

wheel: build/bare/.tried

build/bare/.tried: .venv/.test pyproject.toml README.md tools/try_wheel.sh $(shell find src -name '*.*' -type f -not -name '*.pyc')
	tools/try_wheel.sh $(PYTHON) build
	touch $@

clean:
	rm -rf .venv build dist demo

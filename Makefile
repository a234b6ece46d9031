# make demo    sets everything up, runs the main job, serves the pages
# make test    sets everything up, checks and tests all of it

PYTHON ?= python3
IMAGES ?=
SERVE ?= 1
PORT ?= 8080

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
LOCKED := $(PIP) --require-hashes
ATLAS := demo/$(if $(IMAGES),yours,demo).atlas
PICTURES := $(if $(IMAGES),$(subst ~/,$(HOME)/,$(IMAGES)),demo/pictures)

.DELETE_ON_ERROR:
.PHONY: help demo test check wheel browser strace lock clean

help:
	@echo 'make demo                     the main job on pictures of its own, then pages at http://127.0.0.1:$(PORT)'
	@echo 'make demo IMAGES=~/Pictures   the same on yours; they are only read'
	@echo 'make demo SERVE=0             the same, without serving; PORT=9000 serves elsewhere'
	@echo 'make test                     what CI runs: checks, tests, the wheel in a bare environment'
	@echo 'make test PARITY=1            the same with torch and transformers, to compare encoders with'
	@echo 'make test LATEST=1            what newer versions than the locked ones would do, in build/newest'
	@echo 'make lock                     locks/*.txt from pyproject.toml; UPGRADE=1 takes the newest versions'
	@echo 'make check                    formatting, lint, types, layers, generated docs'
	@echo 'make clean                    removes .venv, build and demo'

# Setting up, from the locks alone: a stamp for each, so that a second make installs nothing.

.venv/.made: locks/pip.txt
	tools/make_venv.sh $(PYTHON) .venv
	touch $@

.venv/.demo: .venv/.made pyproject.toml locks/default.txt locks/demo.txt
	$(LOCKED) --requirement locks/default.txt --requirement locks/demo.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

.venv/.test: .venv/.demo locks/test.txt
	$(LOCKED) --requirement locks/test.txt
	touch $@

.venv/.parity: .venv/.test locks/parity.txt
	$(PIP) --group torch
	$(LOCKED) --requirement locks/parity.txt
	touch $@

# Beside the environment: where a processor has AMX, every test would else run on OpenVINO.
.venv/.openvino: .venv/.test locks/openvino.txt
	$(LOCKED) --no-deps --target .venv/openvino --upgrade --requirement locks/openvino.txt
	touch $@

lock:
	tools/make_locks.sh $(PYTHON) $(if $(UPGRADE),--upgrade)

browser: .venv/.test
	tools/find_browser.sh

strace:
	tools/find_strace.sh

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

ifdef LATEST
test: browser strace
	tools/try_latest.sh $(PYTHON) build
else
test: check browser strace wheel .venv/.openvino $(if $(PARITY),.venv/.parity)
	$(BIN)/python -m pytest
endif

check: .venv/.test
	$(BIN)/python -m pip check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/make_cli_docs.py --check

wheel: build/bare/.tried

build/bare/.tried: .venv/.test pyproject.toml locks/default.txt README.md tools/try_wheel.sh $(shell find src -name '*.*' -type f -not -name '*.pyc')
	tools/try_wheel.sh $(PYTHON) build
	touch $@

clean:
	rm -rf .venv build dist demo

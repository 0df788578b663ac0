# make app · make test · make test-all · make lint · make checkpoints · make bench · make runtime
PYTHON3 ?= python3
HOST    ?= 127.0.0.1
PORT    ?= 7860
DATA    ?= data/raw
VENV    := .venv
BIN     := $(VENV)/bin

.PHONY: app test test-all lint checkpoints bench runtime clean

app: $(VENV)/app.ok
	HOST=$(HOST) PORT=$(PORT) $(BIN)/python app.py

test: $(VENV)/dev.ok $(VENV)/chromium.ok
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

# Before a release: the slow ones too, with Ray and nginx, whose tests would be skipped without them.
test-all: $(VENV)/dev.ok $(VENV)/chromium.ok
	@PATH="$$PATH:/usr/sbin:/usr/local/sbin" command -v nginx >/dev/null || { echo "nginx is not here: on Debian or Ubuntu run 'apt install nginx-light' first."; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check -r deploy/requirements.txt
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m "slow or not slow"

lint: $(VENV)/dev.ok
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Trains what is not there yet, one recipe after the other, resuming what was stopped. DATA= holds the raw data.
checkpoints: $(VENV)/dev.ok
	PYTHON=$(BIN)/python DATA=$(DATA) sh train/recipes/all.sh

bench: $(VENV)/dev.ok $(VENV)/chromium.ok
	$(BIN)/python -m benchmarks training
	$(BIN)/python -m benchmarks inference
	$(BIN)/python -m benchmarks load
	$(BIN)/python -m benchmarks jobs
	$(BIN)/python -m benchmarks page
	$(BIN)/python -m benchmarks browser

# ONNX Runtime Web as the page serves it to browsers, anew from npm: only for who renews it, everybody else has it.
runtime: | $(BIN)/python
	$(BIN)/python ui/browser/runtime/renew.py $(VERSION)

clean:
	rm -rf $(VENV)

# A stamp file says what is installed, so that the second start installs nothing.
$(BIN)/python:
	$(PYTHON3) -m venv $(VENV) || { echo "Making $(VENV) failed: on Debian or Ubuntu run 'apt install python3-venv' first."; rm -rf $(VENV); exit 1; }

$(VENV)/app.ok: requirements.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/dev.ok: requirements-dev.txt requirements.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/app.ok

$(VENV)/chromium.ok: | $(VENV)/dev.ok
	sh tests/browser/get_chromium.sh $(BIN)
	@touch $@

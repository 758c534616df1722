# make run   builds and starts the service on its bundled demo city
# make test  installs what the tests need and runs every test
# make bench runs the criterion benches

VENV := .venv
CARGO ?= cargo

.PHONY: run test bench lint tools

run:
	$(CARGO) run --release -p greenkerb-api --bin greenkerb -- demo

# SUMO drives the street of the co-simulation tests; its version is part of every figure.
tools: $(VENV)/sumo-1.28.0
$(VENV)/sumo-1.28.0:
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check eclipse-sumo==1.28.0
	touch $@

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

test: tools lint
	$(CARGO) test --workspace

bench:
	$(CARGO) bench -p greenkerb-benches

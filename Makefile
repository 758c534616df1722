# make run   builds and starts the service on its bundled demo city
# make test  installs what the tests need and runs every test
# make bench runs the criterion benches

VENV := .venv
CARGO ?= cargo

.PHONY: run test bench lint tools browser

run:
	$(CARGO) run --release -p greenkerb-api --bin greenkerb -- demo --data target/demo

# SUMO drives the street of the co-simulation tests; its version is part of every figure.
tools: $(VENV)/sumo-1.28.0 browser
$(VENV)/sumo-1.28.0:
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check eclipse-sumo==1.28.0
	touch $@

# A browser opens the status page in the tests.
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo)
browser:
	@command -v chromium >/dev/null || { \
		$(SUDO) apt-get update -qq && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; }

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

test: tools lint
	$(CARGO) test --workspace

bench:
	$(CARGO) bench -p greenkerb-benches

# `make demo` and `make test` set up what they need in .venv, once, and go. ARGS="..." is handed on to the command.
.PHONY: demo test check tables bench fuzz soak train-env clean help

# The first of these that is Python 3.10, 3.11 or 3.12; PYTHON=... overrides it.
CANDIDATES := python3 python3.12 python3.11 python3.10
SUITS := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(firstword $(foreach p,$(CANDIDATES),$(shell $(p) -c '$(SUITS)' 2>/dev/null && echo $(p))))

VENV := .venv
BIN := $(VENV)/bin
# What the environment must not inherit: another environment's ROS wheels set this guard, and then ours would not start.
CLEAN := env -u _ROS_WHEELS_BOOTSTRAP_COMPLETE -u PYTHONPATH

help:
	@echo "make demo       play a recording through the node and write a report (ARGS=\"--recording DIR ...\")"
	@echo "make test       ruff, mypy and all tests (ARGS=\"-k camera ...\" for pytest)"
	@echo "make tables     write config/depth.yaml and docs/parameters.md again"
	@echo "make bench      compare with other runtimes (ARGS=\"--against onnxruntime ...\")"
	@echo "make fuzz       hostile messages, files and settings for MINUTES=20; the table is in build/fuzz (ARGS=\"--targets pth ...\")"
	@echo "make soak       a node in a graph where things go wrong for MINUTES=60; the table is in build/soak"
	@echo "make train-env  .venv-train with torch, for \`fastdepth train\`"
	@echo "make clean      remove the environments and what was built"

demo: $(VENV)/.run
	$(CLEAN) $(BIN)/fastdepth demo $(ARGS)

test: check
	$(CLEAN) $(BIN)/python tools/tests_in_two.py $(ARGS)

check: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

tables: $(VENV)/.run
	$(BIN)/python -m tools.parameter_tables

bench: $(VENV)/.run .venv-bench/.ready
	$(CLEAN) $(BIN)/fastdepth bench --against onnxruntime,openvino,litert,ncnn $(ARGS)

fuzz: MINUTES ?= 20
fuzz: $(VENV)/.test
	$(CLEAN) $(BIN)/python test/hostile fuzz --minutes $(MINUTES) $(ARGS)

soak: MINUTES ?= 60
soak: $(VENV)/.test
	$(CLEAN) $(BIN)/python test/hostile soak --minutes $(MINUTES) $(ARGS)

train-env: .venv-train/.ready

define make_venv
	@test -n "$(PYTHON)" || { echo "fastdepth_ros needs Python 3.10, 3.11 or 3.12; install one, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(1)/bin/pip || $(PYTHON) -m venv $(1) || { rm -rf $(1); echo "Python's venv module is missing: apt install python3-venv"; exit 1; }
endef

# The package itself is installed as a link to this checkout: what is edited here is what runs.
$(VENV)/.run: requirements/run.txt setup.py
	$(call make_venv,$(VENV))
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/run.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/run.txt -r requirements/test.txt
	@touch $@

# Other runtimes and torch live apart: the TVM runtime would load torch into the node wherever it is installed.
.venv-bench/.ready: requirements/bench.txt
	$(call make_venv,.venv-bench)
	.venv-bench/bin/pip install --quiet --disable-pip-version-check -r requirements/bench.txt
	@touch $@

.venv-train/.ready: requirements/train.txt setup.py
	$(call make_venv,.venv-train)
	.venv-train/bin/pip install --quiet --disable-pip-version-check -r requirements/train.txt
	.venv-train/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

clean:
	rm -rf $(VENV) .venv-bench .venv-train build install log *.egg-info

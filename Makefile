# `make demo` and `make test` set up what they need in an environment of their own, once, and go. ARGS="..." is handed on
# to the command.
.PHONY: demo view test test-all check style tests tables bench bench-env fuzz soak wheel train-env clean help

# Whose ROS 2: kilted and jazzy are wheels in .venv and .venv-jazzy, noble is Jazzy beside the NumPy and OpenCV of Ubuntu 24.04,
# system is the one that was sourced.
ROS ?= $(if $(ROS_DISTRO),system,kilted)
NAME := $(if $(filter-out kilted,$(ROS)),-$(ROS))
VENV := .venv$(NAME)
BIN := $(VENV)/bin
RUN := requirements/run$(NAME).txt
MACHINE := $(shell uname -m)

ifeq ($(wildcard $(RUN)),)
$(error There is no ROS=$(ROS): choose kilted, jazzy, noble or system (docs/install.md))
endif

# What the environment must not inherit: another environment's ROS wheels set this guard, and then ours would not start. Beside
# wheels, nothing of a sourced ROS.
CLEAN := env -u _ROS_WHEELS_BOOTSTRAP_COMPLETE
PYTHONS := python3 python3.12 python3.11 python3.10 python3.13 python3.14
LAST := 14
ifeq ($(ROS),system)
PYTHONS := /usr/bin/python3
SITE := --system-site-packages
READY = test -n "$(ROS_DISTRO)" || $(call say,No ROS 2 is sourced: run `. /opt/ros/DISTRO/setup.bash` before or choose ROS=kilted)
else
CLEAN += -u PYTHONPATH $(if $(ROS_DISTRO),-u LD_LIBRARY_PATH -u AMENT_PREFIX_PATH -u ROS_DISTRO -u ROS_VERSION -u ROS_PYTHON_VERSION)
READY = test $(MACHINE) = x86_64 || $(call say,ROS 2 has no wheels for $(MACHINE): install ROS 2 and run `. /opt/ros/DISTRO/setup.bash` before)
endif
ifeq ($(ROS),noble)
LAST := 12
endif
imports = $(CLEAN) $(PYTHON) -c "import $(1)" 2>/dev/null
say = { echo 'fastdepth_ros: $(1).'; exit 1; }
PIP := $(CLEAN) $(BIN)/python -m pip install --quiet --disable-pip-version-check

# The first of these that is Python 3.10 to 3.14; PYTHON=... overrides it. A sourced ROS has its own: the system's.
SUITS := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, $(LAST)))
PYTHON ?= $(firstword $(foreach p,$(PYTHONS),$(shell $(p) -c '$(SUITS)' 2>/dev/null && echo $(p))))

help:
	@echo "make demo       play a recording through the node and write a report (ARGS=\"--recording DIR ...\")"
	@echo "make view       a page in the browser on a node that runs (ARGS=\"--node /front/fastdepth ...\")"
	@echo "make test       ruff, mypy and the tests but for second looks and slow ones (ARGS=\"-k camera ...\" for pytest)"
	@echo "make test-all   all tests: further targets, precisions, sizes and faults, and what takes long"
	@echo "make tests      those of \`make test\` without ruff and mypy, which need to look once only, and not on each ROS"
	@echo "make check      ruff and mypy alone; \`make style\` ruff alone"
	@echo "make tables     write config/depth.yaml and docs/parameters.md again"
	@echo "make bench      compare with other runtimes (ARGS=\"--against onnxruntime ...\")"
	@echo "make bench-env  .venv-bench with the other runtimes and what quantises for them"
	@echo "make fuzz       hostile messages, files and settings for MINUTES=20; the table is in build/fuzz (ARGS=\"--targets pth ...\")"
	@echo "make soak       a node in a graph where things go wrong for MINUTES=60; the table is in build/soak"
	@echo "make wheel      wheel and sdist in dist, looked through by twine"
	@echo "make train-env  .venv-train with torch, for \`fastdepth train\`"
	@echo "make clean      remove the environments and what was built"
	@echo "ROS=kilted|jazzy|noble|system chooses the ROS 2 of all of them (docs/install.md), PYTHON=... the Python"

demo: $(VENV)/.run
	$(CLEAN) $(BIN)/fastdepth demo $(ARGS)

view: $(VENV)/.view
	$(CLEAN) $(BIN)/fastdepth view $(ARGS)

test: style
	$(CLEAN) $(BIN)/python tools/tests_side_by_side.py --beside $(BIN)/mypy -m "not slow and not again" $(ARGS)

test-all: style
	$(CLEAN) $(BIN)/python tools/tests_side_by_side.py --beside $(BIN)/mypy $(ARGS)

# Without ruff and mypy, which need to look once only, and not on each ROS.
tests: $(VENV)/.test
	$(CLEAN) $(BIN)/python tools/tests_side_by_side.py -m "not slow and not again" $(ARGS)

check: style
	$(BIN)/mypy

style: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

tables: $(VENV)/.run
	$(BIN)/python -m tools.parameter_tables

bench: $(VENV)/.run .venv-bench/.ready
	$(CLEAN) $(BIN)/fastdepth bench --against onnxruntime,openvino,litert,ncnn $(ARGS)

bench-env: .venv-bench/.ready

fuzz: MINUTES ?= 20
fuzz: $(VENV)/.test
	$(CLEAN) $(BIN)/python test/hostile fuzz --minutes $(MINUTES) $(ARGS)

soak: MINUTES ?= 60
soak: $(VENV)/.test
	$(CLEAN) $(BIN)/python test/hostile soak --minutes $(MINUTES) $(ARGS)

# The modules are compiled with no tiles of this machine's own; the sdist has none, and what is built of it compiles its own.
MODELS := build/models
wheel: .venv-wheel/.ready $(VENV)/.run
	rm -rf dist build/lib $(MODELS)
	FASTDEPTH_CACHE=build/cache $(CLEAN) $(BIN)/python tools/prebuild.py --out $(MODELS)
	.venv-wheel/bin/python -m build --sdist $(ARGS)
	FASTDEPTH_MODELS=$(MODELS) .venv-wheel/bin/python -m build --wheel $(ARGS)
	.venv-wheel/bin/python -m twine check --strict dist/*

train-env: .venv-train/.ready

define make_venv
	@test -n "$(PYTHON)" || $(call say,ROS=$(ROS) needs Python 3.10 to 3.$(LAST): install one or name it: make PYTHON=/path/to/python3.11)
	@test -x $(1)/bin/pip || $(CLEAN) $(PYTHON) -m venv $(2) $(1) || { rm -rf $(1); $(call say,the venv module of Python is missing: apt install python3-venv); }
endef

# The package itself is installed as a link to this checkout: what is edited here is what runs.
$(VENV)/.run: $(RUN) requirements/packages.txt setup.py
	@$(READY)
ifeq ($(ROS)$(if $(PYTHON),,none),system)
	@$(call imports,rclpy) || $(call say,ROS 2 $(ROS_DISTRO) has no rclpy for $(PYTHON): run `. /opt/ros/$(ROS_DISTRO)/setup.bash` before or name its Python: make PYTHON=/usr/bin/python3)
	@$(call imports,cv2) || $(call say,OpenCV is missing: apt install python3-opencv)
endif
	$(call make_venv,$(VENV),$(SITE))
	$(PIP) -r $(RUN)
	$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt requirements/video.txt
	$(PIP) -r $(RUN) -r requirements/test.txt
	@touch $@

$(VENV)/.view: $(VENV)/.run requirements/view.txt
	$(PIP) -r $(RUN) -r requirements/view.txt
	@touch $@

# Other runtimes and torch live apart: the TVM runtime would load torch into the node wherever it is installed.
.venv-bench/.ready: requirements/bench.txt
	$(call make_venv,.venv-bench)
	.venv-bench/bin/pip install --quiet --disable-pip-version-check -r requirements/bench.txt
	@touch $@

.venv-wheel/.ready: requirements/wheel.txt
	$(call make_venv,.venv-wheel)
	.venv-wheel/bin/pip install --quiet --disable-pip-version-check -r requirements/wheel.txt
	@touch $@

.venv-train/.ready: requirements/train.txt setup.py
	$(call make_venv,.venv-train)
	.venv-train/bin/pip install --quiet --disable-pip-version-check -r requirements/train.txt
	.venv-train/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

clean:
	rm -rf .venv .venv-jazzy .venv-noble .venv-system .venv-bench .venv-train .venv-wheel build dist install log *.egg-info

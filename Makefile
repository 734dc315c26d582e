# make demo: a lock from a running service. make test: everything that is tested. Needs Python 3.11+, make and git.

PYTHON ?= python3
VENV ?= .venv
BENCH_VENV ?= $(VENV)-bench
NATIVE_VENV ?= $(VENV)-native
RUN := $(VENV)/bin/python

# The user's pip settings (index, certificates) apply. What installing has to say goes to stderr: stdout is for results.
PIP := $(RUN) -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --require-hashes

.PHONY: demo serve test lint format native bench load requirements clean

demo: $(VENV)/run.stamp
	@$(RUN) examples/demo.py examples/requirements.in

serve: $(VENV)/run.stamp
	$(VENV)/bin/lockwright serve

test: $(VENV)/dev.stamp
	$(RUN) -m pytest $(PYTEST_ARGS)

lint: $(VENV)/dev.stamp
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

format: $(VENV)/dev.stamp
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

# The project with its solver compiled, in an environment of its own: $(NATIVE_VENV)/bin/lockwright. Needs a C compiler.
native: $(NATIVE_VENV)/native.stamp

# Peers and we side by side on recorded index data; writes docs/performance.md. BENCH_ARGS="--quick --only jupyter".
# Where the compiled project is at hand, it is the one that is measured; the document says so.
LOCKWRIGHT = $(if $(wildcard $(NATIVE_VENV)/native.stamp),$(NATIVE_VENV),$(VENV))/bin/lockwright

bench: $(VENV)/run.stamp $(BENCH_VENV)/bench.stamp
	$(BENCH_VENV)/bin/python -m benchmarks --lockwright $(LOCKWRIGHT) $(BENCH_ARGS)

# The part of it that puts the service under load (needs wrk), without the document.
load: $(VENV)/run.stamp $(BENCH_VENV)/bench.stamp
	$(BENCH_VENV)/bin/python -m benchmarks --lockwright $(LOCKWRIGHT) --measure load --no-document $(BENCH_ARGS)

# The stamps make a second call free: pip runs again only when the pins or the project's own metadata change.
$(VENV)/venv.stamp:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found; install Python 3.11 or later, or say make PYTHON=/path/to/python3" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$($(PYTHON) --version 2>&1); Python 3.11 or later is needed: make PYTHON=python3.13" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments; install its venv package (python3-venv)" >&2; exit 2; }
	@echo "making $(VENV) with $$($(PYTHON) --version)" >&2
	@$(PYTHON) -m venv $(VENV) >&2
	@touch $@

# The project is installed without build isolation, so that the build backend is pinned and hashed like the rest.
$(VENV)/run.stamp: $(VENV)/venv.stamp requirements/build.txt requirements/run.txt pyproject.toml
	@echo "installing requirements/run.txt and the project" >&2
	@$(INSTALL) -r requirements/build.txt -r requirements/run.txt >&2
	@$(PIP) install --no-deps --no-build-isolation --editable . >&2
	@$(RUN) -m compileall -q service resolver transport  # else a command line compiles each time, where Python may not write
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	@echo "installing requirements/dev.txt" >&2
	@$(INSTALL) -r requirements/dev.txt >&2
	@touch $@

$(BENCH_VENV)/bench.stamp: $(VENV)/venv.stamp requirements/bench.txt
	@echo "installing requirements/bench.txt into $(BENCH_VENV)" >&2
	@$(PYTHON) -m venv $(BENCH_VENV) >&2
	@$(BENCH_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/bench.txt >&2
	@touch $@

# Built of a copy, for a build leaves objects beside the sources, and these the next one takes for its own.
NATIVE_PIP := $(NATIVE_VENV)/bin/python -m pip --disable-pip-version-check --quiet install
$(NATIVE_VENV)/native.stamp: $(VENV)/venv.stamp requirements/run.txt requirements/native.txt pyproject.toml setup.py \
		$(shell find resolver service transport -name '*.py')
	@echo "compiling the project into $(NATIVE_VENV)" >&2
	@rm -rf $(NATIVE_VENV)
	@$(PYTHON) -m venv $(NATIVE_VENV) >&2
	@$(NATIVE_PIP) --require-hashes -r requirements/native.txt -r requirements/run.txt >&2
	@mkdir $(NATIVE_VENV)/source
	@cp -R resolver service transport pyproject.toml setup.py README.md LICENSE $(NATIVE_VENV)/source
	@LOCKWRIGHT_COMPILE=1 $(NATIVE_PIP) --no-deps --no-build-isolation --no-index $(NATIVE_VENV)/source >&2
	@rm -rf $(NATIVE_VENV)/source
	@touch $@

# Pins for every Python from 3.11 on. No index, link or host is written into them: where to install from is the machine's.
COMPILE := $(RUN) -m uv pip compile --quiet --no-config --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-header

requirements: $(VENV)/dev.stamp
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) pyproject.toml --extra dev -c requirements/run.txt -o requirements/dev.txt
	$(COMPILE) requirements/build.in -o requirements/build.txt
	$(COMPILE) requirements/native.in -c requirements/build.txt -c requirements/dev.txt -o requirements/native.txt
	$(COMPILE) --no-strip-extras requirements/bench.in -c requirements/dev.txt -o requirements/bench.txt

clean:
	rm -rf $(VENV) $(BENCH_VENV) $(NATIVE_VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# make demo   set everything up, train and test on the synthetic dataset, draw the results
#             TORCH_INDEX=URL   a package index to take torch from, such as that of its CPU wheels
# make test   set everything up, then lint, types and tests
# make browser   install Chromium, which the tests of reports look at pages with, where apt can
# make docs   write the pages that are generated from the code
# make export-table   export every architecture to ONNX that changed, and write docs/export-table.md:
#             half an hour for all on two cores
# make test-peers   compare with other people's packages, as far as they are installed:
#                   pip install --no-deps -r tests/peers/requirements.txt
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/pip install --quiet -c constraints.txt $(addprefix --extra-index-url ,$(TORCH_INDEX))
SETUP := pyproject.toml setup.py constraints.txt
TELL_SIZE := echo "Installing into $(VENV): 5 to 6 GB with CUDA, under 2 GB with CPU wheels of torch" \
    "(TORCH_INDEX, see README). That takes minutes, at the pace of your network."
CODE := reidcore reid_plugins_osnet reid_plugins_datasets plugins examples tests benchmarks docs/generate setup.py

.PHONY: demo test lint check browser test-peers docs export-table clean

demo: $(VENV)/.run-ready
	@echo "Training, testing and drawing the results: about three minutes on two cores."
	$(BIN)/reidcore run quickstart --resume auto
	$(BIN)/reidcore report log/quickstart
	@echo "Open log/quickstart/report.html in a browser: figures, curves, pictures, all in one page."
	@echo "Pictures of rankings are in log/quickstart/visrank_synthetic, figures in results.json"
	@echo "To train it anew: $(BIN)/reidcore run quickstart --overwrite"

test: lint check

lint: $(VENV)/.dev-ready
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy

# Two test processes with a torch thread each: more would only wait for one another.
check: $(VENV)/.dev-ready
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

# Without it those tests are skipped, and say so.
browser:
	@command -v chromium > /dev/null || { command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ] \
	    && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends chromium fonts-liberation > /dev/null; } \
	    || echo "No Chromium could be installed: the tests that look at pages are skipped."

test-peers: $(VENV)/.dev-ready
	OMP_NUM_THREADS=1 $(BIN)/pytest tests/peers

docs: $(VENV)/.dev-ready
	for page in $(filter-out %/import_graph.py %/export_table.py,$(wildcard docs/generate/*.py)); do \
	    $(BIN)/python $$page || exit 1; done

export-table: $(VENV)/.dev-ready
	OMP_NUM_THREADS=1 nice -n 10 $(BIN)/python docs/generate/export_table.py

clean:
	rm -rf $(VENV) build *.egg-info plugins/*.egg-info .mypy_cache .ruff_cache .pytest_cache
	rm -f reidcore/evaluation/_counting.*.so reidcore/evaluation/_counting.c

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: $(VENV)/bin/pip $(SETUP)
	@$(TELL_SIZE)
	$(PIP_INSTALL) -e ".[report]"
	@touch $@

$(VENV)/.dev-ready: $(VENV)/bin/pip $(SETUP)
	@$(TELL_SIZE)
	$(PIP_INSTALL) -e ".[dev]"
	@touch $@ $(VENV)/.run-ready

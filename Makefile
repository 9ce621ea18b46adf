# make demo   set everything up, train and test on the synthetic dataset, draw the results
#             TORCH_INDEX=URL   a package index to take torch from, such as that of its CPU wheels
# make test   set everything up, then lint, types and tests
# make docs   write the pages that are generated from the code
# make test-peers   compare with other people's packages, as far as they are installed
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/pip install --quiet -c constraints.txt $(addprefix --extra-index-url ,$(TORCH_INDEX))
SETUP := pyproject.toml setup.py constraints.txt
TELL_SIZE := echo "Installing into $(VENV): 5 to 6 GB with CUDA, under 2 GB with CPU wheels of torch" \
    "(TORCH_INDEX, see README). That takes minutes, at the pace of your network."
CODE := reidcore reid_plugins_osnet reid_plugins_datasets plugins examples tests benchmarks docs/generate setup.py

.PHONY: demo test lint check test-peers docs clean

demo: $(VENV)/.run-ready
	@echo "Training, testing and drawing the results: about three minutes on two cores."
	$(BIN)/reidcore run quickstart --resume auto
	@echo "Look at log/quickstart/visrank_synthetic/overview.jpg and log/quickstart/results.json"
	@echo "To train it anew: $(BIN)/reidcore run quickstart --overwrite"

test: lint check

lint: $(VENV)/.dev-ready
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy

# Two test processes with a torch thread each: more would only wait for one another.
check: $(VENV)/.dev-ready
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

test-peers: $(VENV)/.dev-ready
	OMP_NUM_THREADS=1 $(BIN)/pytest tests/peers

docs: $(VENV)/.dev-ready
	for page in $(filter-out %/import_graph.py,$(wildcard docs/generate/*.py)); do \
	    $(BIN)/python $$page || exit 1; done

clean:
	rm -rf $(VENV) build *.egg-info plugins/*.egg-info .mypy_cache .ruff_cache .pytest_cache
	rm -f reidcore/evaluation/_counting.*.so reidcore/evaluation/_counting.c

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: $(VENV)/bin/pip $(SETUP)
	@$(TELL_SIZE)
	$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.dev-ready: $(VENV)/bin/pip $(SETUP)
	@$(TELL_SIZE)
	$(PIP_INSTALL) -e ".[dev]"
	@touch $@ $(VENV)/.run-ready

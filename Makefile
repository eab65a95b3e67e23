# `make help` lists what there is. Every target does its own set-up.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
# its scripts name the folder in which they were installed; a checkout that was moved or copied has them made anew
ifneq ($(wildcard $(STAMP)),)
ifneq ($(shell cat '$(STAMP)'),)
ifneq ($(shell cat '$(STAMP)'),$(abspath $(VENV)))
MOVED := moved
endif
endif
endif
UI_PORT ?= 5000
TENSORBOARD_PORT ?= 6006
SWEEPS_PORT ?= 8080
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help moved in-git setup repro test check format bench doctor ui tensorboard sweeps screenshots lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(STAMP) ## make .venv from requirements.lock, hashes checked

$(STAMP): requirements.lock pyproject.toml $(MOVED)
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v <= (3, 13) and f"error: found Python {v[0]}.{v[1]}, expected 3.11 to 3.13. Run: make setup PYTHON=python3.12")'
	@echo "setting up $(VENV) (a few minutes, once)"
	@test -x $(VENV)/bin/python -a -z "$(MOVED)" || $(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@echo '$(abspath $(VENV))' > $@

# register runs every time, and once: it fills a store that is new or was deleted, also when no stage has changed
repro: in-git $(STAMP) ## run what an edit touches: prepare, train, evaluate, register every experiment (EXPERIMENT=...: that one)
ifdef EXPERIMENT
	@dvc repro evaluate@$(EXPERIMENT)
	@python -m pipeline.register experiment=$(EXPERIMENT)
else
	@dvc repro evaluate
	@dvc repro --single-item --force register
endif

in-git:
	@found=$$(LC_ALL=C git rev-parse --git-dir 2>&1) || case "$$found" in \
		*"not a git repository"*) \
			echo "error: $(CURDIR) is no git checkout, which DVC needs. Clone the repository, or run: git init" >&2; exit 2;; \
		*) echo "error: git, which DVC needs, does not work here: $$found" >&2; exit 2;; \
		esac

test: $(STAMP) ## every test
	@python -m pytest -n 4 --maxschedchunk 1 tests

check: $(STAMP) ## lint, format, types, import layers
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-cache

format: $(STAMP) ## mend what check finds in lint and format
	ruff check --fix .
	ruff format .

bench: $(STAMP) ## measure what the README claims, beside its rivals (about an hour)
	python benchmarks/training.py
	python benchmarks/memory.py
	python benchmarks/data.py
	python benchmarks/tracking.py
	python benchmarks/stages.py
	python benchmarks/repro.py
	python benchmarks/search.py
	python benchmarks/sweeps.py
	python benchmarks/evaluation.py
	python benchmarks/quality.py
	python benchmarks/report.py

doctor: $(STAMP) ## look at Python, packages, GPU, store, DVC, disk, and say what each finding means
	@python -m pipeline.doctor

ui: $(STAMP) ## MLflow on http://127.0.0.1:5000, and where to look there (UI_PORT=5001: on that)
	@python -m pipeline.ui $(UI_PORT) UI_PORT

tensorboard: $(STAMP) ## TensorBoard on http://127.0.0.1:6006 (TENSORBOARD_PORT=6007: on that)
	@python -m pipeline.ports $(TENSORBOARD_PORT) TENSORBOARD_PORT
	@tensorboard --logdir runs --port $(TENSORBOARD_PORT)

# SWEEP and SWEEP_STORAGE are read from the environment, since the storage's address may hold a password
sweeps: $(STAMP) ## optuna-dashboard on http://127.0.0.1:8080 (SWEEPS_PORT=...): the latest search, SWEEP=name or SWEEP_STORAGE=postgresql://...
	@python -m pipeline.dashboard $(SWEEPS_PORT) SWEEPS_PORT

screenshots: $(STAMP) ## take the pictures of README and docs, of a reproduction and a sweep in clones (needs chromium)
	@python -m tests.end_to_end.pages

lock: ## resolve pyproject.toml into requirements.lock and requirements-cluster.lock (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra dev pyproject.toml --output-file requirements.lock
	@# what Ray and submitit need beyond requirements.lock, whose versions stay
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra dev --extra ray --extra slurm pyproject.toml \
		--constraint requirements.lock --output-file requirements-cluster.lock \
		$$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements.lock)

clean: ## remove what the pipeline made (keeps .venv, the DVC cache, mlflow.db and runs/)
	rm -rf data/prepared .mypy_cache .ruff_cache .pytest_cache
	@# a lock that a running command holds is not its any more once its file is gone
	@test ! -d build || find build/ -mindepth 1 -maxdepth 1 ! -name locks -exec rm -rf {} +

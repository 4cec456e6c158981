# Every target stands alone: what it needs and lacks, it installs (Debian or Ubuntu, as root or with sudo).

FIXTURE := fixtures/basic/faultless/Dockerfile
DOCKERFILE ?= $(FIXTURE)
# The fixture shows what success looks like. Anybody's Dockerfile is built as its builder builds it by default.
OPTIONS ?= $(if $(filter $(FIXTURE),$(DOCKERFILE)),--reproducible)
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help verify test check lint docs readme bench accuracy self golden lock engines clean
SHELL := /bin/sh
export EVERY_BUILDER

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

verify: ## build DOCKERFILE (a fixture's unless given) twice and compare; OPTIONS are verify-build's
	@setup/verify.sh "$(DOCKERFILE)" $(OPTIONS)

test: ## the tests, on real builders and a real registry; ARGS are pytest's, EVERY_BUILDER=1 tries each cause on each
	@setup/test.sh $(ARGS)

check: lint ## what CI runs: format, lint, types, layers, README, tests
	@setup/test.sh $(ARGS)

lint: ## format, lint, types, layers, README: without a builder
	@setup/tool.sh --dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python setup/check_readme.py README.md
	$(BIN)/python setup/check_causes.py docs/causes
	$(BIN)/python setup/check_man.py docs/verify-build.1
	$(BIN)/python setup/terminal_picture.py docs/tutorial.md docs/terminal.svg

docs: ## write the pages of the causes, the manual and the picture of the terminal
	@setup/tool.sh --dev
	$(BIN)/python setup/check_causes.py --write docs/causes
	$(BIN)/python setup/check_man.py --write docs/verify-build.1
	$(BIN)/python setup/terminal_picture.py --write docs/tutorial.md docs/terminal.svg

readme: ## write the tool's help texts into the README
	@setup/tool.sh --dev
	$(BIN)/python setup/check_readme.py --write README.md

bench: ## how fast the comparison is, as ratios against this machine's own limit
	@setup/tool.sh --dev
	@setup/packages.sh diffoscope-minimal mmdebstrap skopeo
	$(BIN)/python -m bench
	$(BIN)/python -m bench.registry
	$(BIN)/python -m bench.page

accuracy: ## every fixture on every builder that can, and the table of it; interrupted, it goes on where it was
	-@EVERY_BUILDER=1 ACCURACY_RESULTS=$(CURDIR)/.cache/accuracy setup/test.sh -q tests/causes/test_fixtures.py
	@$(BIN)/python -m accuracy .cache/accuracy

self: ## build the tool's own image twice: it must come out the same
	@setup/verify.sh Dockerfile --reproducible --network host

golden: ## write the golden reports anew; look at the difference before you commit it
	@setup/tool.sh --dev
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/reports

lock: ## resolve the dependencies anew; the locks name no index
	@setup/tool.sh --dev
	$(BIN)/pip-compile $(LOCK) --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile $(LOCK) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

LOCK := --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --build-deps-for editable --no-header \
	--no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

engines: ## start the engines of the tests and leave them running; setup/engines.sh stop ends them
	@setup/engines.sh start

clean: ## stop what runs and remove everything that the other targets made
	@setup/clean.sh

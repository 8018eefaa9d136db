# Everything that people and CI run. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest

.PHONY: help
help: ## List every target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk 'BEGIN {FS = ":.*## "} {printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}'

# --- set-up -------------------------------------------------------------------------------------

.PHONY: setup
setup: $(STAMP) ## Make the virtual environment in .venv (the other targets do it by themselves)

# Everything that is fetched is pinned with its hash (docs/adr/0019). --no-deps: the lock is complete, and leaves out what
# must not be here.
LOCKED := $(PIP) install --quiet --no-deps --require-hashes
$(STAMP): $(addsuffix pyproject.toml,./ proto/ clients/python/) $(wildcard requirements/*.lock)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing gatepost into $(VENV) (about 2 GB; a few minutes)"
	@$(LOCKED) -r requirements/build.lock
	@$(LOCKED) -r requirements/torch-cpu.lock 2>/dev/null || { \
	  echo "No CPU build of torch here: taking PyPI's, with CUDA (4 GB more)"; $(LOCKED) -r requirements/torch-cuda.lock; }
	@$(LOCKED) --no-build-isolation -r requirements/gatepost.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation -e proto -e clients/python -e .
	@touch $@

# Pinned exactly in package.json; npm's own lock file leaves out the other platforms' binaries.
node_modules/.bin/buf: package.json
	@npm install --include=dev --no-package-lock --no-audit --no-fund --loglevel=error && touch $@

# --- run ----------------------------------------------------------------------------------------

.PHONY: demo
demo: $(STAMP) ## Start everything, moderate the sample cards, draw out/demo/contact_sheet.png, stop
	@$(BIN)/python -m benchmarks.demo.run

.PHONY: console-demo
console-demo: $(STAMP) ## The review console with the sample cards in its queue, until Ctrl-C: out/console-demo
	@$(BIN)/python -m benchmarks.demo.console

.PHONY: serve
serve: $(STAMP) ## Run Triton and the gateway until Ctrl-C (gRPC on 127.0.0.1:50051)
	@$(BIN)/gatepostd up

# --- test ---------------------------------------------------------------------------------------

.PHONY: test
test: $(STAMP) check ## Everything: static checks, unit, contract, integration and end-to-end tests
	@mkdir -p out; \
	{ $(PYTEST) tests/unit tests/contract >out/test-unit.log 2>&1; unit=$$?; \
	  $(MAKE) --no-print-directory test-browser >out/test-browser.log 2>&1 && exit $$unit; } & unit=$$!; \
	trap 'kill $$unit 2>/dev/null' INT TERM; \
	status=0; $(PYTEST) tests/integration tests/e2e || status=$$?; \
	wait $$unit || status=$$?; \
	echo; echo "unit and contract tests (out/test-unit.log), which ran beside these:"; tail -n 25 out/test-unit.log; \
	echo; echo "and browser tests (out/test-browser.log, pictures in out/browser):"; tail -n 25 out/test-browser.log; \
	exit $$status

.PHONY: test-unit
test-unit: $(STAMP) ## Unit and contract tests alone (seconds)
	@$(PYTEST) tests/unit tests/contract -m "not integration and not e2e"

.PHONY: test-browser
test-browser: $(STAMP) ## The review console in Debian's Chromium (installed where it is not there), and what keeps people from using it: pictures in out/browser
	@tests/browser/install_chromium.sh
	@$(PYTEST) tests/browser

.PHONY: check
check: lint lint-deploy types imports proto-check ## Static checks alone

.PHONY: lint
lint: $(STAMP) ## ruff: lint and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

KUBERNETES := 1.33.0
MANIFESTS = $(filter-out %/kustomization.yaml %/prometheus-adapter.yaml,$(wildcard deploy/kubernetes/*.yaml))

.PHONY: lint-deploy
lint-deploy: $(STAMP) ## deploy/: the schemas of Compose and Kubernetes; dockerfile-utils and dclint (where npm is)
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose/compose.yaml deploy/compose/gpu.yaml
	@$(BIN)/kubernetes-validate --strict --quiet --kubernetes-version $(KUBERNETES) $(MANIFESTS)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory lint-containers; else echo "SKIPPED dockerfile-utils and dclint: npm is not installed"; fi

.PHONY: lint-containers
lint-containers: node_modules/.bin/buf # which comes with the others of package.json
	@for file in deploy/docker/*.Dockerfile; do node_modules/.bin/dockerfile-utils lint "$$file" || exit 1; done
	@node_modules/.bin/dclint deploy/compose/compose.yaml --quiet --disable-rule no-build-and-image

.PHONY: format
format: $(STAMP) ## ruff: fix and format
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

.PHONY: types
types: $(STAMP) ## mypy --strict
	@$(BIN)/mypy

.PHONY: imports
imports: $(STAMP) ## import-linter: the layers go one way
	@$(BIN)/lint-imports --no-logo

.PHONY: proto
proto: $(STAMP) ## Regenerate the gRPC stubs
	@PYTHON=$(abspath $(BIN)/python) PATH="$(abspath $(BIN)):$$PATH" proto/generate.sh

.PHONY: proto-check
proto-check: $(STAMP) ## buf lint (where npm is), and that the committed stubs are those of the .proto files
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory buf-lint; else echo "SKIPPED buf lint: npm is not installed"; fi
	@$(BIN)/python -m tests.proto_drift

.PHONY: buf-lint
buf-lint: node_modules/.bin/buf ## buf lint alone
	@node_modules/.bin/buf lint proto

.PHONY: docs
docs: $(STAMP) ## docs/sdk.md from the SDK's docstrings
	@$(BIN)/python clients/python/scripts/reference.py

# --- measure ------------------------------------------------------------------------------------

.PHONY: bench
bench: $(STAMP) all-fonts ## Speed beside loops over the same weights, latency, growth, start-up: out/bench/cpu.json, docs/performance.md (a quarter of an hour); PART=name does one part, FULL=1 takes longer
	@$(BIN)/python -m benchmarks.throughput $(addprefix --part ,$(PART)) $(if $(FULL),--full)

.PHONY: bench-smoke
bench-smoke: $(STAMP) ## Start-up, latency, memory and throughput beside a plain loop: out/bench/smoke.json
	@$(BIN)/python -m benchmarks.smoke

.PHONY: chaos
chaos: $(STAMP) ## Break a running gatepost in every known way, under load: out/chaos/report.json (10 minutes; Linux, unshare)
	@$(BIN)/python -m benchmarks.chaos

.PHONY: bench-fresh
bench-fresh: $(STAMP) ## Time `make demo` and `make test` in a fresh clone: out/bench/fresh.json
	@$(BIN)/python -m benchmarks.fresh

.PHONY: bench-overhead
bench-overhead: $(STAMP) ## What tickets, coverage, admission and credentials add to a request: out/bench/overhead.json (minutes)
	@$(BIN)/python -m benchmarks.overhead

.PHONY: bench-gateway
bench-gateway: $(STAMP) ## The gateway alone beside a bare gRPC echo of 200 kB: out/bench/gateway.json (minutes)
	@$(BIN)/python -m benchmarks.gateway_echo

.PHONY: bench-traces
bench-traces: $(STAMP) ## What traces cost the gateway a request, in processor time: out/bench/traces.json (minutes)
	@$(BIN)/python -m benchmarks.traces

.PHONY: bench-gpu-floor
bench-gpu-floor: $(STAMP) ## Operations and bytes of the nets, the device's ceilings, and the gap: out/bench/floor.json; the CPU where there is no GPU
	@$(BIN)/python -m benchmarks.gpu.floor

.PHONY: bench-gpu
bench-gpu: $(STAMP) ## The served gate at 1 to 512 callers, on a machine with a GPU: out/bench/gpu.json
	@$(BIN)/python -m benchmarks.gpu.served

.PHONY: bench-replay
bench-replay: $(STAMP) ## Stored rows that gatepostd replay judges a second: out/bench/replay.json
	@$(BIN)/python -m benchmarks.replay

.PHONY: bench-tickets
bench-tickets: $(STAMP) ## What a release ticket costs to sign and to check: out/bench/tickets.json
	@$(BIN)/python -m benchmarks.tickets

.PHONY: bench-asked-text
bench-asked-text: $(STAMP) ## How surely unasked text is told from text as asked: out/bench/asked_text.json (minutes)
	@$(BIN)/python -m benchmarks.asked_text

.PHONY: bench-urgency
bench-urgency: $(STAMP) ## Interactive work beside a saturating re-scan: out/bench/urgency.json (minutes)
	@$(BIN)/python -m benchmarks.urgency

.PHONY: bench-rescan
bench-rescan: $(STAMP) ## Re-scan beside the served peak and a thread pool, its memory, resuming: out/bench/rescan.json (half an hour)
	@$(BIN)/python -m benchmarks.rescan

.PHONY: fonts
fonts: ## Install the Debian fonts that the card generator draws with (asks apt-get)
	@benchmarks/cards/install_fonts.sh

.PHONY: all-fonts
all-fonts:
	@benchmarks/cards/install_fonts.sh all || echo "the fonts could not be installed"

.PHONY: evaluate
evaluate: $(STAMP) all-fonts ## Quality on cards never trained on: out/evaluate/quality.json, docs/quality.md (half an hour); DATA=folder adds the labelled sets, SHARE=0.25 leaves cards out
	@$(BIN)/python -m benchmarks.evaluate $(if $(DATA),--data $(DATA)) $(if $(SHARE),--share $(SHARE))

.PHONY: evaluate-quick
evaluate-quick: $(STAMP) all-fonts ## Some cards against the committed baseline: fails on a drop beyond noise (minutes); ACCEPT=1 makes this run the baseline
	@$(BIN)/python -m benchmarks.evaluate --quick $(if $(ACCEPT),--accept)

.PHONY: evaluate-ocr
evaluate-ocr: $(STAMP) fonts ## OCR by style beside paddleocr: out/evaluate/ocr.json, docs/ocr.md
	@$(BIN)/python -m benchmarks.evaluate_ocr

.PHONY: evaluate-text
evaluate-text: $(STAMP) ## The text classifier on labelled sets, DATA=folder (training/text/README.md): out/evaluate/text.json
	@test -n "$(DATA)" || { echo "say where the data sets are: make evaluate-text DATA=folder"; exit 2; }
	@$(BIN)/python -m benchmarks.evaluate_text --data $(DATA)

.PHONY: evaluate-clip
evaluate-clip: $(STAMP) ## The image classifier on drawings of unseen styles: out/evaluate/clip.json
	@$(BIN)/python -m benchmarks.evaluate_clip

.PHONY: fuzz
fuzz: $(STAMP) ## Hostile images against the decode step and the whole service: out/fuzz/report.json, docs/reliability.md (ten minutes at most)
	@$(BIN)/python -m benchmarks.fuzz

# --- housekeeping -------------------------------------------------------------------------------

.PHONY: lock
lock: ## Pin what pyproject.toml asks for, with hashes, in requirements/*.lock; UPGRADE=name or UPGRADE=all takes newer ones
	@PATH="$(abspath $(BIN)):$$PATH" requirements/lock.sh $(if $(UPGRADE),$(if $(filter all,$(UPGRADE)),--upgrade,--upgrade-package $(UPGRADE)))

# --strict: a package that the service does not know is a failure and not a warning. The CPU build of torch is on no
# advisory service under its own version, so the CUDA lock stands for both.
.PHONY: audit
audit: $(STAMP) ## Known vulnerabilities of all that is locked (asks PyPI; AUDIT="-s osv" asks osv.dev)
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off $(AUDIT) \
	  -r requirements/build.lock -r requirements/gatepost.lock -r requirements/torch-cuda.lock

.PHONY: sbom
sbom: $(STAMP) ## What is installed, with versions, licences and who needs whom, as CycloneDX: out/sbom.json
	@mkdir -p out
	@$(BIN)/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible --validate -o out/sbom.json
	@echo "out/sbom.json: $$(grep -c '"purl"' out/sbom.json) components"

# Without isolation: hatchling is the locked one, and nothing is fetched.
.PHONY: dist
dist: $(STAMP) ## Wheels and source distributions of gatepost-proto, gatepost-client and gatepost: dist/
	@rm -rf dist
	@for folder in proto clients/python .; do (cd $$folder && $(abspath $(BIN))/python -m hatchling build -d $(abspath dist) >/dev/null) || exit 1; done
	@ls -lh dist | awk 'NR > 1 {print $$5, $$9}'

.PHONY: clean
clean: ## Remove what was measured and built; keep .venv
	@rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

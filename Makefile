# The menu of this repository. It needs Python 3.11 or newer and make; `e2e` and `browser` also need Node and npm.

# Set on the command line, as in `make serve PORT=8080`; an exported HOST or PORT is usually about something else.
PYTHON ?= python3
HOST := 127.0.0.1
PORT := 3000
STORE := sqlite:///wakeful.db
WORKERS := 2

BIN := .venv/bin
# A stamp is newer than the files it depends on when what they ask for is installed.
RUN := .venv/.run
DEV := .venv/.dev
CLIENTS := tests/e2e/node_modules/.installed
COPILOTKIT := tests/copilotkit/node_modules/.installed
BROWSER := tests/browser/node_modules/.installed
STARTERS := examples/ai-sdk-starter examples/copilotkit-starter
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: menu serve test check format chaos bench e2e browser clients pins clean

menu: ## show this menu
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

serve: $(RUN) ## start the server on HOST:PORT (127.0.0.1:3000), its store at STORE (sqlite:///wakeful.db)
	$(BIN)/wakeful serve --host "$(HOST)" --port "$(PORT)" --store "$(STORE)"

test: $(DEV) ## run all Python tests
	$(BIN)/python -m pytest -n $(WORKERS)

check: $(DEV) ## format, lint, types, room table, sizes and public names
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest tests/architecture

format: $(DEV) ## rewrite the code as `make check` wants it
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

chaos: $(DEV) ## kill a loaded server again and again, stall its readers, and look whether anything is lost
	$(BIN)/python -m pytest tests/chaos -m chaos -s

bench: $(DEV) ## measure the server on this machine; ARGS="--cases short,stream --rounds 1 --out x.json"
	$(BIN)/python -m bench $(ARGS)

e2e: $(RUN) $(CLIENTS) $(COPILOTKIT) ## drive a real server with the protocols' own clients
	PYTHON="$(CURDIR)/$(BIN)/python" tests/e2e/run
	PYTHON="$(CURDIR)/$(BIN)/python" tests/copilotkit/run

browser: $(RUN) $(BROWSER) ## build the two starters and use them in a headless Chromium, with screenshots
	PYTHON="$(CURDIR)/$(BIN)/python" tests/browser/run

clients: $(CLIENTS) ## install the clients and the mock model server that some of `make test` uses when it is there

pins: ## write requirements/*.txt anew from the newest releases
	rm -rf dist/pins
	$(PYTHON) -m venv dist/pins
	dist/pins/bin/python -m pip install --quiet --upgrade pip
	dist/pins/bin/python -m pip install --quiet '.[models,fast]'
	{ sed -n '/^#/p' requirements/run.txt; dist/pins/bin/python -m pip freeze --exclude wakeful; } > dist/pins/run.txt
	dist/pins/bin/python -m pip install --quiet --group dev
	{ sed -n '/^[#-]/p' requirements/dev.txt; dist/pins/bin/python -m pip freeze --exclude wakeful \
		| grep -v -x -F -f dist/pins/run.txt; } > dist/pins/dev.txt
	mv dist/pins/run.txt dist/pins/dev.txt requirements/
	rm -rf dist/pins

clean: ## remove everything that can be made again, .venv included
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist tests/browser/artifacts
	rm -rf $(addsuffix /node_modules,tests/e2e tests/e2e/majors/5 tests/e2e/majors/6 tests/e2e/majors/7)
	rm -rf $(addsuffix /node_modules,tests/copilotkit tests/browser $(STARTERS)) $(addsuffix /dist,$(STARTERS))
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Wakeful needs Python 3.11 or newer and \`$(PYTHON)\` is not: name another, as in \`make serve PYTHON=python3.12\`"; \
		exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

$(RUN): requirements/run.txt pyproject.toml | $(BIN)/python
	$(PIP) -r requirements/run.txt
	$(PIP) --no-deps --editable .
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	$(PIP) -r requirements/dev.txt
	@touch $@

# No lock file: it would record where packages come from. package.json has exact versions instead.
$(CLIENTS): tests/e2e/package.json $(wildcard tests/e2e/majors/*/package.json)
	@command -v npm >/dev/null || { echo "The protocols' clients need Node and npm."; exit 1; }
	cd tests/e2e && npm install --no-audit --no-fund --no-package-lock
	@touch $@

$(COPILOTKIT): tests/copilotkit/package.json
	tests/copilotkit/install
	@touch $@

# The starters are built with it.
$(BROWSER): tests/browser/package.json $(shell git ls-files $(STARTERS) 2>/dev/null)
	tests/browser/install
	@touch $@

# What a newcomer needs is in two targets: `make up` shows TrackFlow, `make test` proves it. Both install what they need
# into this folder and may be run any number of times.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
AUDIT := .venv-audit
BENCHLESS := PORT=$(PORT) $(BIN)/benchless
# Test files are shared out to so many processes, each with a site of its own.
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest -p benchless.pytest_plugin -n $(JOBS) --dist loadfile
# Tests of what asks no host are the same on all of them: they run once.
SAME := $(patsubst %,--ignore=%,$(shell grep -LE "frappe|trackflow.tests.(base|users)|_cases?" trackflow/tests/test_*.py))
# Where the demo takes place: the site, and the demo website beside it.
STAGE = --url http://localhost:$(PORT) --shop http://127.0.0.1:$$(($(PORT) + 1))
# The suite on SQLite and a Redis inside the process, whatever the environment names.
HERE := env -u BENCHLESS_DB_URL -u BENCHLESS_REDIS_URL

# The app at /trackflow, built; whatever changes it.
APP := trackflow/public/frontend/manifest.json
APP_SOURCES := $(shell find frontend -path frontend/node_modules -prune -o -path frontend/tests -prune -o -type f ! -name "*.d.ts" -print)

.PHONY: help install up down serve demo test test-python test-servers test-script test-app chromium bench-test benchmark lint format clean

help:
	@echo "make up       install, make a site with demo data, serve it in the background, say what to click"
	@echo "make demo     tell the whole story on the command line, over HTTP, and print it as tables"
	@echo "make test     install, and run all tests"
	@echo "make down     stop what make up started"
	@echo "make serve    serve the site in the foreground (PORT, default 8000)"
	@echo "make lint     check style and what goes wrong in Frappe apps;  make format: mend the style"
	@echo "make bench-test FRAPPE_BENCH_ROOT=… SITES=\"…\"   run the suite on sites of a real bench"
	@echo "make benchmark   measure redirects, drain, collector and attribution on servers of its own (wants mariadbd, redis-server, wrk)"
	@echo "make clean    remove what make installed and the demo site"

install: $(VENV)/installed tracker/node_modules/installed $(APP)

$(VENV)/installed: pyproject.toml benchless/pyproject.toml
	@echo "== Installing the Python packages into $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "TrackFlow needs Python 3.11 or newer.")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -qq --disable-pip-version-check -e ".[test]" -e "./benchless[test]"
	@touch $@

tracker/node_modules/installed: tracker/package.json tracker/package-lock.json
	@echo "== Installing the Node packages into tracker/node_modules"
	@cd tracker && npm ci --silent --no-audit --no-fund
	@touch $@

frontend/node_modules/installed: frontend/package.json frontend/package-lock.json
	@echo "== Installing the Node packages into frontend/node_modules"
	@cd frontend && npm ci --silent --no-audit --no-fund
	@touch $@

$(APP): frontend/node_modules/installed $(APP_SOURCES)
	@echo "== Building the app at /trackflow into trackflow/public/frontend"
	@cd frontend && npm run --silent build -- --logLevel warn
	@touch $@

up: install
	@$(BENCHLESS) up
	@$(BENCHLESS) start
	@echo "== Telling the demo story once, so that there is something to look at"
	@$(BENCHLESS) trackflow demo $(STAGE) > .benchless/demo.txt
	@$(BENCHLESS) welcome

down:
	@[ ! -x $(BIN)/benchless ] || $(BENCHLESS) stop

serve: install
	@$(BENCHLESS) up
	@$(BENCHLESS) serve --website

demo: install
	@$(BENCHLESS) up
	@$(BENCHLESS) with-server trackflow demo $(STAGE)

test: lint test-python test-servers test-script test-app
	@echo "== All tests passed"

test-python: install
	@echo "== The app with CRM, on SQLite"
	@$(HERE) $(PYTEST) trackflow
	@echo "== The app without CRM, on SQLite"
	@$(HERE) BENCHLESS_APPS=trackflow $(PYTEST) $(SAME) trackflow
	@echo "== The small host itself"
	@$(HERE) $(PYTEST) benchless/tests

test-servers: install
ifdef BENCHLESS_DB_URL
	@echo "== The app with CRM, on the MariaDB and Redis that BENCHLESS_DB_URL and BENCHLESS_REDIS_URL name"
	@$(PYTEST) $(SAME) trackflow
else
	@echo "== Skipped: the suite on MariaDB and Redis (name them in BENCHLESS_DB_URL and BENCHLESS_REDIS_URL)"
endif

test-script: install chromium
	@echo "== The website script, in Node and in Chromium, and from a short link to a won deal's credits"
	@cd tracker && npm test

test-app: install chromium
	@echo "== The app at /trackflow: types, what is pure, what it weighs, and its pages in Chromium"
	@cd frontend && npm test

# Browser tests want a Chromium: the one on PATH, else Debian's if we may install it, else they are skipped, loudly.
chromium:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0; \
	echo "== Installing Chromium (Debian's package)"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium >/dev/null || true

bench-test:
	@test -n "$(FRAPPE_BENCH_ROOT)" || { echo "Name the bench in FRAPPE_BENCH_ROOT"; exit 2; }
	@for site in $${SITES:-$$(ls $(FRAPPE_BENCH_ROOT)/sites | grep '\.localhost$$')}; do \
		echo "== The app on $$site of the bench"; \
		(cd $(FRAPPE_BENCH_ROOT) && bench --site $$site run-tests --app trackflow) || exit 1; \
	done

# Figures of speed, on benchless beside a MariaDB and a Redis of their own. On a bench: bench --site S trackflow benchmark.
benchmark: install
	@for tool in mariadbd redis-server wrk; do \
		command -v $$tool >/dev/null || { echo "make benchmark needs $$tool on PATH"; exit 2; }; done
	@$(HERE) $(BIN)/python -m benchmarks.redirect
	@$(HERE) $(BIN)/python -m benchmarks.drain
	@$(HERE) $(BIN)/python -m benchmarks.collector
	@$(HERE) $(BIN)/python -m benchmarks.attribution
	@$(HERE) $(BIN)/python -m benchmarks.analytics

lint: install $(AUDIT)/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(AUDIT)/bin/semgrep scan --config .semgrep --metrics off --disable-version-check --error --quiet --exclude tests trackflow

# semgrep wants other versions of what the tests want: it has an environment of its own.
$(AUDIT)/installed: Makefile
	@echo "== Installing semgrep into $(AUDIT)"
	@$(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/pip install -qq --disable-pip-version-check "semgrep>=1.100,<2"
	@touch $@

format: install
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: down
	@rm -rf $(VENV) $(AUDIT) .benchless tracker/node_modules frontend/node_modules trackflow/public/frontend

# `make build` and `make test` work alone on a fresh clone: they make the environment.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
READY := $(VENV)/.ready
# A file to a process, in the order of tests/python/slow_first.txt.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile --no-loadscope-reorder
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help env build test test-fast proofs kills kills-live symbols-500 check lint format demo bench bench-peers docs site report picture lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

env: $(READY) ## make the virtual environment

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "barsieve needs Python 3.11 or newer; set PYTHON=python3.11")'
	@echo 'making $(VENV) from constraints.txt, once'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[cluster,deep,dev,docs,ml,ingest,live,read,report]'
	@touch $@

build: $(READY) ## build the database (BARSIEVE_MARKET, default the simulated market)
	@$(BIN)/barsieve build
	@$(BIN)/barsieve show

test: $(READY) ## run every test; the demo is the one of make build where that stands
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-fast: $(READY) ## run the tests that are not marked slow
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m 'not slow and not proofs'

proofs: $(READY) ## statistical proofs over many seeds, which `make test` leaves out
	@$(BIN)/python -m pytest -m proofs --numprocesses 2 --dist load

kills-live: $(READY) ## a thousand kills at random moments of advances and of paper trading
	@$(BIN)/python -m pytest -m proofs --numprocesses 2 --dist load tests/python/test_advance.py tests/python/test_paper_kills.py -k kills

check: $(READY) ## check market and configs without building
	@$(BIN)/barsieve check

lint: $(READY) ## ruff, mypy, oxlint and sqlfluff
	@$(BIN)/ruff check python tests models docs
	@$(BIN)/ruff format --check python tests models docs
	@$(BIN)/mypy
	@$(BIN)/oxlint python/barsieve/report/page python/barsieve/live/page
	@$(BIN)/oxfmt --check python/barsieve/report/page python/barsieve/live/page >/dev/null || { echo 'make format lays out the JavaScript of the page'; exit 1; }
	@$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 models tests/singular

format: $(READY) ## let ruff, oxfmt and sqlfluff mend what they can
	@$(BIN)/ruff check --fix python tests models docs
	@$(BIN)/ruff format python tests models docs
	@$(BIN)/oxlint --fix python/barsieve/report/page python/barsieve/live/page
	@$(BIN)/oxfmt --write python/barsieve/report/page python/barsieve/live/page
	@$(BIN)/sqlfluff fix --disable-progress-bar models tests/singular

demo: $(READY) ## make the simulated market again
	@$(BIN)/barsieve demo

bench: $(READY) ## measure build and replay in one run
	@$(BIN)/barsieve bench

symbols-500: $(READY) ## build 500 simulated symbols by parts on a local Ray cluster
	@$(BIN)/barsieve bench --symbols 500 --hours 19800 --engine ray

kills: $(READY) ## kill driver, dbt and workers of builds by parts at random; same values
	@rm -f target/kills.txt; mkdir -p target
	@KILL_FIGURES=target/kills.txt $(BIN)/python -m pytest -m proofs tests/python/test_parts.py -k random_kills
	@cat target/kills.txt

bench-peers: $(READY) ## the same rules through vectorbt and backtesting.py
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[peers]'
	@$(BIN)/barsieve bench-peers

docs: $(READY) ## one HTML file of all models and their lineage
	@$(BIN)/dbt docs generate --static
	@echo open target/static_index.html

site: $(READY) ## the documentation as pages, in target/site; a dead link fails
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@NO_MKDOCS_2_WARNING=1 SITE_RUNS_NOTEBOOKS=true $(BIN)/mkdocs build --quiet
	@echo open target/site/index.html

report: $(READY) ## report.html of the built database
	@$(BIN)/barsieve report

picture: $(READY) ## the README's picture of the report, from the simulated market
	@BARSIEVE_MARKET=data/demo BARSIEVE_DATABASE=target/picture.duckdb $(BIN)/dbt build --quiet
	@BARSIEVE_DATABASE=target/picture.duckdb $(BIN)/barsieve report --to target/report.html --picture docs/report.png

lock: $(READY) ## write constraints.txt from what is installed
	@$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

clean: ## remove what builds leave behind
	rm -rf $(VENV) target logs barsieve.duckdb report.html

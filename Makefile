# make up     everything a fresh machine lacks, then the tour, its ladder, its verdict
# make down   remove what the lab made (containers, network), nothing else; make clean: its images too
# make test   every test; make lint: ruff, mypy, import contracts; make bench: figures, side by side
# make fuzz   a hundred thousand damaged captures, read and analysed without harm
.DEFAULT_GOAL := help
LAB := .venv/bin/lab
export PYTHON ?= python3

.PHONY: help
help:
	@sed -n '1,/^\./s/^# //p' Makefile

.PHONY: up
up: run-environment
	@$(LAB) up

.PHONY: down
down:
	@test ! -x $(LAB) || $(LAB) down

.PHONY: clean
clean:
	@test ! -x $(LAB) || $(LAB) down --images

.PHONY: test
test: dev-environment
	@tools/system-packages
	.venv/bin/pytest -n auto --dist loadfile $(PYTEST)

.PHONY: lint
lint: dev-environment
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

.PHONY: bench
bench: dev-environment
	@tools/system-packages
	.venv/bin/python -m tools.bench $(BENCH)

.PHONY: fuzz
fuzz: dev-environment
	.venv/bin/python -m tools.fuzz $(FUZZ)

# the committed tour that `lab show captures/samples/tour` explains
.PHONY: sample
sample: up
	rm -rf captures/samples/tour
	cp -rL captures/latest captures/samples/tour

# docs/*.png: the page of that tour, in Chromium
.PHONY: screenshots
screenshots: dev-environment
	@tools/system-packages
	.venv/bin/python -m tools.screenshots

.PHONY: lock
lock: dev-environment
	@for kind in run image dev; do \
	  CUSTOM_COMPILE_COMMAND='make lock' .venv/bin/pip-compile -q --upgrade --generate-hashes --strip-extras \
	    --no-emit-find-links --no-emit-index-url --allow-unsafe \
	    -o requirements/$$kind.lock requirements/$$kind.in; \
	done

.PHONY: run-environment dev-environment
run-environment dev-environment:
	@tools/venv $(@:-environment=)

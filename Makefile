# The commands that people and scripts rely on. Each works on a fresh machine with Python 3.11 or newer, git and make.

PORT ?= 8000
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# Two database workers fill two cores; on more, more only wait for each other's argon2.
WORKERS ?= 2
# The pinned requirements are installed once for each content of their files.
PINNED := .venv/.pinned-$(shell cat requirements.txt requirements-dev.txt | cksum | cut -d' ' -f1)

# A real installation's settings, so that `check --deploy` judges what will run.
DEPLOYED := env DEBUG=off SECRET_KEY=$$($(BIN)/python -c "import secrets; print(secrets.token_urlsafe(64))") \
	SEALING_KEYS=v1:$$($(BIN)/python -c "import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())") \
	PORTAL_URL=https://gatehouse.example ALLOWED_HOSTS=gatehouse.example VAR_DIR=var/lint \
	DATABASE_URL=postgres://gatehouse@127.0.0.1/gatehouse CELERY_BROKER_URL=redis://127.0.0.1/0 \
	CACHE_URL=redis://127.0.0.1/1 EMAIL_URL=smtp://127.0.0.1:25 DJANGO_SETTINGS_MODULE=portal.settings

.PHONY: run test lint format bench chaos screenshots pins clean
.DELETE_ON_ERROR:

run: $(PINNED)
	@PORT=$(PORT) $(BIN)/python manage.py up

test: lint
	@mkdir -p var/coverage && rm -f var/coverage/data*
	GATEHOUSE_TEST_DATABASE=sqlite $(BIN)/coverage run -m pytest -n $(WORKERS) --dist worksteal
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage report
	GATEHOUSE_TEST_DATABASE=postgresql $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(PINNED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint --quiet --lint templates
	$(DEPLOYED) $(BIN)/python manage.py check --deploy --fail-level WARNING
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_architecture.py

format: $(PINNED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(PINNED)
	$(BIN)/python -m tests.benchmarks

chaos: $(PINNED)
	$(BIN)/python -m tests.faults.chaos

screenshots: $(PINNED)
	$(BIN)/python -m tests.browser.screenshots

# uv comes into a virtual environment of its own: it resolves for every platform and is nobody's requirement.
pins:
	@$(PYTHON) -m venv var/pins && var/pins/bin/pip install --quiet uv
	var/pins/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--upgrade --quiet requirements.in -o requirements.txt
	var/pins/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--upgrade --quiet requirements-dev.in -o requirements-dev.txt

clean:
	rm -rf var .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

$(PINNED):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Gatehouse needs Python 3.11 or newer: set PYTHON.")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what requirements-dev.txt pins, about a minute the first time."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@rm -f .venv/.pinned-* && touch $@

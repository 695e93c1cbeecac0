# Every target does its own set-up. PYTHON picks the interpreter of .venv: make env PYTHON=/path/to/python3.13
export PYTHON

# The tests start some thousand processes. Where this is set, each of them compiles the sources anew: a third of its start.
export PYTHONDONTWRITEBYTECODE :=

RUN := .venv/bin/python
ENV := .venv/.ready
CATALOGUES := .venv/.catalogues
READY := $(ENV) $(CATALOGUES)

# The tests that need no more than make env installs, and are not slow.
BARE := not service and not browser and not slow

.PHONY: help env demo test quick check smoke attack conformance nodes pages bench bench-quick bench-peers soak tls mutate catalogues format
.PHONY: schema lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

env: $(READY) ## the environment in .venv, with the locked packages, the command ecluse, and the keys of the example
	@$(RUN) -m deploy.demo.keys
	@echo 'ready: .venv/bin/ecluse check policies'

$(ENV): requirements/run.txt requirements/dev.txt pyproject.toml tools/make_env.sh
	@bash tools/make_env.sh

catalogues: $(CATALOGUES) ## the message catalogues, compiled

$(CATALOGUES): $(ENV) tools/compile_catalogues.py $(shell find gateway -name '*.po')
	@$(RUN) tools/compile_catalogues.py && touch $@

demo: $(READY) ## providers, legacy applications and the gateway on this machine; HOST=name shows them to others, by TLS
	@bash tools/install_test_parts.sh php
	@$(RUN) -m deploy.demo $(if $(HOST),--host $(HOST))

# What needs no part, first: on a machine that has none yet, that is what a newcomer runs second.
# Most of the others wait for other processes: four at a time keep two cores busy.
test: $(READY) ## everything: what needs no part, then installs the parts, then all others, smoke and attack among them
	$(RUN) -m pytest -n 3 --dist loadfile -p tests.bare -m "$(BARE)"
	@bash tools/install_test_parts.sh
	$(RUN) -m pytest -n 4 --dist loadfile -m "not ($(BARE))"

quick: $(READY) ## the tests that need no service and wait for nothing: a few minutes
	$(RUN) -m pytest -n 2 --hypothesis-profile=quick -p tests.bare -m "$(BARE)"

check: $(READY) ## lint, format, types, import contract, layout
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy --strict gateway
	.venv/bin/lint-imports --no-logo
	$(RUN) -m pytest -q tests/test_layout.py tests/test_import_circles.py tests/test_words.py

format: $(READY) ## rewrites the sources in the one format
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

smoke: $(READY) ## walks through the demo over real HTTP
	@bash tools/install_test_parts.sh php ldap
	$(RUN) -m pytest tests/smoke

attack: $(READY) ## the attack corpus; GROUP=name for one group
	@bash tools/install_test_parts.sh php ldap
	$(RUN) -m pytest -n 4 --dist loadfile tests/attacks $(if $(GROUP),-k '[$(GROUP)-')

conformance: $(READY) ## the OpenID Foundation's relying-party modules for the code flow
	$(RUN) -m pytest tests/conformance

nodes: $(READY) ## three gateways, HAProxy, Valkey in network namespaces: what people see when parts fail, into docs (root); RUNS=20
	@bash tools/install_test_parts.sh valkey haproxy iproute2 >&2
	@$(RUN) -m tests.nodes --runs $(or $(RUNS),1)

pages: $(READY) ## pictures of every page of ours in build/pages: both languages, light and dark, telephone and desk
	@bash tools/install_test_parts.sh chromium node npm
	@$(RUN) -m tests.portal.pictures build/pages $(DSFR)

bench: $(READY) ## CPU per request beside nginx in the same run, one JSON object a line
	@bash tools/install_test_parts.sh nginx wrk valkey ldap postgresql >&2
	@$(RUN) -m tests.bench

bench-quick: $(READY) ## the same in 90 seconds, the mixes of browsers first
	@bash tools/install_test_parts.sh nginx wrk valkey ldap postgresql >&2
	@$(RUN) -m tests.bench --quick

bench-peers: $(READY) ## the same mixes beside mod_auth_mellon, mod_auth_openidc and Envoy's oauth2
	@bash tools/install_test_parts.sh nginx wrk apache fronts >&2
	@$(RUN) -m tests.bench.peers

soak: $(READY) ## an hour at half load while people, files, the application and tunnels come and go; SECONDS=300 for less
	@$(RUN) -m tests.soak $(SECONDS)

tls: $(READY) ## testssl.sh against a listener of the gateway, some two minutes
	@bash tools/install_test_parts.sh testssl
	@$(RUN) -m tests.interop.tls_listener

mutate: $(READY) ## mutmut over the pure cores: what can change without a test that fails; ONLY='gateway.wire.target*' for some
	@.venv/bin/mutmut run $(if $(ONLY),'$(ONLY)')
	@.venv/bin/mutmut results

schema: $(READY) ## docs/reference from the code: JSON Schemas, keys, codes, events, metrics
	@$(RUN) -m gateway.config.schema.json_schema docs/reference/schema
	@$(RUN) tools/reference.py docs/reference

lock: ## the lock files anew; LOCK=--upgrade takes newer versions
	@bash tools/lock.sh $(LOCK)

clean: ## removes what make made; keys and state of the demo stay
	rm -rf .venv .venv-canaille .venv-fronts .venv-scim build dist mutants tests/node_modules .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
	find gateway -name '*.mo' -delete

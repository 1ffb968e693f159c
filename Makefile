# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Everything starts here: `make help` lists it. Each target sets up what it needs, and does nothing that is done.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Folder of the inventory; inventories/common always comes before it.
INVENTORY ?= inventories/local
# More arguments for ansible-playbook, pytest or molecule: make site ARGS="-v"
ARGS ?=
# One molecule scenario, or all of them.
SCENARIO ?= bootstrap data_volume users docker images delivery edge edge_ipv6 sni_routing certbot jupyterhub monitoring
# Name of the instance that `make teardown` removes.
CONFIRM ?=
PYTHON ?= python3
# Seconds to wait for whoever else is installing packages, such as the machine's own upgrades after a boot.
PACKAGES_WAIT ?= 600

# Ansible starts its own Python without quotes, and lists of folders are split at colons.
ODD := : ; & | < > ( ) [ ] { } * ? ! " ' ` \ $$ \#
FOUND := $(strip $(foreach c,$(ODD),$(findstring $c,$(CURDIR))))
$(if $(or $(FOUND),$(filter-out 1,$(words $(CURDIR)))),$(error The checkout lies in '$(CURDIR)', and Ansible \
  cannot work with $(or $(FOUND),a space) in that path: move it into a folder without))
# $(call quote,text): one word for the shell, whatever is in it.
quote = '$(subst ','\'',$(1))'

# Ansible refuses to start where the locale is not UTF-8.
export LC_ALL := C.UTF-8

BIN := .venv/bin
COLLECTIONS := .ansible/collections
COLLECTION := $(COLLECTIONS)/ansible_collections/galilean/hub
# Nothing, or the end where the inventory is not there. A text with a comma is one by itself: hosts.
comma := ,
FIND_INVENTORY = $(if $(findstring $(comma),$(INVENTORY))$(shell [ ! -e $(call quote,$(INVENTORY)) ] || echo there),,$(error INVENTORY is \
  '$(INVENTORY)', which is no file or folder in $(CURDIR): give one, such as $(wildcard inventories/*)))
PLAYBOOK = $(FIND_INVENTORY)ANSIBLE_CONFIG=$(CURDIR)/ansible.cfg $(BIN)/ansible-playbook -i inventories/common -i $(call quote,$(INVENTORY))
# Molecule and ansible-lint look for Ansible in PATH.
TESTING = PATH=$(CURDIR)/$(BIN):$$PATH ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/$(COLLECTIONS) MOLECULE_GLOB='molecule/*/molecule.yml'
MYPY = MYPYPATH=$(CURDIR)/$(COLLECTIONS):$(CURDIR)/roles/edge/files:$(CURDIR)/roles/backup/files:$(CURDIR)/roles/jupyterhub/files:$(CURDIR)/roles/monitoring/files:$(CURDIR)/files/images/hub:$(CURDIR)/tests/lab:$(CURDIR)/tests/e2e:$(CURDIR)/tests/modules $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml \
  --cache-dir $(CURDIR)/.cache/mypy
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

# What the tests need from the distribution: a browser with a font and a filter, the tool that bootstraps
# test hosts, and what makes backups.
DEV_PACKAGES := bubblewrap chromium fonts-dejavu-core mmdebstrap openssh-client python3-seccomp restic rsync

# The name of a stamp carries all that its environment depends on: when nothing changed, the file is there and
# nothing is run, and a checkout that was moved or an interpreter that was replaced makes a new environment.
# (base_prefix is the same inside and outside of a virtual environment.)
STAMP_KEY := $(shell { pwd; $(PYTHON) -c 'import sys; print(sys.base_prefix, sys.version)'; cat requirements.txt; } 2>/dev/null \
  | sha256sum | cut -c1-16)
DEV_KEY := $(shell { echo $(STAMP_KEY) $(DEV_PACKAGES); cat requirements-dev.txt; } | sha256sum | cut -c1-16)
SITE_STAMP := .venv/.site-$(STAMP_KEY)
DEV_STAMP := .venv/.dev-$(DEV_KEY)

# What tests the alerts: only unpacked, as the package starts a Prometheus.
PROMTOOL := .cache/prometheus/usr/bin/promtool

# A virtual machine with a stock kernel.
GUEST_PACKAGES := mmdebstrap qemu-system-x86 cpio

# The lab brings its own OpenStack along; this is what makes it, and leads to it.
LAB_PACKAGES := mmdebstrap debian-archive-keyring iproute2 iptables openssh-client openssl
LAB_SETTINGS := LAB_STATE,LAB_NETWORK,LAB_SUITE,LAB_MIRROR,LAB_GUEST_CA,LAB_DNS,http_proxy
LAB = $(if $(SUDO),sudo --preserve-env=$(LAB_SETTINGS)) $(CURDIR)/$(BIN)/python $(CURDIR)/tests/lab/lab.py

# $(call apt,packages): install those that are missing; lists are fetched only when they are needed.
define apt
missing=""; for package in $(1); do \
  dpkg-query -W -f='$${Status}' "$$package" 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; done; \
if [ -n "$$missing" ]; then \
  if ! command -v apt-get >/dev/null || ! $(if $(SUDO),command -v sudo >/dev/null,true); then \
    echo "These packages are needed and cannot be installed from here (that takes apt-get, and root or sudo):$$missing" >&2; \
    exit 1; fi; \
  echo "Installing$$missing"; \
  wait="$(SUDO) /usr/bin/env python3 $(CURDIR)/plugins/module_utils/core/apt_locks.py $(PACKAGES_WAIT) PACKAGES_WAIT"; \
  install="$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    -o DPkg::Lock::Timeout=$(PACKAGES_WAIT) $$missing"; \
  $$wait && { $$install >/dev/null 2>&1 || { $$wait && $(SUDO) apt-get update -qq && $$wait && $$install >/dev/null; }; }; fi
endef

# $(call pip,file): uv takes seconds where pip takes minutes. It reads other variables than pip and other
# certificates than the host's, unless it is told; where it cannot be had, pip does it.
define pip
export UV_NATIVE_TLS=1; \
[ -z "$${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$PIP_INDEX_URL}"; \
[ -z "$${PIP_EXTRA_INDEX_URL:-}" ] || export UV_INDEX="$${UV_INDEX:-$$PIP_EXTRA_INDEX_URL}"; \
[ -z "$${PIP_FIND_LINKS:-}" ] || export UV_FIND_LINKS="$${UV_FIND_LINKS:-$$PIP_FIND_LINKS}"; \
if [ -z "$${UV_DEFAULT_INDEX:-}" ] && index=$$($(BIN)/python -m pip config get global.index-url 2>/dev/null); then \
  export UV_DEFAULT_INDEX="$$index"; fi; \
sed -n '/^uv==/,/[^\\]$$/p' requirements.txt >.venv/uv.txt; \
if ! { $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.txt \
       && $(BIN)/uv pip install -q --require-hashes --python $(BIN)/python -r $(1); }; then \
  echo "uv could not install $(1); trying pip, which takes longer"; \
  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(1); fi
endef

# $(call script,command): hubctl of the instance, on the machine that the hub runs on.
define script
$(FIND_INVENTORY)script=$$(ANSIBLE_CONFIG=$(CURDIR)/ansible.cfg $(BIN)/ansible-inventory -i inventories/common -i $(call quote,$(INVENTORY)) --list \
  | $(PYTHON) -c 'import json, sys; found = json.load(sys.stdin); host = (found.get("hubs", {}).get("hosts") or [""])[0]; \
  know = found["_meta"]["hostvars"].get(host, {}); \
  print(know.get("jupyterhub_state_root", "/srv"), know.get("jupyterhub_instance", "hub"), "bin/hubctl", sep="/")'); \
[ -e "$$script" ] || { echo "There is no $$script here: run make site INVENTORY=$(INVENTORY), or call it on the hub's own host" >&2; exit 1; }; \
$(SUDO) "$$script" $(1) $(ARGS)
endef

##@ Run a hub

.PHONY: help
help: ## List all targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@printf '%s\n' '' \
	  'INVENTORY=<folder>  inventory to work on, inventories/local where not given' \
	  'ARGS="..."          more arguments for ansible-playbook, pytest or molecule' \
	  'SCENARIO=<name>     one molecule scenario instead of all'

.PHONY: setup
setup: $(SITE_STAMP) $(COLLECTION) ## Create the virtual environment with Ansible (.venv)

$(SITE_STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { [ -z "$$(command -v $(PYTHON))" ] \
	  || { echo "$$($(PYTHON) -V) is too old: Python 3.11 or newer is needed, give one with PYTHON=/path/to/python3" >&2; exit 1; }; }
	@packages=""; $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || packages="python3-venv"; \
	! command -v apt-get >/dev/null || /usr/bin/python3 -c 'import apt_pkg' 2>/dev/null || packages="$$packages python3-apt"; \
	$(call apt,$$packages)
	@echo "Setting up $(CURDIR)/.venv"
	@rm -f .venv/.site-* .venv/.dev-*
	@$(PYTHON) -m venv --clear .venv
	@$(call pip,requirements.txt)
	@touch $@

# The playbooks name roles and modules in full, as an installed collection does: galilean.hub.docker.
$(COLLECTION):
	@mkdir -p $(@D)
	@ln -sfn ../../../.. $@

.PHONY: site
site: setup ## Set up this machine, or the hosts of INVENTORY, as a hub, and test it
	$(PLAYBOOK) site.yml $(ARGS)

.PHONY: hub
hub: setup ## Update only the hub (image, settings, branding), in seconds, without the final check
	$(PLAYBOOK) playbooks/hub.yml $(ARGS)

.PHONY: check
check: setup ## Show what `make site` would change, and change nothing
	$(PLAYBOOK) site.yml --check --diff $(ARGS)

.PHONY: validate
validate: setup ## Check all settings, without connecting to hosts
	$(PLAYBOOK) playbooks/validate.yml $(ARGS)

.PHONY: verify
verify: setup ## Test the hub like a user (log in, start a server, run a cell, stop) and show the timings
	$(PLAYBOOK) playbooks/verify.yml $(ARGS)

.PHONY: disk
disk: setup ## Show the disk usage of images, shared software, homes and the build cache
	$(PLAYBOOK) playbooks/disk.yml $(ARGS)

.PHONY: prune
prune: setup ## Remove unused old images, software and build cache; ARGS=--check only shows them
	$(PLAYBOOK) playbooks/prune.yml $(ARGS)

.PHONY: backup
backup: setup ## Make a backup now, where backup_repository is set (docs/backup.md)
	$(PLAYBOOK) playbooks/backup.yml $(ARGS)

.PHONY: restore
restore: setup ## Bring a hub back from its backup, onto a new machine; ARGS="-e restore_snapshot=<id or time>"
	$(PLAYBOOK) playbooks/restore.yml $(ARGS)

.PHONY: drill
drill: setup ## Rehearse a restore beside the running hub, and remove it again (docs/backup.md)
	$(PLAYBOOK) playbooks/drill.yml $(ARGS)

.PHONY: restore-files
restore-files: setup ## Bring files of a user back, ARGS="-e restore_user=<name> -e restore_path=<path>"
	$(PLAYBOOK) playbooks/restore_files.yml $(ARGS)

.PHONY: hubctl
hubctl: setup ## Run a command on all hub hosts: ARGS="status", ARGS="drain --at 18:00 --stop" (docs/operations.md)
	$(PLAYBOOK) playbooks/hubctl.yml -e "$$($(PYTHON) -c 'import json, sys; print(json.dumps({"hubctl_arguments": sys.argv[1]}))' $(call quote,$(ARGS)))"

.PHONY: releases
releases: setup ## List the releases that can be gone back to (docs/upgrading.md)
	$(PLAYBOOK) playbooks/releases.yml $(ARGS)

.PHONY: rollback
rollback: setup ## Bring the release before back, or another one with ARGS="-e rollback_release=<name>"
	$(PLAYBOOK) playbooks/rollback.yml $(ARGS)

.PHONY: move
move: setup ## Move a hub to the host that the inventory names now, ARGS="-e move_from=<old host>" (docs/moving.md)
	$(PLAYBOOK) playbooks/move.yml $(ARGS)

.PHONY: move-data
move-data: setup ## Move all that a host keeps to the disk that the inventory names now (docs/moving.md)
	$(PLAYBOOK) playbooks/move_data.yml $(ARGS)

.PHONY: migrate-homes
migrate-homes: setup ## Copy homes of another system into the hub, ARGS="-e migrate_from=tljh" (docs/moving.md)
	$(PLAYBOOK) playbooks/migrate_homes.yml $(ARGS)

.PHONY: provision
provision: setup ## Create only the servers on a cloud (docs/openstack.md)
	$(PLAYBOOK) playbooks/provision.yml $(ARGS)

.PHONY: rebuild
rebuild: setup ## Rebuild the servers of the deployment CONFIRM=<name>, and keep their data (docs/openstack.md)
	$(PLAYBOOK) playbooks/rebuild.yml $(if $(CONFIRM),-e rebuild_confirm=$(CONFIRM)) $(ARGS)

.PHONY: teardown
teardown: setup ## Remove the instance, or on a cloud the deployment, CONFIRM=<name>, and keep its data (docs/remove.md)
	$(PLAYBOOK) playbooks/teardown.yml $(if $(CONFIRM),-e teardown_confirm=$(CONFIRM)) $(ARGS)

.PHONY: hub-shell
hub-shell: setup ## Open a shell in the hub on this machine, or run ARGS="command" in it
	@$(call script,shell)

.PHONY: logs
logs: setup ## Show the log of the hub on this machine, or of another part with ARGS="edge --since 1h" (docs/troubleshooting.md)
	@$(call script,logs)

##@ Work on the collection

.PHONY: web-dev
web-dev: setup ## Live preview of the branding (files/web) at each reload; `make site` ends it
	$(PLAYBOOK) playbooks/web_dev.yml $(ARGS)

.PHONY: setup-dev
setup-dev: $(DEV_STAMP) setup ## Add the test tools to .venv, and a browser from the distribution

$(DEV_STAMP): | $(SITE_STAMP)
	@$(call apt,$(DEV_PACKAGES))
	@$(call pip,requirements-dev.txt)
	@# uv leaves this to the first use, which some machines keep from writing; Ansible never reads it for collections.
	@$(BIN)/python -m compileall -q -j 0 -x '/(ansible_collections|openstack|pip)/' .venv/lib
	@rm -f .venv/.dev-*
	@touch $@

$(PROMTOOL):
	@mkdir -p .cache/prometheus
	@cd .cache/prometheus && { apt-get download -qq prometheus 2>/dev/null || { $(SUDO) apt-get update -qq && apt-get download -qq prometheus; }; } && \
	  dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb && touch usr/bin/promtool

.PHONY: engine
engine: setup ## Start a Docker engine for the tests on this machine
	@# `make test` asks once for all of its steps.
	$(if $(ENGINE_READY),@true,$(PLAYBOOK) playbooks/engine.yml)

.PHONY: lint
lint: setup-dev ## ansible-lint (production profile), yamllint, ruff, mypy, changelog
	$(BIN)/yamllint --strict .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/ruff check .
	$(MYPY) $(CURDIR)/$(COLLECTION)/plugins
	$(MYPY) --package galilean_certificate --package galilean_backup --package galilean_hubctl --package galilean_monitoring --package galilean_broker
	@# Each of these is a world of its own: pytest puts its folder in front, and so must mypy.
	for folder in $(wildcard tests/unit tests/inputs tests/tools tests/modules tests/e2e tests/login tests/attacks tests/chaos tests/guest tests/bench tests/lab tests/cloud); do \
	  (cd $$folder && $(MYPY) .); done
	$(TESTING) $(BIN)/ansible-lint
	$(TESTING) $(BIN)/antsibull-changelog lint

.PHONY: unit
unit: setup-dev $(PROMTOOL) ## Unit tests, and the tests of the repository itself
	$(TESTING) $(BIN)/pytest tests/unit $(ARGS)

.PHONY: inputs
inputs: setup-dev ## Test inputs of users: tables, lists, sizes; each case is a file in tests/inputs
	$(TESTING) $(BIN)/pytest tests/inputs $(ARGS)

.PHONY: docs
docs: setup-dev ## Write the pages of roles from their argument specs
	$(BIN)/python tests/tools/render_docs.py

.PHONY: docs-site
docs-site: setup-dev ## Build the web site of all pages (.cache/docs-site); warnings and dead links are errors
	$(BIN)/python tests/tools/build_docs_site.py

.PHONY: docs-check
docs-check: setup-dev ## Check generated pages, links and plugin documentation
	$(BIN)/python tests/tools/render_docs.py --check
	$(BIN)/python tests/tools/build_docs_site.py
	$(TESTING) $(BIN)/antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .

.PHONY: modules
modules: setup-dev engine ## Test the modules on the real engine
	$(TESTING) $(BIN)/pytest tests/modules --ignore tests/modules/test_vscode_image.py $(ARGS)

.PHONY: vscode
vscode: setup-dev engine ## Test the image with VS Code, which takes minutes to build
	$(TESTING) $(BIN)/pytest tests/modules/test_vscode_image.py $(ARGS)

.PHONY: molecule
molecule: setup-dev engine ## Test each role on its own hosts, SCENARIO=<name> for one of them
	@for scenario in $(SCENARIO); do \
	  echo "molecule test -s $$scenario"; \
	  $(TESTING) ANSIBLE_CALLBACK_PLUGINS=$(CURDIR)/tests/tools/callback $(BIN)/molecule test -s "$$scenario" $(ARGS); done

.PHONY: e2e
e2e: setup-dev engine ## End-to-end tests with a real browser: site, log in, run a cell, second run, check mode, teardown
	$(TESTING) $(BIN)/pytest tests/e2e $(ARGS)

.PHONY: login
login: setup-dev engine ## Test all authenticators with a real browser, OpenID provider and directory, approvals, environments, secrets
	$(TESTING) $(BIN)/pytest tests/login $(ARGS)

.PHONY: attacks
attacks: setup-dev engine ## Attacks of anonymous clients, users and a compromised hub on a deployed instance
	$(TESTING) $(BIN)/pytest tests/attacks $(ARGS)

.PHONY: chaos
chaos: setup-dev engine ## Kill parts of a hub while users work, CHAOS_SEEDS="1 2"; backups by systemd; part of `make test-all`
	$(TESTING) $(BIN)/pytest tests/chaos $(ARGS)

.PHONY: guest
guest: setup-dev ## Test project quotas in a virtual machine; part of `make test-all`
	@$(call apt,$(GUEST_PACKAGES))
	$(TESTING) $(BIN)/pytest tests/guest $(ARGS)

.PHONY: lab-up
lab-up: setup ## Start a real OpenStack on this machine, for tests (docs/lab.md)
	@$(call apt,$(LAB_PACKAGES))
	@$(LAB) up

.PHONY: lab-down
lab-down: setup ## Stop it; ARGS=--purge removes its servers and databases, ARGS=--all all its files
	@$(LAB) down $(ARGS)

.PHONY: lab-check
lab-check: setup-dev lab-up ## Boot servers on it, and test it
	$(TESTING) $(BIN)/pytest tests/lab $(ARGS)

.PHONY: test-cloud
test-cloud: setup-dev engine lab-up ## Test a site on the lab: from an empty project to a hub, a rebuild, a teardown (slow)
	$(TESTING) $(BIN)/pytest tests/cloud $(ARGS)

.PHONY: test
test: setup-dev ## All tests of CI, without slow ones
	$(BIN)/python tests/tools/run_tests.py $(ARGS)

.PHONY: test-all
test-all: setup-dev ## All tests, with the slow ones, before a release
	$(BIN)/python tests/tools/run_tests.py --all $(ARGS)

.PHONY: bench
bench: site setup-dev ## Run the benchmarks of docs/bench.md on the instance of `make site` (slow)
	$(BIN)/python tests/bench/spawn.py
	$(BIN)/python tests/bench/broker.py
	$(BIN)/python tests/bench/singleuser_start.py "$$(docker image ls --format '{{.Repository}}:{{.Tag}}' galilean/notebook | head -n 1)"
	$(BIN)/python tests/bench/software.py
	$(BIN)/python tests/bench/images.py
	$(BIN)/python tests/bench/edge.py
	$(BIN)/python tests/bench/backup.py
	$(BIN)/python tests/bench/site.py

.PHONY: build
build: setup ## Build the archive for ansible-galaxy (galilean-hub-<version>.tar.gz)
	$(BIN)/ansible-galaxy collection build --force

.PHONY: clean
clean: ## Remove files of make in the checkout: environment, caches, archives; never a hub
	@! ip link show lab-public >/dev/null 2>&1 || ! [ -e .cache/lab/var/run/init.json ] \
	  || { echo "The lab runs from here: make lab-down ARGS=--all first" >&2; exit 1; }
	rm -rf .venv .ansible .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache *.tar.gz

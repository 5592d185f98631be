# The front door. Meson does the building; see CONTRIBUTING.md for the rest.

BUILD ?= build
PYTHON = /usr/bin/python3
PREFIX ?= /usr/local
BUILDTYPE ?= release
SOAK_HOURS ?= 1
SOAK_SEED ?= $(shell date +%s)000
SOURCES = $(shell git ls-files 'src/*.[ch]' 'test/*.[ch]' 'bench/*.[ch]')
CLANG_FORMAT = $(shell command -v clang-format-14 || command -v clang-format)

.PHONY: all packages demo test soak faults hosts bench bench-full install docs openapi man format lint clean help

all: $(BUILD)/build.ninja ## build the program into build/
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD) --buildtype=$(BUILDTYPE) --prefix=$(PREFIX)

packages: ## install the packages that are missing
	tools/install-packages

demo: ## install what is missing, build, and show drover at work on Docker
	tools/install-packages build demo
	$(MAKE) all
	tools/demo $(abspath $(BUILD))/src/drover

test: ## install what is missing, build, and run every test
	tools/install-packages build test
	$(MAKE) all
	tools/run-tests $(BUILD)

N ?= 20
faults: all ## kill, cut the power, fill the disk, N times as much as CI does (N=20)
	tools/install-packages test
	FAULTS_SCALE=$(N) tools/run-faults $(BUILD)

hosts: all ## the tests over several machines, made of namespaces, on real Docker daemons; as root
	tools/install-packages build test
	tools/run-hosts $(BUILD)

soak: all ## simulate clusters for SOAK_HOURS (1) with SOAK_JOBS processes (all processors), from SOAK_SEED on
	$(BUILD)/test/sim/sim --soak $$(($(SOAK_HOURS) * 3600)) --seed $(SOAK_SEED) \
		$(if $(SOAK_JOBS),--jobs $(SOAK_JOBS))

bench: all ## measure; nothing is asserted
	bench/run $(BUILD)

bench-full: all ## the control plane with ten thousand workers and a million tasks
	bench/run --full $(BUILD)

install: all ## the program, its man page and the systemd unit
	meson install -C $(BUILD) --no-rebuild

docs: all ## rewrite what is made from the program's tables: docs/openapi.yaml, docs/man/drover.1, docs/compose.md
	$(BUILD)/src/api/openapi >docs/openapi.yaml
	$(BUILD)/src/cli/man_page >docs/man/drover.1
	ninja -C $(BUILD) src/compose/compose-keys-doc
	$(BUILD)/src/compose/compose-keys-doc docs/compose.md >$(BUILD)/compose.md
	mv $(BUILD)/compose.md docs/compose.md

openapi man: docs

format: ## bring the code into its form
	$(CLANG_FORMAT) -i $(SOURCES)

lint: all ## clang-tidy, layers, purity, style, shell scripts
	tools/lint $(BUILD)

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

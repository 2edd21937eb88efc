# `make help` says what there is. Go must be there, and either apt and root or an
# nginx of one's own; the scripts of e2e/install bring the rest, once, to $(CACHE).

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

CACHE   := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sidegate
NETNS   := e2e/install/netns.sh
VERSION := $(patsubst v%,%,$(shell git describe --tags --always --dirty 2>/dev/null || echo unknown))
LDFLAGS := -s -w -X main.version=$(VERSION)

# The same flags everywhere, as in e2e/install/kubernetes.sh: packages compiled
# with and without -trimpath, or with and without cgo, are compiled twice.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)
export SIDEGATE_BIN_DIR := $(CURDIR)/bin

.PHONY: help build tools lint unit chart e2e e2e-cluster test demo demo-cluster demo-clean bench image image-test release release-check docs clean

help: ## say what there is
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/sidegate, a static binary
	go build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/sidegate

tools: ## bring nginx, etcd, kube-apiserver and kube-controller-manager (once)
	@e2e/install/nginx.sh
	@e2e/install/kubernetes.sh

lint: ## gofmt, go vet, staticcheck, shellcheck
	@e2e/install/lint.sh
	@out=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
		if [ -n "$$out" ]; then echo "gofmt -w is needed on:" $$out >&2; exit 1; fi
	go vet ./...
	$(CACHE)/bin/staticcheck ./...
	go vet -C build ./...
	cd build && $(CACHE)/bin/staticcheck ./...
	shellcheck -x -P e2e/install e2e/install/*.sh e2e/cluster/*.sh build/*.sh .ci/run

unit: ## unit and golden tests, with the race detector
	@e2e/install/lint.sh
	CGO_ENABLED=1 go test -race -timeout 15m ./cmd/... ./pkg/...
	CGO_ENABLED=1 go test -C build -race ./...

chart: tools build ## the Helm chart: lint, golden files, schemas, a real API server
	@e2e/install/helm.sh
	@e2e/install/kubeconform.sh
	go mod download
	$(NETNS) env GOPROXY=off go test -count=1 ./charts/...

# Inside the namespace there is no network, so what the tests import must be in
# the module cache before. One package at a time: each has an API server, an
# nginx and pods of its own, and they measure nothing but get slow together.
e2e: tools build ## tests on a real API server and a real nginx
	go build -o bin/ ./e2e/cmd/...
	go mod download
	$(NETNS) env GOPROXY=off go test -p 1 -count=1 -timeout 20m ./e2e/...

e2e-cluster: ## tests on a cluster of real nodes, where the machine can run one; KEEP=1 leaves it running
	@KEEP=$(KEEP) e2e/cluster/run.sh $(ARGS)

test: tools lint unit chart e2e image-test ## everything that CI runs

demo: ## play the walkthrough on a directory of manifests, without a cluster; KEEP=1 leaves it running
	@e2e/install/nginx.sh
	@e2e/install/demo.sh '$(LDFLAGS)' ./e2e/cmd/demo
	@bin/demo serve $(if $(KEEP),--keep)

demo-cluster: ## play all of it on a real API server; KEEP=1 leaves it running
	@e2e/install/nginx.sh
	@e2e/install/kubernetes.sh demo $(if $(KEEP),kubectl)
	@e2e/install/demo.sh '$(LDFLAGS)' ./e2e/cmd/...
	@SIDEGATE_KUBERNETES_BIN=$(CACHE)/demo-bin bin/demo up $(if $(KEEP),--keep)

demo-clean: ## end and remove what KEEP=1 left running
	@go build -o bin/ ./e2e/cmd/demo
	@bin/demo down

bench: tools build ## measure; the tables go to docs/benchmarks
	@e2e/install/wrk.sh
	go build -o bin/ ./e2e/bench ./e2e/cmd/...
	go build -C e2e/bench/plot -o $(CURDIR)/bin/ .
	$(NETNS) bin/bench $(ARGS)
	bin/plot docs/benchmarks

image: ## dist/sidegate-VERSION-linux-ARCH.tar, without a container engine; ARCHES="amd64 arm64", IMAGE=name
	@VERSION=$(VERSION) IMAGE=$(IMAGE) build/image.sh $(ARCHES)

image-test: image ## what is in the image, and the controller and nginx of it, run as a kubelet would
	@build/test.sh $(foreach a,$(or $(ARCHES),$(shell go env GOHOSTARCH)),dist/sidegate-$(VERSION)-linux-$(a).tar)

release: ## dist/VERSION: binaries, images, chart, SBOMs, notes, checksums
	@VERSION=$(VERSION) IMAGE=$(IMAGE) build/release.sh

release-check: ## build a release twice, in two folders, and compare every byte; FULL=1 compiles anew
	@VERSION=$(VERSION) IMAGE=$(IMAGE) FULL=$(FULL) build/release-check.sh

docs: ## generate the references in docs/ from the code's tables
	go generate ./...

clean: ## remove what was built here (the cache stays: rm -r $(CACHE))
	rm -rf bin dist

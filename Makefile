# make build   the programs, in target/dist
# make demo    a private Exim with our snippets: one post permitted, one refused
# make test    everything that must pass
# make bench   what a query costs
# make load    what the daemon can take
# All of them but `build` install what they need first (tools/setup), as root on Debian.

CARGO ?= cargo
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
DIST := $(TARGET_DIR)/dist

.PHONY: all build demo test bench load clean

all: build

# The program is static: it starts faster so, and depends on no library and no search path. The
# wrapper is not: statically linked it is three times as large, for code that nothing here uses. The
# C library is all it needs, and that disregards the caller's LD_ variables in a set-id program.
build:
	RUSTFLAGS="-C target-feature=+crt-static" \
	    $(CARGO) build --locked --release --package mm-query --bins --target "$(HOST)"
	$(CARGO) build --locked --release --package mm-query-wrapper --bins
	install -d "$(DIST)"
	install "$(TARGET_DIR)/$(HOST)/release/mm-query" \
	    "$(TARGET_DIR)/release/mm-query-wrapper" "$(DIST)"

demo:
	tools/setup exim build tests
	$(MAKE) --no-print-directory build
	tools/demo "$(DIST)/mm-query"

test:
	tools/setup
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) test --locked --workspace
	tools/fuzz all 5
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items

bench:
	tools/setup build tests
	$(MAKE) --no-print-directory build
	$(CARGO) build --locked --release --example big_list
	tools/bench.py "$(DIST)/mm-query" "$(TARGET_DIR)/release/examples/big_list"

# LOAD: more options, such as --inet, --clients 16, --seconds 60.
load:
	tools/setup build
	$(MAKE) --no-print-directory build
	$(CARGO) build --locked --release --example big_list --example serve_load
	install -d "$(TARGET_DIR)/load"
	"$(TARGET_DIR)/release/examples/serve_load" "$(DIST)/mm-query" "$(TARGET_DIR)/load" $(LOAD)

clean:
	$(CARGO) clean

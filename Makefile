# make build   the programs, statically linked, in target/dist
# make demo    a private Exim with our snippets: one post permitted, one refused
# make test    everything that must pass
# make bench   what a query costs
# All of them but `build` install what they need first (tools/setup), as root on Debian.

CARGO ?= cargo
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
DIST := $(TARGET_DIR)/dist

.PHONY: all build demo test bench clean

all: build

# Static: the wrapper and the program then depend on no library, loader or search path.
build:
	RUSTFLAGS="-C target-feature=+crt-static" \
	    $(CARGO) build --locked --release --workspace --bins --target "$(HOST)"
	install -d "$(DIST)"
	install "$(TARGET_DIR)/$(HOST)/release/mm-query" \
	    "$(TARGET_DIR)/$(HOST)/release/mm-query-wrapper" "$(DIST)"

demo:
	tools/setup exim build tests
	$(MAKE) --no-print-directory build
	tools/demo "$(DIST)/mm-query"

test:
	tools/setup
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) test --locked --workspace
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items

bench:
	tools/setup build tests
	$(MAKE) --no-print-directory build
	$(CARGO) build --locked --release --example big_list
	tools/bench.py "$(DIST)/mm-query" "$(TARGET_DIR)/release/examples/big_list"

clean:
	$(CARGO) clean

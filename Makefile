# make build   the programs, in target/dist [MMQ_QUICK_TARGET=x86_64-unknown-linux-gnu: without musl]
# make demo    a private Exim with our snippets: one post permitted, one refused
# make test    everything that must pass
# make bench   what a query costs
# make load    what the daemon can take
# All of these but `build` install what they need first (tools/setup), as root on Debian.
#
# make pages   manual pages and completions, in target/dist/pages
# make install [prefix=/usr] [MMQ_USER=list] [MMQ_GROUP=list] [EXIM_GROUP=Debian-exim] [DESTDIR=]
#              what `make build pages` made; `make uninstall` with the same words takes it out.
#              With another prefix, give it to `make build`, too: the wrapper has paths built in.
# make deb     a Debian package, in target/dist
# make test-matrix   that package on other releases of Debian (needs the network, and a while)

CARGO ?= cargo
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
QUICK = $(shell MMQ_QUICK_TARGET="$(MMQ_QUICK_TARGET)" tools/quick_target)
DIST := $(TARGET_DIR)/dist

.PHONY: all build program quick pages install uninstall deb demo test test-matrix bench \
    bench-exim load soak clean

prefix ?= /usr
sysconfdir ?= /etc
MMQ_USER ?= list
MMQ_GROUP ?= $(MMQ_USER)
EXIM_GROUP ?= Debian-exim
LIBDIR = $(prefix)/lib/mm-query
SHARE = $(prefix)/share
export MMQ_WRAPPER_PROGRAM ?= $(LIBDIR)/mm-query
export MMQ_WRAPPER_CONF ?= $(sysconfdir)/mm-query/wrapper.conf

all: build

build: program quick

# For people, and as the daemon. Static: it starts faster so, and depends on no library and no search
# path.
program:
	RUSTFLAGS="-C target-feature=+crt-static" \
	    $(CARGO) build --locked --release --package mm-query --bin mm-query --target "$(HOST)"
	install -d "$(DIST)"
	install "$(TARGET_DIR)/$(HOST)/release/mm-query" "$(DIST)"

# What Exim runs for each message: the wrapper, and for the wrapper the queries alone, both with musl's
# C library where there is one (tools/quick_target). The wrapper is linked as its target has it:
# statically with musl, dynamically with GNU's library, which would make it three times as large; the C
# library is all it needs, and that disregards the caller's LD_ variables in a set-id program.
quick:
	RUSTFLAGS="-C target-feature=+crt-static" \
	    $(CARGO) build --locked --release --package mm-query --bin mm-query-quick \
	    --target "$(QUICK)"
	$(CARGO) build --locked --release --package mm-query-wrapper --bins --target "$(QUICK)"
	install -d "$(DIST)"
	install "$(TARGET_DIR)/$(QUICK)/release/mm-query-quick" \
	    "$(TARGET_DIR)/$(QUICK)/release/mm-query-wrapper" "$(DIST)"

pages:
	$(CARGO) run --locked --quiet --package pages -- "$(DIST)/pages"

# Files. Ids, modes and configuration of the machine are in install-here; a package's postinst has
# its own way with them.
install:
	install -d "$(DESTDIR)$(LIBDIR)" "$(DESTDIR)$(prefix)/bin" "$(DESTDIR)$(sysconfdir)/mm-query"
	install -m 755 "$(DIST)/mm-query-wrapper" "$(DESTDIR)$(LIBDIR)"
	install -m 755 "$(DIST)/mm-query-quick" "$(DESTDIR)$(LIBDIR)/mm-query"
	install -m 755 "$(DIST)/mm-query" "$(DESTDIR)$(prefix)/bin"
	install -d "$(DESTDIR)$(SHARE)/mm-query/exim/debian" "$(DESTDIR)$(SHARE)/man/man1" \
	    "$(DESTDIR)$(SHARE)/man/man5" "$(DESTDIR)$(SHARE)/man/man8" \
	    "$(DESTDIR)$(SHARE)/bash-completion/completions" \
	    "$(DESTDIR)$(SHARE)/zsh/vendor-completions" \
	    "$(DESTDIR)$(SHARE)/fish/vendor_completions.d" "$(DESTDIR)$(sysconfdir)/apparmor.d"
	install -m 644 exim-snippets/README.md exim-snippets/macros exim-snippets/acl \
	    "$(DESTDIR)$(SHARE)/mm-query/exim"
	install -d "$(DESTDIR)$(SHARE)/mm-query/fail2ban/filter.d" \
	    "$(DESTDIR)$(SHARE)/mm-query/fail2ban/jail.d"
	install -m 644 fail2ban/filter.d/* "$(DESTDIR)$(SHARE)/mm-query/fail2ban/filter.d"
	install -m 644 fail2ban/jail.d/* "$(DESTDIR)$(SHARE)/mm-query/fail2ban/jail.d"
	install -m 644 exim-snippets/debian/* "$(DESTDIR)$(SHARE)/mm-query/exim/debian"
	install -d "$(DESTDIR)$(SHARE)/mm-query/systemd"
	install -m 644 systemd/* "$(DESTDIR)$(SHARE)/mm-query/systemd"
	install -m 644 "$(DIST)"/pages/*.1 "$(DESTDIR)$(SHARE)/man/man1"
	install -m 644 pages/text/mm-query.toml.5 "$(DESTDIR)$(SHARE)/man/man5"
	install -m 644 pages/text/mm-query-wrapper.8 "$(DESTDIR)$(SHARE)/man/man8"
	install -m 644 "$(DIST)/pages/mm-query.bash" \
	    "$(DESTDIR)$(SHARE)/bash-completion/completions/mm-query"
	install -m 644 "$(DIST)/pages/_mm-query" "$(DESTDIR)$(SHARE)/zsh/vendor-completions"
	install -m 644 "$(DIST)/pages/mm-query.fish" "$(DESTDIR)$(SHARE)/fish/vendor_completions.d"
	install -m 644 debian/usr.lib.mm-query "$(DESTDIR)$(sysconfdir)/apparmor.d"
	[ -e "$(DESTDIR)$(sysconfdir)/mm-query.toml" ] || \
	    install -m 644 pages/text/mm-query.toml "$(DESTDIR)$(sysconfdir)/mm-query.toml"
	$(if $(DESTDIR),,$(MAKE) --no-print-directory install-here)

.PHONY: install-here
install-here:
	chgrp "$(EXIM_GROUP)" "$(LIBDIR)/mm-query-wrapper"
	chmod 4750 "$(LIBDIR)/mm-query-wrapper"
	[ -e "$(MMQ_WRAPPER_CONF)" ] || printf 'uid = %s\ngid = %s\n' "$$(id -u "$(MMQ_USER)")" \
	    "$$(getent group "$(MMQ_GROUP)" | cut -d: -f3)" > "$(MMQ_WRAPPER_CONF)"

# The settings stay: wrapper.conf and mm-query.toml.
uninstall:
	rm -f "$(DESTDIR)$(LIBDIR)/mm-query" "$(DESTDIR)$(LIBDIR)/mm-query-wrapper" \
	    "$(DESTDIR)$(prefix)/bin/mm-query" "$(DESTDIR)$(SHARE)"/man/man1/mm-query.1 \
	    "$(DESTDIR)$(SHARE)"/man/man1/mm-query-*.1 \
	    "$(DESTDIR)$(SHARE)/man/man5/mm-query.toml.5" \
	    "$(DESTDIR)$(SHARE)/man/man8/mm-query-wrapper.8" \
	    "$(DESTDIR)$(SHARE)/bash-completion/completions/mm-query" \
	    "$(DESTDIR)$(SHARE)/zsh/vendor-completions/_mm-query" \
	    "$(DESTDIR)$(SHARE)/fish/vendor_completions.d/mm-query.fish" \
	    "$(DESTDIR)$(sysconfdir)/apparmor.d/usr.lib.mm-query"
	rm -rf "$(DESTDIR)$(SHARE)/mm-query"
	-rmdir "$(DESTDIR)$(LIBDIR)"

# dpkg-buildpackage leaves its results beside the sources; it gets a folder of its own to work in.
deb:
	tools/setup build quick deb
	tools/make_deb "$(DIST)"

# Needs root and the network.
test-matrix:
	tools/setup exim build quick tests matrix
	tools/test_matrix bullseye trixie

demo:
	tools/setup exim build tests
	$(MAKE) --no-print-directory program
	tools/demo "$(DIST)/mm-query"

test:
	tools/setup
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) test --locked --workspace
	@# And once more what Exim runs, where that is not the same program. (Not $(QUICK): make knows it before
	@# tools/setup could add to it.)
	quick=$$(tools/quick_target); [ "$$quick" = "$(HOST)" ] || \
	    $(CARGO) test --locked --target "$$quick" --test cli --test corpus --test sandbox
	tools/fuzz all 5
	tools/audit
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items

bench:
	tools/setup build quick tests
	$(MAKE) --no-print-directory quick
	$(CARGO) build --locked --release --example big_list
	tools/bench.py "$(DIST)/mm-query-quick" "$(TARGET_DIR)/release/examples/big_list"

# LOAD: more options, such as --inet, --clients 16, --seconds 60.
load:
	tools/setup build
	$(MAKE) --no-print-directory program
	$(CARGO) build --locked --release --example big_list --example serve_load
	install -d "$(TARGET_DIR)/load"
	"$(TARGET_DIR)/release/examples/serve_load" "$(DIST)/mm-query" "$(TARGET_DIR)/load" $(LOAD)

# What a check adds to the time that Exim takes for a message.
bench-exim:
	tools/setup build quick tests exim
	$(MAKE) --no-print-directory build
	tools/bench_exim.py "$(DIST)"

# An hour of traffic while everything goes wrong, with the program as it is shipped.
soak:
	tools/setup build tests exim
	$(MAKE) --no-print-directory program
	MMQ_SOAK=3600 MMQ_TEST_PROGRAM="$(DIST)/mm-query" \
	    $(CARGO) test --locked --test exim soak:: -- --nocapture

clean:
	$(CARGO) clean

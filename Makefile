# The one door. Everything installs what it needs first; see tools/setup.sh.
#
#   make          build, into target/release
#   make demo     build, install, and show the main job on a throwaway cluster (KEEP=1 leaves it running)
#   make psql     psql on the cluster that `make demo KEEP=1` left
#   make demo-stop  stop that cluster
#   make test     lint and run all tests
#   make test-matrix   all tests on Postgres 15 to 18, or on MAJORS="15 18"
#   make soak     many clients on the same numbers, for SECONDS=600
#   make report   the quality of a database's phone data as one HTML page, OUT=report.html; PGHOST, PGDATABASE and so on say of which
#   make docs     the documents as a book with search, in target/book
#   make package  Debian packages and the archive for PGXN, into target/packages (MAJORS="15 17"); make test-package tries it
#   make audit    licences, sources and advisories of the dependencies
#   make install  install into the Postgres that pg_config, or PG_CONFIG=, names
#   make lint     rustfmt and clippy, warnings are errors

PG_CONFIG ?= pg_config
export PG_CONFIG
export PATH := $(CURDIR)/target/rust/bin:$(PATH):$(HOME)/.cargo/bin
PG_FEATURE = pg$(shell $(PG_CONFIG) --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')

.PHONY: all demo demo-stop psql test test-matrix test-setup test-package soak report docs package audit install lint setup clean

all: setup
	@tools/build.sh

demo: install
	@demo/run.sh $(if $(KEEP),--keep)

demo-stop:
	@demo/run.sh --stop

psql:
	@demo/run.sh --psql

test: lint install test-setup
	@tests/run.sh

test-matrix: setup test-setup
	@tests/matrix.sh $(MAJORS)

soak: install
	@bench/soak $(or $(SECONDS),600)

report:
	@tools/report.sh $(or $(OUT),report.html) $(if $(NUMBERS),--numbers)

docs: setup
	@tools/docs.sh

package: setup
	@tools/package.sh $(MAJORS)

test-package:
	@set -e; for major in $(or $(MAJORS),15); do tests/package.sh $$major; done

audit:
	@tools/audit.sh

install: setup
	@tools/install.sh

lint: setup
	@cargo fmt --check
	@CARGO_TARGET_DIR=target/check cargo clippy --quiet --locked --no-default-features --features $(PG_FEATURE) -- -D warnings
	@CARGO_TARGET_DIR=target/check cargo clippy --quiet --locked --no-default-features --all-targets -- -D warnings
	@# no server of 19 is to be had: by the bindings that pgrx ships
	@DOCS_RS=1 CARGO_TARGET_DIR=target/check-pg19 cargo check --quiet --locked --no-default-features --features pg19

setup:
	@tools/setup.sh

test-setup:
	@tests/setup.sh

clean:
	rm -rf target

# sigma_fdw: a foreign-data wrapper for the Sigma REST API.
#
#   make demo         shows the main job, from installing what is missing to the last query
#   make check        builds and runs all tests in a throw-away cluster
#   make check-unit   only the unit tests of the pure files
#   make check-asan   all tests but one under AddressSanitizer and UBSan;  make check-valgrind  some
#                     of them under valgrind;  make check-fuzz  fuzzes (with clang)
#   make bench        measures against curl, and prints a table
#   make              builds;  make install  installs;  make installcheck  runs
#                     the regression tests against a running cluster

# These bring what they need, PostgreSQL included, and then call make again; so they cannot rely on PGXS, which needs
# PostgreSQL to be there when this file is read (and has a "check" of its own).
DRIVERS = demo check check-unit check-asan check-valgrind check-fuzz bench

ifneq (,$(filter $(DRIVERS),$(MAKECMDGOALS)))

demo:
	@demo/run

bench:
	@bench/run

check:
	@test/harness/check

check-unit:
	@test/harness/install-deps check
	@$(MAKE) --no-print-directory -C test/unit check

check-asan:
	@test/harness/check-asan

check-valgrind:
	@test/harness/check-valgrind

check-fuzz:
	@test/harness/install-deps check
	@$(MAKE) --no-print-directory -C test/fuzz check

# "make clean check": the goals beside the drivers are PGXS's
OTHERS = $(filter-out $(DRIVERS),$(MAKECMDGOALS))
ifneq (,$(OTHERS))
$(OTHERS):
	@$(MAKE) --no-print-directory $@
endif

.PHONY: $(DRIVERS) $(OTHERS)

else

MODULE_big = sigma_fdw
# all of src: a file that is forgotten here would be missed only when the library is loaded
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))

EXTENSION = sigma_fdw
DATA = sql/sigma_fdw--1.0.sql
PGFILEDESC = "sigma_fdw - foreign-data wrapper for the Sigma REST API"

PG_CONFIG ?= pg_config
PKG_CONFIG ?= pkg-config

# Each script gets a simulator of its own from the launcher.  Without a locale, the order of rows is the same in any cluster.
# REGRESS_OUTPUT is where results/ and regression.diffs go.
REGRESS = options connections writes functions
REGRESS_OUTPUT ?= .
REGRESS_OPTS = --outputdir=$(REGRESS_OUTPUT) --launcher=$(CURDIR)/test/harness/with-simulator \
	--encoding=UTF8 --no-locale
REGRESS_PREP = simulator

# PostgreSQL's own headers are not held to -Wextra, so they come as system headers
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server) \
	$(shell $(PKG_CONFIG) --cflags libcurl libcjson)
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Werror -Wno-declaration-after-statement
SHLIB_LINK = $(shell $(PKG_CONFIG) --libs libcurl libcjson)

EXTRA_CLEAN = .built-for

PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq (,$(wildcard $(PGXS)))
$(error the PostgreSQL server headers are missing (no PGXS by "$(PG_CONFIG)"): install postgresql-server-dev, or set PG_CONFIG)
endif
include $(PGXS)

# PGXS knows no headers.  And objects of one PostgreSQL version must not go into a library for another: .built-for changes
# when the version does.
$(shell test "$$($(PG_CONFIG) --version)" = "$$(cat .built-for 2>/dev/null)" || $(PG_CONFIG) --version >.built-for)
$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h) .built-for

simulator:
	@$(MAKE) --no-print-directory -C test/simulator

clean: clean-tests

clean-tests:
	@$(MAKE) --no-print-directory -C bench clean
	@$(MAKE) --no-print-directory -C test/simulator clean
	@for tests in unit fuzz; do \
		test ! -e test/$$tests/Makefile || $(MAKE) --no-print-directory -C test/$$tests clean || exit 1; \
	done

.PHONY: simulator clean-tests

endif

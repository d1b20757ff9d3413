# sigma_fdw: a foreign-data wrapper for the Sigma REST API.
#
#   make demo         shows the main job, from installing what is missing to the last query;  SVG=doc/demo.svg  makes
#                     the picture of it
#   make check        builds and runs all tests in a throw-away cluster
#   make check-unit   only the unit tests of the pure files
#   make check-build  builds in all the ways in which people build
#   make check-modes  all SQL tests in parallel workers, and with generic plans
#   make check-asan   all tests but one under AddressSanitizer and UBSan;  make check-valgrind  some
#                     of them under valgrind;  make check-cassert  all on a PostgreSQL with assertions, which
#                     it builds;  make check-fuzz  fuzzes (with clang)
#   make check-differential  random queries and transactions, against local tables: SEED=… chooses them, DURATION=… seconds
#   make check-catalogue  holds the catalogue against a description of the API: OPENAPI=file
#   make check-mock   reads a row of each of its lists from a mock that Prism makes of such a description: OPENAPI=file
#   make check-fresh  runs "make demo" and "make check" in fresh minimal systems, as root: SUITES="trixie" chooses
#   make indent       formats src/ as PostgreSQL does
#   make dist         makes the bundle for PGXN in build/, of HEAD or of TAG=v1.0.0;  make dist-test  tests what is in it
#   make deb          builds Debian packages in a fresh minimal system, as root, and tries them in another: SUITES="trixie" chooses
#   make bench        measures against curl, and prints a table
#   make              builds;  make install  installs;  make installcheck  runs
#                     the regression tests against a running cluster

# These bring what they need, PostgreSQL included, and then call make again; so they cannot rely on PGXS, which needs
# PostgreSQL to be there when this file is read (and has a "check" of its own).
DRIVERS = demo check check-unit check-asan check-valgrind check-fuzz check-build check-modes check-cassert check-fresh check-differential check-catalogue check-mock bench docs indent dist dist-test deb

ifneq (,$(filter $(DRIVERS),$(MAKECMDGOALS)))

# Each driver's last line is "N passed, N failed", also when something fails.  make would add a line of its own to that, unless it
# is ended by a signal; and of this one, shells say nothing.
QUIET_FAILURE = || { kill -PIPE $$PPID; exit 1; }

MAKEFILE := $(firstword $(MAKEFILE_LIST))
TOP := $(dir $(MAKEFILE))

demo:
	@$(TOP)demo/run

bench:
	@$(TOP)bench/run

indent:
	@$(TOP)test/harness/indent

dist:
	@$(TOP)packaging/dist

dist-test:
	@$(TOP)packaging/dist-test $(QUIET_FAILURE)

deb:
	@$(TOP)packaging/deb $(QUIET_FAILURE)

check:
	@$(TOP)test/harness/check $(QUIET_FAILURE)

check-unit:
	@$(TOP)test/harness/install-deps check
	@$(MAKE) --no-print-directory -C $(TOP)test/unit check

check-asan:
	@$(TOP)test/harness/check-asan $(QUIET_FAILURE)

check-valgrind:
	@$(TOP)test/harness/check-valgrind $(QUIET_FAILURE)

check-fuzz:
	@$(TOP)test/harness/install-deps check
	@$(MAKE) --no-print-directory -C $(TOP)test/fuzz check

check-modes:
	@$(TOP)test/harness/check-modes $(QUIET_FAILURE)

check-cassert:
	@$(TOP)test/harness/check-cassert $(QUIET_FAILURE)

check-differential:
	@$(TOP)test/harness/check-differential $(QUIET_FAILURE)

check-catalogue:
	@$(TOP)test/harness/check-catalogue $(QUIET_FAILURE)

check-mock:
	@$(TOP)test/harness/check-mock $(QUIET_FAILURE)

check-build:
	@$(TOP)test/harness/check-build $(QUIET_FAILURE)

docs:
	@$(TOP)test/harness/with-cluster -t $(TOP)test/harness/make-docs $(QUIET_FAILURE)

check-fresh:
	@$(TOP)test/harness/check-fresh $(QUIET_FAILURE)

# "make clean check": the goals beside the drivers are PGXS's
OTHERS = $(filter-out $(DRIVERS),$(MAKECMDGOALS))
ifneq (,$(OTHERS))
$(OTHERS):
	@$(MAKE) --no-print-directory -f $(MAKEFILE) $@
endif

.PHONY: $(DRIVERS) $(OTHERS)

else

MODULE_big = sigma_fdw
# All of src: a file that is forgotten here would be missed only when the library is loaded.  $(srcdir) is known once PGXS has
# been read, and is another directory than this one in a VPATH build.
OBJS = $(patsubst $(srcdir)/%.c,%.o,$(sort $(wildcard $(srcdir)/src/*.c $(srcdir)/src/*/*.c)))

EXTENSION = sigma_fdw
DATA = $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/sql/$(EXTENSION)--*.sql)))
PGFILEDESC = "sigma_fdw - foreign-data wrapper for the Sigma REST API"

PG_CONFIG ?= pg_config
PKG_CONFIG ?= pkg-config

# Each script gets a simulator of its own from the launcher.  Without a locale, the order of rows is the same in any cluster.
# REGRESS_OUTPUT is where results/ and regression.diffs go.
REGRESS = options connections writes functions
REGRESS_OUTPUT ?= .
REGRESS_OPTS = --outputdir=$(REGRESS_OUTPUT) --launcher=$(abspath $(srcdir))/test/harness/with-simulator \
	--encoding=UTF8 --no-locale
REGRESS_PREP = simulator

# The language standard and the warnings are those that PostgreSQL was built with, so that a compiler of next year may warn of
# what it likes.  The project's own checks hold the code to more, by COPT (see test/harness/build); for that, PostgreSQL's own
# headers come as system headers.
PG_CPPFLAGS = -I$(srcdir)/src -isystem $(shell $(PG_CONFIG) --includedir-server) \
	$(shell $(PKG_CONFIG) --cflags libcurl libcjson zlib)
PG_CFLAGS = -Wno-declaration-after-statement $(CLANG_CFLAGS)
# for each file, clang would complain of flags that PostgreSQL was built with by gcc
CLANG_CFLAGS = $(if $(findstring clang,$(CC)),-Wno-ignored-optimization-argument -Wno-unknown-warning-option)
SHLIB_LINK = $(shell $(PKG_CONFIG) --libs libcurl libcjson zlib)

EXTRA_CLEAN = .built-for

PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq (,$(wildcard $(PGXS)))
$(error the PostgreSQL server headers are missing (no PGXS by "$(PG_CONFIG)"): install postgresql-server-dev, or set PG_CONFIG)
endif
include $(PGXS)

ifeq (,$(OBJS))
$(error there are no sources in $(srcdir)/src)
endif

# Only what is written by hand is looked for in another directory, never an object: it may have been built for something else.
srcdir := $(srcdir)
override VPATH :=
vpath %.c $(srcdir)
vpath %.control $(srcdir)

# PGXS knows no headers.  And objects of one PostgreSQL server must not go into a library for another: .built-for changes
# when the server does.
built_for = $(PG_CONFIG) --version --pgxs
$(shell test "$$($(built_for))" = "$$(cat .built-for 2>/dev/null)" || $(built_for) >.built-for)
$(OBJS) $(OBJS:.o=.bc): $(wildcard $(srcdir)/src/*/*.h) .built-for | $(sort $(dir $(OBJS)))

$(sort $(dir $(OBJS))):
	@$(MKDIR_P) $@

# A library of nothing is linked without a word.  It must have what PostgreSQL looks for.
all: check-symbols

install-lib-shared: | check-symbols

check-symbols: all-lib
	@for symbol in Pg_magic_func _PG_init pg_finfo_sigma_fdw_handler pg_finfo_sigma_fdw_validator; do \
		grep -qF "$$symbol" $(shlib) || { echo "$(shlib) has no $$symbol: was the source directory found?" >&2; exit 1; }; \
	done

# The simulator is built where the extension is.
simulator:
	@$(MKDIR_P) test/simulator
	@$(MAKE) --no-print-directory -C test/simulator -f $(abspath $(srcdir))/test/simulator/Makefile

export SIGMA_SIMULATOR ?= $(CURDIR)/test/simulator/sigma-simulator

clean: clean-tests

clean-tests:
	@for directory in bench test/simulator test/unit test/fuzz; do \
		test ! -e $$directory || $(MAKE) --no-print-directory -C $$directory -f $(abspath $(srcdir))/$$directory/Makefile clean || \
			exit 1; \
	done

.PHONY: check-symbols simulator clean-tests

endif

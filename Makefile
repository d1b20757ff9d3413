# sigma_fdw: a foreign-data wrapper for the Sigma REST API.
#
#   make demo         shows the main job, from installing what is missing to the last query
#   make check        builds and runs all tests in a throw-away cluster
#   make              builds;  make install  installs;  make installcheck  runs
#                     the regression tests against a running cluster

MODULE_big = sigma_fdw
OBJS = \
	src/sigma_fdw.o \
	src/plan.o \
	src/scan.o \
	src/modify.o \
	src/explain.o \
	src/import.o \
	src/functions.o \
	src/pager.o \
	src/session.o \
	src/transport.o \
	src/json.o \
	src/jsontext.o \
	src/option.o \
	src/retry.o \
	src/catalog.o \
	src/report.o

EXTENSION = sigma_fdw
DATA = sql/sigma_fdw--1.0.sql
PGFILEDESC = "sigma_fdw - foreign-data wrapper for the Sigma REST API"

PG_CONFIG ?= pg_config
PKG_CONFIG ?= pkg-config

# PostgreSQL's own headers are not held to -Wextra, so they come as system headers
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server) \
	$(shell $(PKG_CONFIG) --cflags libcurl libcjson)
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Werror -Wno-declaration-after-statement
SHLIB_LINK = $(shell $(PKG_CONFIG) --libs libcurl libcjson)

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

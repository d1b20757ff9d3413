/*-------------------------------------------------------------------------
 *
 * config_internal.h
 *	  What only the files of config/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_CONFIG_INTERNAL_H
#define SIGMA_CONFIG_INTERNAL_H

#include "nodes/pg_list.h"

#include "config/config.h"

/* ------------------------------------------------------------ option.c */

/* The struct that an option's value becomes a member of. */
typedef enum SigmaOptionTarget
{
	INTO_NOTHING,
	INTO_SETTINGS,				/* SigmaSettings */
	INTO_TABLE_OPTIONS			/* SigmaTableOptions */
} SigmaOptionTarget;

/* Gives all members of such a struct that options have their defaults; raises nothing. */
extern void sigma_default_options(SigmaOptionTarget into, void *target);

/*
 * Takes over those of the options of an object of this catalog that are members
 * of such a struct; the others, and names that nobody knows, are passed over.
 * They must have been checked.  Texts are copied into the current memory context.
 */
extern void sigma_apply_options(List *options, Oid context, SigmaOptionTarget into, void *target);

/*
 * Checks options that are about to be used, since the validator may not have
 * seen them.  Names that nobody knows are passed over.
 */
extern void sigma_check_read_options(List *options, Oid context, const char *what, const char *name);

/*
 * The option "query", which is valid, as it stands in a URL; the text itself or
 * palloc'd, NULL for NULL.
 */
extern char *sigma_option_query(char *value);

/* -------------------------------------------------------- parameters.c */

/* Can sigma_parameters() read it?  Raises nothing. */
extern bool sigma_parameters_are_valid(const char *json);

/* --------------------------------------------------------------- url.c */

/* Raises 22023.  The value is not shown: it may be a secret.  "hint" may be NULL. */
pg_noreturn extern void sigma_bad_value(const char *option, const char *hint);

/* The base URL of a region; NULL if there is none of that name. */
extern const char *sigma_region_url(const char *name);

/* The names of all regions, with commas; palloc'd. */
extern char *sigma_region_names(void);

/* Raises 22023 unless there is such a region. */
extern void sigma_check_region(const char *value);

/*
 * Raises 22023 unless the value is a URL that may be used.  "setting": the
 * current user sets it, and 42501 is raised if that needs a superuser; else it
 * is read, whoever has set it.
 */
extern void sigma_check_url(const char *option, const char *value, bool setting);

/* Does the URL name this machine, without a DNS lookup? */
extern bool sigma_url_is_loopback(const char *url);

/* What a valid URL names a server by: scheme, host and port, in lower case; palloc'd. */
extern char *sigma_url_origin(const char *url);

#endif							/* SIGMA_CONFIG_INTERNAL_H */

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

/* ------------------------------------------------------ option_table.c */

/* The struct that an option's value becomes a member of. */
typedef enum SigmaOptionTarget
{
	INTO_NOTHING,
	INTO_SETTINGS,				/* SigmaSettings */
	INTO_TABLE_OPTIONS			/* SigmaTableOptions */
} SigmaOptionTarget;

/* What an option's value may be, and what it becomes in C. */
typedef enum SigmaOptionType
{
	/* char * */
	OPTION_TEXT,				/* anything but nothing */
	OPTION_SECRET,				/* the same, and never shown */
	OPTION_REGION,				/* becomes its URL */
	OPTION_PARAMETERS,			/* of an export: a JSON object of scalars, and of arrays of them */
	OPTION_URL,
	OPTION_FILE,
	OPTION_SECRET_FILE,
	OPTION_EMAIL,
	OPTION_ID,
	OPTION_RESOURCE,
	OPTION_PATH,				/* may have columns in braces */
	OPTION_QUERY,				/* of a URL, or a JSON object */
	/* bool */
	OPTION_BOOL,
	OPTION_CHOICE,				/* one of two words; is it the second? */
	/* int */
	OPTION_INT,
	OPTION_TIME,				/* with a unit, seconds without one; becomes ms */
	OPTION_SIZE,				/* with a unit, bytes without one; becomes bytes */
	OPTION_PAGING,				/* a word; becomes a SigmaPaging */
	/* double */
	OPTION_ROWS					/* a number of rows, zero or more */
} SigmaOptionType;

/* The objects that may have an option, as bits. */
#define ON_SERVER	0x1
#define ON_MAPPING	0x2
#define ON_TABLE	0x4
#define ON_COLUMN	0x8

/* One option: all that there is to say of it. */
typedef struct SigmaOption
{
	const char *name;
	const char *about;			/* what it is for, in a few words */
	int			places;
	SigmaOptionType type;
	SigmaOptionTarget into;		/* the struct that its value becomes a member of */
	size_t		offset;			/* and which */
	double		fallback;		/* the value if it is not set, but NULL for a text */
	double		min;			/* of OPTION_INT, OPTION_TIME (ms), OPTION_SIZE (bytes) */
	double		max;
	const char *range;			/* min and max, for the hint */
	const char *words[2];		/* of OPTION_CHOICE; the first is the default */
} SigmaOption;

extern const SigmaOption sigma_option_table[];
extern const int sigma_noptions;

/* The bit of an object of this catalog; 0: it has no options of ours. */
extern int	sigma_option_place(Oid context);

/* The option of an object of this catalog; NULL if it has none of that name. */
extern const SigmaOption *sigma_find_option(const char *name, Oid context);

/*
 * The value of a limit, an option of a server that is a member of SigmaSettings,
 * that is at least twice what they have, and not below its default; palloc'd, or
 * NULL if it has the highest that there is.
 */
extern char *sigma_option_more(const char *name, const SigmaSettings *settings);

/* ------------------------------------------------------------ option.c */

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

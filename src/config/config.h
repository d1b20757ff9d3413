/*-------------------------------------------------------------------------
 *
 * config.h
 *	  Options, and the settings that they resolve to.
 *
 * Options are in PostgreSQL's catalogs: all of this needs a live transaction, and
 * must not be called in an abort.  What is returned is palloc'd in the current
 * memory context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_CONFIG_H
#define SIGMA_CONFIG_H

#include "access/attnum.h"
#include "nodes/pg_list.h"

#include "catalog/catalog.h"

/* ------------------------------------------------------------ secret.c */

/*
 * The secret in a file, palloc'd, in *secret.  What is wrong, if it cannot be
 * had: as a clause whose subject is the file, in the current memory context;
 * else NULL.
 */
extern const char *sigma_read_secret(const char *path, char **secret);

/*
 * Fills the buffer from a file; it has room for one byte more than the limit, so
 * that a larger file is known.  The number of bytes read, or -1 with errno.
 */
extern ssize_t sigma_read_all(int fd, char *buffer, size_t limit);

/* The rows that an export can have, as published. */
#define SIGMA_MAX_EXPORT_ROWS 1000000

/* ---------------------------------------------------------- settings.c */

typedef struct SigmaSettings
{
	Oid			serverid;
	Oid			umid;			/* the user mapping's OID */
	Oid			umuser;			/* whose it is; InvalidOid: PUBLIC's */
	char	   *server;
	List	   *server_options; /* DefElems, as they were set */
	const char *mapping_role;	/* umuser's name, quoted as an identifier, or PUBLIC */
	char	   *base_url;		/* without a slash at its end */
	char	   *origin;			/* its scheme, host and port, in lower case */
	char	   *token_url;
	bool		token_basic;	/* credentials in HTTP Basic, not in the body */
	bool		loopback;		/* base_url names this machine */
	bool		token_loopback; /* token_url does */
	char	   *client_id;
	char	   *client_secret;	/* NULL until it has been read, if it is in a file */
	char	   *client_secret_file; /* or NULL */
	char	   *impersonate;	/* email of the member to speak as; or NULL */
	char	   *tenant;			/* organization to speak in; or NULL */
	char	   *ca_file;		/* or NULL */
	int			connect_timeout_ms;
	int			request_timeout_ms;
	int			max_retries;
	int			max_response_size;	/* bytes */
	int			max_concurrency;
	int			requests_per_minute;	/* 0: as many as can be */
	bool		keep_on_rollback;	/* what was created stays */
	int			rollback_timeout_ms;	/* for deleting it again */
} SigmaSettings;

/* Which entries of its lists are rows of a table: the same for whatever the query says. */
typedef struct SigmaScope
{
	bool		include_archived;
	bool		skip_permission_check;	/* what is not shared with the reader, too */
	bool		direct_grants_only; /* no grants that are inherited */
} SigmaScope;

/* What a foreign table's and its server's options say of a scan. */
typedef struct SigmaTableOptions
{
	Oid			relid;
	char	   *resource;		/* or, with "path", the table's own name */
	char	   *path;			/* NULL: it is a resource of the catalogue */
	char	   *item_path;		/* these are NULL if not set */
	char	   *key;
	char	   *query;
	char	   *entries;
	char	   *parent;
	int			paging;			/* a SigmaPaging */
	List	   *parents;		/* the tables that sigma_table_resource() has looked into */
	int			page_size;
	SigmaScope	scope;
	bool		updatable;		/* false if the server or the table says so */
	double		rows;			/* the row estimate; -1 if none is set */
	bool		push_filters;
	bool		prefetch;
	bool		on_error_row;	/* a parent that fails becomes a row */
	bool		on_missing_empty;	/* a list that is not offered has no rows */
	bool		count_by_total; /* count(*) may take the list's "total" */
	bool		async_capable;	/* may be scanned beside other tables */
	int			batch_size;		/* rows that INSERT hands over at once */
	char	   *workbook_id;	/* of a table of an element, as all that follow */
	char	   *element_id;
	char	   *tag;			/* or NULL */
	char	   *parameters;		/* a JSON object that sigma_parameters() takes; or NULL */
	int			export_timeout_ms;
	int			export_rows;	/* that one export may have */
} SigmaTableOptions;

/*
 * What the options of a server and of a user's mapping for it come to, all in
 * the current memory context.  Raises 28000 if the user has no mapping, and
 * what the validator raises if it has not done so.
 */
extern SigmaSettings *sigma_settings(Oid serverid, Oid userid);

/*
 * The OID and the options of a user's mapping, or of PUBLIC's; InvalidOid if
 * there is none.  Not GetUserMapping(), whose error is not the one that we
 * promise.
 */
extern Oid	sigma_mapping(Oid serverid, Oid userid, List **options);

/*
 * The options of a foreign table, those of its server standing in where the
 * table has none; in the current memory context.
 */
extern SigmaTableOptions *sigma_table_options(Oid relid);

/*
 * The resource of a table's options.  It is constant, and the same for the same
 * definition.  Raises HV00R if there is none, and what is wrong with one that the
 * table defines itself: HV005, HV004 or 22023.  The table must be locked.
 */
extern const SigmaResource *sigma_table_resource(SigmaTableOptions *options);

/* Is writing through this server allowed? */
extern bool sigma_server_updatable(Oid serverid);

/*
 * The name of a foreign table's resource; NULL if it defines its own.  Without a
 * look whether its options can be relied on, and without an error.
 */
extern const char *sigma_resource_name(Oid relid);

/* Does it define one that can be read only by keys that the query gives? */
extern bool sigma_needs_keys(Oid relid);

/* The same; NULL if the options forbid writing. */
extern const char *sigma_writable_resource(Oid relid);

/* How many requests to a server may be under way at once. */
extern int	sigma_server_concurrency(Oid serverid);

/* Does a table show the rows behind an element? */
extern bool sigma_is_element(Oid relid);

/* What a server says of all its tables. */
extern SigmaTableOptions *sigma_server_table_options(Oid serverid);

/* The column option "control", in the current memory context; NULL if not set. */
extern char *sigma_column_control_option(Oid relid, AttrNumber attnum);

/* The column option "field", in the current memory context; NULL if not set. */
extern char *sigma_column_field_option(Oid relid, AttrNumber attnum);

/* --------------------------------------------------------- statement.c */

/*
 * Statements for hints, palloc'd, without a semicolon.  OPTIONS says ADD or SET,
 * whichever is right.  Those that take settings need no catalog.
 */

/* ALTER SERVER: sets an option. */
extern char *sigma_alter_server(const SigmaSettings *s, const char *option, const char *value);

/* ALTER SERVER: sets region or base_url, whichever it has, to a value to be filled in. */
extern char *sigma_alter_address(const SigmaSettings *s);

/* ALTER SERVER: takes the API's version off the end of base_url; NULL if it does not end so. */
extern char *sigma_alter_bare_address(const SigmaSettings *s);

/* ALTER SERVER: raises a limit; NULL if it cannot be raised. */
extern char *sigma_allow_more(const SigmaSettings *s, const char *option);

/* ALTER USER MAPPING, with these options. */
extern char *sigma_alter_mapping(const SigmaSettings *s, const char *options);

/* ALTER USER MAPPING: sets the credentials, to values to be filled in. */
extern char *sigma_alter_credentials(const SigmaSettings *s);

/* ALTER USER MAPPING: sets impersonate and tenant, those that it has, likewise. */
extern char *sigma_alter_identity(const SigmaSettings *s);

/* A table's name with its schema, quoted. */
extern char *sigma_table_name(Oid relid);

/* ALTER FOREIGN TABLE, with this action; one that sets an option; one that sets a column's. */
extern char *sigma_alter_table(Oid relid, const char *action);
extern char *sigma_alter_table_option(Oid relid, const char *option, const char *value);
extern char *sigma_alter_column_option(Oid relid, const char *column, const char *option, const char *value);

/* ALTER FOREIGN TABLE: says which element it shows, to be filled in. */
extern char *sigma_name_element(Oid relid);

/*
 * Raises export_timeout from so many ms: of the table if it has it, which may be
 * invalid, else of the server.
 */
extern char *sigma_allow_export(Oid relid, const SigmaSettings *s, int timeout_ms);

/* ------------------------------------------------------ option_table.c */

/* What the table of options says of one, for people; texts are constant or palloc'd. */
typedef struct SigmaOptionFacts
{
	const char *name;
	const char *about;			/* what it is for */
	bool		places[4];		/* of a server, a user mapping, a foreign table, a column */
	const char *fallback;		/* what counts if it is not set; or NULL */
	const char *values;			/* those that it takes */
} SigmaOptionFacts;

/* Those of the option of this number, from 0 on; false if there are no more. */
extern bool sigma_option_facts(int number, SigmaOptionFacts *facts);

/* -------------------------------------------------------- parameters.c */

/* A parameter of an export: the value that a control is set to. */
typedef struct SigmaParameter
{
	char	   *control;
	char	   *value;
} SigmaParameter;

/*
 * The parameters in a JSON object, as a list of SigmaParameter: a text is sent as
 * it stands, and of an array, which is a list of values, each is encoded.  Raises
 * 22023 if it is no such object.
 */
extern List *sigma_parameters(const char *json);

#endif							/* SIGMA_CONFIG_H */

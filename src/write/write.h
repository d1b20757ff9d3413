/*-------------------------------------------------------------------------
 *
 * write.h
 *	  Requests that change something, and their bodies.
 *
 * In a live transaction only.  What waits serves interrupts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_WRITE_H
#define SIGMA_WRITE_H

#include "access/attnum.h"
#include "fmgr.h"
#include "nodes/pg_list.h"

#include "base/base.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "txn/txn.h"
#include "read/read.h"

/* A value for a request's body that stands outside "details". */
typedef struct SigmaTyped
{
	const char *column;			/* or the function's argument, for messages */
	const char *field;			/* the API's name */
	SigmaWriteTo write;
	const char *json;			/* JSON text in the database's encoding; NULL: none */
	bool		inherited;		/* from the connection as it is: "details" may differ */
} SigmaTyped;

/* -------------------------------------------------------------- column.c */

/* How a column's value becomes JSON. */
typedef enum SigmaJsonForm
{
	SIGMA_FORM_STRING,
	SIGMA_FORM_LITERAL,			/* a number: its text is JSON already */
	SIGMA_FORM_BOOL,
	SIGMA_FORM_JSON
} SigmaJsonForm;

/* A column whose values are sent. */
typedef struct SigmaWriteColumn
{
	AttrNumber	attnum;
	const char *name;			/* SQL name in this table */
	const char *column;			/* SQL name in the catalogue; "" if it is not there */
	const char *field;			/* the API's name */
	SigmaWriteTo write;
	SigmaJsonForm form;
	bool		padded;			/* char(n) */
	FmgrInfo	output;
} SigmaWriteColumn;

/* What a row gives a connection. */
typedef struct SigmaContent
{
	char	   *name;			/* or NULL */
	bool		has_details;
	Datum		details;		/* jsonb */
	List	   *typed;			/* of SigmaTyped: everything else */
} SigmaContent;

/* Sets how values of a type become JSON. */
extern void sigma_set_form(SigmaWriteColumn *column, Oid type);

/* A value's text, palloc'd; the blanks that char(n) is padded with are not part of it. */
extern char *sigma_column_text(SigmaWriteColumn *column, Datum value);

/* A column's value as JSON text in the database's encoding, palloc'd or constant. */
extern char *sigma_column_to_json(SigmaWriteColumn *column, Datum value);

/*
 * Raises 428C9 for a value that Sigma does not take; "what" is "insert a value
 * into", or so.
 */
pg_noreturn extern void sigma_refuse_column(const SigmaWriteColumn *column, const char *what);

/* Have two columns of one field values that mean the same?  Neither is a NULL. */
extern bool sigma_column_same(SigmaWriteColumn *a, Datum x, SigmaWriteColumn *b, Datum y);

/*
 * Adds a column's value to what a connection is given, in the current memory
 * context.  Returns what stands outside of name and details, or NULL.  "details"
 * must not be a NULL; raises 22P02 or 22023 if they are no JSON object.
 */
extern SigmaTyped *sigma_content_add(SigmaContent *content, SigmaWriteColumn *column, Datum value,
									 bool isnull);

/* ---------------------------------------------------------- connection.c */

/*
 * Puts a request's body together.  "typed" is a list of SigmaTyped, values
 * that stand outside "details"; those that belong into it are merged with it.
 * A value in both must be the same, unless it is inherited.  *secrets gets what
 * must not be shown.  Everything is allocated in the current memory context.
 * Raises 23502 for a missing name or type and 22023 for a contradiction, never
 * with a value.
 */
extern const char *sigma_connection_body(const char *name, const Datum *details, List *typed,
										 List **secrets);

/*
 * The body that replaces a connection.  "entry" (an object in UTF-8) is what
 * Sigma shows of it now: what it shows and the statement does not change is
 * sent back.  "typed" has what the statement changes outside "details"; there,
 * a NULL stands for what is to be dropped.  The rest is as in
 * sigma_connection_body().
 */
extern const char *sigma_replacement_body(SigmaSpan entry, const char *name, const Datum *details,
										  List *typed, List **secrets);

/*
 * Text as the value of "details".  Raises 22P02, without a word of the text,
 * where jsonb's input function would quote it.
 */
extern Datum sigma_details_in(char *text);

/* The type of connection that "details" are of, palloc'd; NULL if they do not say. */
extern char *sigma_details_type(Datum details);

/*
 * What a replacement loses, unless it is in "details": the members that Sigma
 * takes for connections of a type (NULL: of any) and does not show.  A list for
 * a message, palloc'd.
 */
extern char *sigma_connection_unshown(const char *type);

/*
 * The entry that Sigma will show once the body of a create or a replacement
 * has been carried out; "entry" is what it shows now, "{}" if it is new.  What
 * only Sigma can know is missing in it.  Both are objects in UTF-8; so is the
 * result, which is palloc'd.
 */
extern SigmaSpan sigma_entry_replaced(SigmaSpan entry, SigmaSpan body);

/*
 * The entry with some of its members changed: those that "changes", another
 * object, has.  Both are in UTF-8; so is the result, which is palloc'd.
 */
extern SigmaSpan sigma_entry_patched(SigmaSpan entry, SigmaSpan changes);

/*
 * The names of the fields in which an entry is not what is wanted, as far as
 * Sigma shows it.  "wanted" is from sigma_entry_replaced().
 */
extern List *sigma_entry_differing(SigmaSpan entry, SigmaSpan wanted);

/* ------------------------------------------------------------- write.c */

/*
 * Sends writes as sigma_try_writes() does, and raises the first failure.  In a
 * dry run nothing is sent, but each is announced, and its "call" stays NULL.
 * (At the commit, nobody is in the middle of a list: portals have ended.)
 */
extern void sigma_run_writes(SigmaSession *session, MemoryContext context, SigmaWrite *writes,
							 int n);

/*
 * Makes a write that creates a connection; all in the current memory context.
 * "body" is the request's JSON in UTF-8, "secrets" what must be masked in
 * anything the server says.
 */
extern SigmaWrite sigma_connection_write(const char *name, const char *body, List *secrets,
										 SigmaStats *stats);

/*
 * Makes a write that brings an archived connection back, by a body that has
 * "restore" in it.  A rollback archives it again.
 */
extern SigmaWrite sigma_restore_write(char *id, const char *name, const char *body, List *secrets);

/*
 * Entries of connections that are to be replaced, as a list has shown them,
 * become what a read by id shows: the list may leave out what a replacement
 * would lose.  What the transaction has asked for before is in them, too.
 * Several are read at once.  Raises 40001 or P0002 if one is no longer as it
 * was.
 */
extern void sigma_complete_entries(SigmaSession *session, SigmaSpan *entries, int n, SigmaStats *stats);

/*
 * Asks for a change of a connection when the transaction commits, for a command
 * that GetCurrentCommandId(true) has given: DELETE if "body" is NULL, else PATCH
 * or PUT ("replaces") with that body (JSON in UTF-8).
 * "entry" is what was read of the connection.  In a dry run it is only shown.
 * Returns the entry as it will be, palloc'd.
 */
extern SigmaSpan sigma_change_connection(SigmaSession *session, CommandId command, SigmaSpan entry,
										 const char *body, bool replaces, List *secrets);

/*
 * A pager over all connections, for sigma_next_named().  Whoever asks by name
 * wants to know that there is none, so the list must be all there; and what
 * "total" counts while there is a filter, nobody has promised.
 */
extern SigmaPager *sigma_connections_named(SigmaSession *session);

/*
 * The next connection that has just that name; false at the end.  They are
 * compared in UTF-8: others may have names that this database cannot hold.
 */
extern bool sigma_next_named(SigmaPager *pager, const char *name, SigmaEntry *entry);

/* A connection's name as it can be shown in a message; NULL if it has none. */
extern char *sigma_shown_name(SigmaSpan entry);

/*
 * Grants a permission on a connection to a member or, if that is NULL, to a
 * team.  Raises P0002 if nothing can have the connection's id.
 */
extern void sigma_grant_call(SigmaSession *session, MemoryContext context, char *connection_id,
							 const char *permission, const char *member_id, const char *team_id,
							 SigmaStats *stats);

/* Takes a grant on a connection away. */
extern void sigma_revoke_call(SigmaSession *session, MemoryContext context, char *connection_id,
							  char *grant_id, SigmaStats *stats);

/*
 * Finds a grant of a permission (NULL: any) to a member or, if that is NULL, to
 * a team.  Returns a pager that stands at the list's next such grant, with the
 * entry in *entry; NULL at the end.  "pager" is NULL at first.
 */
extern SigmaPager *sigma_find_grant(SigmaSession *session, SigmaPager *pager, char *connection_id,
									const char *permission, const char *member_id,
									const char *team_id, SigmaEntry *entry, SigmaStats *stats);

/* The path of a request about one connection; raises P0002 for no possible id. */
extern char *sigma_connection_target(const char *path, char *id);

#endif							/* SIGMA_WRITE_H */

/*-------------------------------------------------------------------------
 *
 * base.h
 *	  What everybody stands on: failures, text, paths.  Knows nothing of Sigma.
 *
 * What returns a text or a struct has it palloc'd in the current memory context,
 * and may raise for want of memory.  Nothing here looks into a catalog, save
 * sigma_prepare_conversion(): all else may be called in an abort, too, and with
 * interrupts held.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_BASE_H
#define SIGMA_BASE_H

#include <time.h>

#include "miscadmin.h"
#include "nodes/pg_list.h"

/* behind a parameter that a callback's signature has and its body has no use for */
#define UNUSED pg_attribute_unused()

/* 18 has this in front of a declaration, where older ones had it behind */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

#define SIGMA_FDW_VERSION "1.0.0"

/* The API's own limits, as published. */
#define SIGMA_MAX_PAGE_SIZE 1000

/*
 * The monotonic clock, in milliseconds.  Not that of instr_time.h: sessions compare their times
 * with each other's, and from 19 on each may have a source of its own (timing_clock_source).
 */
static inline double
now_ms(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec * 1000 + (double) now.tv_nsec / 1000000;
}

/* A piece of text inside somebody else's buffer; not NUL-terminated. */
typedef struct SigmaSpan
{
	const char *data;
	size_t		length;
} SigmaSpan;

/*
 * What an operator may want to follow: DEBUG1 what changes something, signs in or
 * goes wrong for a while, DEBUG2 each request.  Never a secret, so requests as
 * sigma_shown_request() gives them, and not with the statement, which may have one.
 * To tell of a request must not end it: ereport() looks for a cancel, which then
 * waits until it is looked for where a request can be given up.
 */
#define SIGMA_DEBUG(level, ...) \
	do { \
		HOLD_INTERRUPTS(); \
		ereport(level, (errmsg_internal(__VA_ARGS__), errhidestmt(true), errhidecontext(true))); \
		RESUME_INTERRUPTS(); \
	} while (0)

/* All of a text. */
static inline SigmaSpan
sigma_span(const char *text)
{
	SigmaSpan	span = {text, strlen(text)};

	return span;
}

/*
 * How an exchange with the API ended.  SIGMA_REPLIED says that a whole reply
 * arrived, whatever its status; everything else says that none did, and why.
 */
typedef enum SigmaOutcome
{
	SIGMA_REPLIED,
	SIGMA_NO_RESOLVE,			/* the host name has no address */
	SIGMA_NO_CONNECT,			/* nobody listens there, or no way to it */
	SIGMA_NO_TLS,				/* the handshake failed for a reason of its own */
	SIGMA_TLS_UNKNOWN_CA,		/* no trusted authority signed the certificate */
	SIGMA_TLS_EXPIRED,			/* the certificate's time is over, or not yet come */
	SIGMA_TLS_WRONG_HOST,		/* the certificate names somebody else */
	SIGMA_CA_FILE_UNUSABLE,		/* ca_file cannot be read as certificates */
	SIGMA_NO_SYSTEM_CA,			/* none is set, and the system's own are missing */
	SIGMA_CONNECT_TIMEOUT,		/* connect_timeout passed before a connection stood */
	SIGMA_REQUEST_TIMEOUT,		/* request_timeout passed before the reply was whole */
	SIGMA_LOST,					/* the connection broke before the reply was whole */
	SIGMA_TOO_LARGE,			/* the body passed max_response_size */
	SIGMA_HEAD_TOO_LARGE,		/* what is not body is more than a head can be */
	SIGMA_BAD_CODING,			/* the body is coded as nobody asked, or badly */
	SIGMA_GARBLED,				/* what came is not HTTP */
	SIGMA_NO_RESOURCES			/* out of memory or descriptors on this side */
} SigmaOutcome;

/* What a request is for: it decides about retries and about a 404. */
typedef enum SigmaPurpose
{
	SIGMA_READ,					/* may be sent again freely */
	SIGMA_LOOKUP,				/* a read by key: a 404 is "no such row" */
	SIGMA_WRITE,				/* acts at once: sent again only if it surely did not */
	SIGMA_SIGN_IN				/* the token request */
} SigmaPurpose;

/* ----------------------------------------------------------- failure.c */

typedef struct SigmaFailure
{
	int			sqlstate;
	char	   *message;
	char	   *detail;			/* or NULL */
	char	   *hint;			/* or NULL */
	const char *context;		/* what was being done; or NULL */
	int			status;			/* that Sigma refused a request with, in its own words; or 0 */
} SigmaFailure;

/* Statements that may mend what a request failed at, for hints; each may be NULL. */
typedef struct SigmaRemedies
{
	const char *address;		/* sets region or base_url */
	const char *bare_address;	/* takes the API's version off base_url, if it ends so */
	const char *credentials;	/* sets the credentials of the user mapping */
	const char *identity;		/* sets whom the user mapping speaks as */
	const char *ca_file;		/* sets ca_file */
	const char *limit;			/* raises the limit that was reached */
	const char *look;			/* shows whether what a write makes is there */
} SigmaRemedies;

/* Everything that is known of a request that failed. */
typedef struct SigmaProblem
{
	SigmaOutcome outcome;
	int			status;			/* HTTP status; 0 if none came */
	SigmaPurpose purpose;
	bool		outcome_unknown;	/* a write that may have been carried out */
	bool		nothing;		/* the status means that there is nothing to be read */
	const char *request;		/* what was asked for, as it may be shown */
	const char *server;			/* name of the foreign server */
	const char *subject;		/* what a write is about, for the hint; or NULL */
	const char *identity;		/* whom a token exchange is for, 'as "x"'; or NULL */
	const char *api_code;		/* of Sigma's error object; NULL if none came */
	const char *api_message;
	const char *api_request_id;
	const char *transport_text; /* the transport's own words; or NULL */
	const char *reply;			/* the body, if it is not Sigma's error object; or NULL */
	bool		html;			/* the body was a web page */
	int			attempts;
	long		waited_ms;		/* between them */
	int			connect_timeout_ms;
	int			request_timeout_ms;
	int			max_response_size;
	SigmaRemedies remedies;
} SigmaProblem;

/*
 * What to tell of a request that failed for good.  The result is allocated in
 * the current memory context.  Texts from outside must have been masked.
 */
extern SigmaFailure *sigma_problem_to_failure(const SigmaProblem *problem);

/* What an error must be caught with that is not raised again. */
typedef struct SigmaCatch
{
	MemoryContext context;
	uint32		interrupt_holdoff;
	uint32		cancel_holdoff;
} SigmaCatch;

extern SigmaFailure sigma_out_of_memory;

/* To be called before a PG_TRY() whose PG_CATCH() calls sigma_catch(). */
extern void sigma_before_catch(SigmaCatch *before);

/*
 * In a PG_CATCH(): takes the error, which then counts as dealt with, as a
 * failure in the memory context.  That is sound only where the error cannot
 * have left a lock or anything else that a transaction's abort gives back.
 */
extern SigmaFailure *sigma_catch(const SigmaCatch *before, MemoryContext context);

/* A copy in the current memory context. */
extern SigmaFailure *sigma_copy_failure(const SigmaFailure *failure);

/* Raises the failure as an ERROR. */
pg_noreturn extern void sigma_raise(const SigmaFailure *failure);

/*
 * Raises HV000: the reply to "target" is not what the API describes.  The
 * format is a clause: "page 3 is not JSON".
 */
pg_noreturn extern void sigma_raise_reply(const char *target, const char *format, ...)
			__attribute__((format(printf, 2, 3)));

/* The same as a failure that is yet to be raised; "what" is a clause. */
extern SigmaFailure *sigma_reply_failure(const char *target, const char *what);

/*
 * The file of a user mapping's client secret cannot be used; "problem" is a
 * clause whose subject is the file, and "remedy" the statement that names another.
 */
extern SigmaFailure *sigma_secret_failure(const char *server, const char *path,
										  const char *problem, const char *remedy);

/* -------------------------------------------------------------- text.c */

/*
 * Text from outside (UTF-8, or what claims to be), made fit for a message in
 * the database's encoding: at most "limit" bytes, control characters and the
 * like as spaces, and a question mark for what cannot be shown.  Never raises,
 * save for want of memory.
 */
extern char *sigma_clean_text(const char *text, size_t length, size_t limit);

/*
 * The same for text that is in the database's encoding already: a name or an
 * id that comes from a row, which anybody may have written.  Not cut.
 */
extern char *sigma_shown(const char *text);

/*
 * The same in double quotes, and cut.  A quote within has a backslash before
 * it, and so has a backslash: no name can end early, and go on as if it were
 * words of ours.
 */
extern char *sigma_quoted(const char *text);

/* An id, which is quoted only if it is not made as ids are. */
extern char *sigma_shown_id(const char *id);

/*
 * To be called in PG_CATCH(), in place of PG_RE_THROW(): what PostgreSQL says
 * of a value, it says with the value.  "context" is for the copy.
 */
pg_noreturn extern void sigma_rethrow_clean(MemoryContext context);

/*
 * The text with every secret in it (a list of C strings) masked.  Returns the
 * text itself if there was none, else a copy in the current memory context.
 * All are looked for in the text as it was: to mask one before the next is
 * looked for would leave the rest of a longer one that it is a part of.
 */
extern char *sigma_mask(char *text, List *secrets);

/*
 * The candidate that a word is nearest to, if near enough to be meant.  The
 * candidates are in lower case.
 */
extern const char *sigma_closest(const char *word, const char *const *candidates, int n);

/* ------------------------------------------------------------ hiding.c */

/* See sigma_hide_statement(). */
typedef struct SigmaHiding
{
	ErrorContextCallback callback;
	ErrorContextCallback *saved;
} SigmaHiding;

/*
 * From here to sigma_show_statement(), or to an error, whatever is raised is
 * raised without the statement and without the context of who called us: they
 * may hold the secrets of a connection that is being created (PL/pgSQL quotes
 * the statement, COPY the line).  So it is, too, for errors of others, such as
 * a cancel.
 */
extern void sigma_hide_statement(SigmaHiding *hiding);

/* Ends that; not called after an error, which ends it by itself. */
extern void sigma_show_statement(const SigmaHiding *hiding);

/* ---------------------------------------------------------- encoding.c */

/* Looks up what sigma_to_utf8() needs when there is no transaction any more. */
extern void sigma_prepare_conversion(void);

/*
 * Text in the database's encoding as UTF-8: the text itself if nothing is to
 * be done, else palloc'd.  Raises if a character has no equivalent.
 */
extern char *sigma_to_utf8(const char *text);

/* -------------------------------------------------------------- path.c */

/* No path has more keys than this. */
#define SIGMA_MAX_KEYS 4

/* Percent-encodes a text (UTF-8) for a path segment or a query; palloc'd. */
extern char *sigma_url_encode(const char *text, size_t length);

/* The same for a text in the database's encoding. */
extern char *sigma_text_url_encode(const char *text);

/*
 * The columns that a path names in braces, in their order; returns how many.
 * "keys" must have room for SIGMA_MAX_KEYS; the names are palloc'd.
 */
extern int	sigma_path_keys(const char *path, const char **keys);

/*
 * The path with its keys filled in, palloc'd; a NULL value leaves the name in
 * braces.  NULL if nothing can have one of these keys: as a path segment it
 * would not be a name, but the list itself or its parent.
 */
extern char *sigma_fill_path(const char *path, char *const *values);

/*
 * The path (ASCII, percent-encoded) as the most lenient of servers would read
 * it, in *normal, palloc'd: decoded, folded, without parameters (";x"), and
 * without the blanks and dots that segments may end with.  Returns a sentence
 * that says why it cannot be read, else NULL.
 */
extern const char *sigma_normal_path(const char *path, char **normal);

/*
 * Why a path may not be asked for that anybody has written, as a sentence; NULL
 * if it may.  *normal is then what sigma_normal_path() makes of it.
 */
extern const char *sigma_path_problem(const char *path, char **normal);

/* The same for a path that may name columns in braces. */
extern const char *sigma_template_problem(const char *path);

#endif							/* SIGMA_BASE_H */

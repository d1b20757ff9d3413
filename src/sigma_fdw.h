/*-------------------------------------------------------------------------
 *
 * sigma_fdw.h
 *	  What the files of sigma_fdw share, grouped by the file that defines it,
 *	  from the ground floor up: read from the top, it is the map of the house.
 *
 * A file uses what stands above its own group, never what stands below it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_FDW_H
#define SIGMA_FDW_H

#include "postgres.h"

#include "fmgr.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "portability/instr_time.h"
#include "utils/relcache.h"

#include "compat.h"

#define SIGMA_FDW_VERSION "1.0"

/* The API's own limits, as published. */
#define SIGMA_MAX_PAGE_SIZE 1000

/* The monotonic clock, in milliseconds. */
static inline double
now_ms(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return INSTR_TIME_GET_MILLISEC(now);
}

/* A piece of text inside somebody else's buffer; not NUL-terminated. */
typedef struct SigmaSpan
{
	const char *data;
	size_t		length;
} SigmaSpan;

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

/* ---------------------------------------------------------------- report.c
 * Floor 0: a failure as SQLSTATE, message, detail and hint.
 */
typedef struct SigmaFailure
{
	int			sqlstate;
	char	   *message;
	char	   *detail;			/* or NULL */
	char	   *hint;			/* or NULL */
	const char *context;		/* what was being done; or NULL */
	int			status;			/* that Sigma refused a request with, in its own words; or 0 */
} SigmaFailure;

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
} SigmaProblem;

extern SigmaFailure *sigma_problem_to_failure(const SigmaProblem *problem);

/* What an error must be caught with that is not raised again. */
typedef struct SigmaCatch
{
	MemoryContext context;
	uint32		interrupt_holdoff;
	uint32		cancel_holdoff;
} SigmaCatch;

extern SigmaFailure sigma_out_of_memory;
extern void sigma_before_catch(SigmaCatch *before);
extern SigmaFailure *sigma_catch(const SigmaCatch *before, MemoryContext context);
extern SigmaFailure *sigma_copy_failure(const SigmaFailure *failure);
pg_noreturn extern void sigma_raise(const SigmaFailure *failure);
pg_noreturn extern void sigma_raise_reply(const char *target, const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern SigmaFailure *sigma_reply_failure(const char *target, const char *what);
extern char *sigma_clean_text(const char *text, size_t length, size_t limit);
extern bool sigma_is_strange(uint32 c);
extern char *sigma_shown(const char *text);
extern char *sigma_quoted(const char *text);
extern char *sigma_shown_id(const char *id);
pg_noreturn extern void sigma_rethrow_clean(MemoryContext context);
extern char *sigma_mask(char *text, List *secrets);
extern SigmaFailure *sigma_secret_failure(const char *server, const char *path,
										  const char *problem);

/* See sigma_hide_statement(). */
typedef struct SigmaHiding
{
	ErrorContextCallback callback;
	ErrorContextCallback *saved;
} SigmaHiding;

extern void sigma_hide_statement(SigmaHiding *hiding);
extern void sigma_show_statement(const SigmaHiding *hiding);
extern const char *sigma_closest(const char *word, const char *const *candidates, int n);

/* --------------------------------------------------------------- catalog.c
 * Floor 0: the Sigma resources, as one constant table.
 */
typedef enum SigmaPaging
{
	SIGMA_PAGING_PAGE,			/* page, limit; nextPage is null at the end */
	SIGMA_PAGING_PAGE_TOKEN,	/* pageToken, pageSize; nextPageToken is absent at the end */
	SIGMA_PAGING_NONE,			/* a bare array, and paging parameters are refused */
	SIGMA_PAGING_OBJECT			/* no list: the reply is the one entry */
} SigmaPaging;

/* Where a column's value goes in the body of a create. */
typedef enum SigmaWriteTo
{
	SIGMA_WRITE_NOWHERE,		/* Sigma sets it */
	SIGMA_WRITE_TOP,			/* beside "name" and "details" */
	SIGMA_WRITE_DETAILS			/* into "details" */
} SigmaWriteTo;

/* Where a column's value comes from when a row is read. */
typedef enum SigmaReadFrom
{
	SIGMA_FROM_FIELD,			/* the entry's field of that name */
	SIGMA_FROM_ENTRY,			/* the whole entry */
	SIGMA_FROM_KEY,				/* the key of the parent that the list stands below */
	SIGMA_FROM_ERROR,			/* why the parent's list could not be read */
	SIGMA_FROM_NOWHERE			/* write-only: reads as NULL */
} SigmaReadFrom;

/* What two texts must have in common to be one value, see key.c. */
typedef enum SigmaKind
{
	SIGMA_PLAIN,				/* everything */
	SIGMA_ID,					/* the identifier; a UUID is one in any case of its letters */
	SIGMA_INODE					/* the same of an object that is also known by its "urlId" */
} SigmaKind;

typedef struct SigmaField
{
	const char *column;			/* SQL name */
	const char *field;			/* the API's name; of a key, the parent's column */
	Oid			type;			/* the column's type when imported */
	SigmaReadFrom read;
	SigmaWriteTo write;
	bool		hidden;			/* not imported; known to hand-made tables */
	const char *absent;			/* what an absent or null field reads as; or NULL */
	const char *comment;
	SigmaKind	kind;
} SigmaField;

/* What can be written to a resource's table, and how. */
typedef enum SigmaWrites
{
	SIGMA_WRITES_NOTHING,
	SIGMA_WRITES_CONNECTIONS,	/* INSERT creates a connection */
	SIGMA_WRITES_GRANTS			/* INSERT grants, DELETE revokes */
} SigmaWrites;

/* Equality on the column may be sent as this query parameter. */
typedef struct SigmaFilter
{
	const char *column;
	const char *parameter;
	const char *const *values;	/* NULL at the end: sent for these only; or NULL for any */
} SigmaFilter;

/* An answer by which Sigma says that below these keys there is nothing. */
typedef struct SigmaNothing
{
	int			status;			/* 0 at the end */
	const char *code;			/* only with this code; or NULL */
} SigmaNothing;

typedef struct SigmaResource
{
	const char *name;
	const char *comment;
	const char *path;			/* of the list; {column} stands for a parent's key */
	const char *item_path;		/* of one entry, {column} for its key; or NULL */
	const char *key;			/* the column that identifies an entry; or NULL */
	const char *parent;			/* the resource below whose entries the list stands; or NULL */
	const char *archived_query; /* what adds archived entries to the list; or NULL */
	const char *archived_field; /* the field that tells them apart; or NULL */
	const char *unshared_query; /* what adds what is not shared with the reader; or NULL */
	const char *direct_query;	/* what leaves inherited grants out; or NULL */
	SigmaPaging paging;
	int			max_page_size;	/* if it is less than SIGMA_MAX_PAGE_SIZE; or 0 */
	const SigmaNothing *nothing;	/* for requests by key; or NULL */
	bool		optional;		/* retired, or not every organization has it */
	bool		one_filter;		/* the API takes only one of the filters at a time */
	SigmaWrites writes;
	const SigmaField *fields;
	int			nfields;
	const SigmaFilter *filters;
	int			nfilters;
} SigmaResource;

extern const SigmaResource *const sigma_resources[];
extern const int sigma_nresources;

extern const SigmaResource *sigma_find_resource(const char *name);
extern const char *sigma_closest_resource(const char *name);
extern const SigmaField *sigma_find_field(const SigmaResource *resource, const char *column);
extern const SigmaField *sigma_find_api_field(const SigmaResource *resource, const char *field);
extern bool sigma_means_nothing(const SigmaNothing *nothing, int status, const char *code);
extern bool sigma_is_optional(const SigmaResource *resource);
extern bool sigma_filter_takes(const SigmaFilter *filter, const char *value);
extern const char *sigma_closest_column(const SigmaResource *resource, const char *column);

/* ------------------------------------------------------------------- key.c
 * Floor 1: which spellings of an identifier are one key.
 */
extern bool sigma_same_key(SigmaKind kind, const char *a, const char *b);
extern char *sigma_key_spelling(SigmaKind kind, char *text);
extern bool sigma_key_is_shown(SigmaKind kind, const char *text);

/* ----------------------------------------------------------------- retry.c
 * Floor 1: may this request be sent again, and when.  Pure functions.
 */
typedef struct SigmaAttempt
{
	SigmaOutcome outcome;
	int			status;
	SigmaPurpose purpose;
	bool		body_left;		/* a byte of the request's body has left */
	bool		unattended;		/* nobody looked for a while when it was under way */
	int			tries;			/* how often it has been sent, this time included */
	int			max_retries;
	long		waited_ms;		/* slept before retries so far */
	const char *retry_after;	/* the reply's header, or NULL */
	int64		now;			/* seconds since 1970, for a Retry-After date */
	double		random;			/* in [0, 1), for the jitter */
} SigmaAttempt;

extern long sigma_retry_delay(const SigmaAttempt *attempt);
extern int64 sigma_parse_http_date(const char *value);
extern long sigma_parse_retry_after(const char *value, int64 now);
extern bool sigma_outcome_unknown(const SigmaAttempt *attempt);
extern bool sigma_attempt_is_free(const SigmaAttempt *attempt);

/* -------------------------------------------------------------- encoding.c
 * Floor 1: text in the database's encoding, as the API wants it.
 */
extern void sigma_prepare_conversion(void);
extern char *sigma_to_utf8(const char *text);

/* ------------------------------------------------------------------ path.c
 * Floor 1: paths of the API, and the keys in them.
 */

/* No path has more keys than this. */
#define SIGMA_MAX_KEYS 4

extern char *sigma_url_encode(const char *text, size_t length);
extern char *sigma_text_url_encode(const char *text);
extern int	sigma_path_keys(const char *path, const char **keys);
extern char *sigma_fill_path(const char *path, char *const *values);
extern const char *sigma_normal_path(const char *path, char **normal);

/* ---------------------------------------------------------------- secret.c
 * Floor 1: reads a client secret from a file.
 */
extern const char *sigma_read_secret(const char *path, char **secret);

/* ---------------------------------------------------------------- option.c
 * Floor 1: the one table of options, and the settings that they resolve to.
 */
typedef struct SigmaSettings
{
	Oid			serverid;
	Oid			umid;			/* the user mapping's OID */
	char	   *server;
	char	   *base_url;		/* without a slash at its end */
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
	char	   *resource;
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
} SigmaTableOptions;

extern SigmaSettings *sigma_settings(Oid serverid, Oid userid);
extern Oid	sigma_mapping(Oid serverid, Oid userid, List **options);
extern SigmaTableOptions *sigma_table_options(Oid relid);
extern bool sigma_server_updatable(Oid serverid);
extern const char *sigma_resource_name(Oid relid);
extern const char *sigma_writable_resource(Oid relid);
extern int	sigma_server_concurrency(Oid serverid);
extern char *sigma_column_field_option(Oid relid, AttrNumber attnum);
extern Datum sigma_fdw_validator(PG_FUNCTION_ARGS);

/* -------------------------------------------------------------- jsontext.c
 * Floor 2: walks JSON text in place, without a tree.  Pure functions.
 */
typedef enum SigmaJsonKind
{
	SIGMA_JSON_NULL,
	SIGMA_JSON_FALSE,
	SIGMA_JSON_TRUE,
	SIGMA_JSON_NUMBER,
	SIGMA_JSON_STRING,			/* the text holds the quotes */
	SIGMA_JSON_ARRAY,
	SIGMA_JSON_OBJECT
} SigmaJsonKind;

typedef struct SigmaJsonValue
{
	SigmaJsonKind kind;
	bool		escaped;		/* a string with a backslash in it */
	SigmaSpan	text;
} SigmaJsonValue;

typedef struct SigmaJsonMember
{
	SigmaJsonValue key;			/* a string */
	SigmaJsonValue value;
} SigmaJsonMember;

/* What a string's escapes came to. */
typedef enum SigmaEscape
{
	SIGMA_ESCAPE_OK,
	SIGMA_ESCAPE_NUL,			/* \u0000, which PostgreSQL's text cannot hold */
	SIGMA_ESCAPE_SURROGATE		/* half of a surrogate pair */
} SigmaEscape;

/* Told of a value while its text is checked; see sigma_json_visit(). */
typedef void (*SigmaJsonVisit) (void *arg, int depth, SigmaSpan name, const SigmaJsonValue *value);

extern bool sigma_json_visit(SigmaSpan text, SigmaJsonVisit visit, void *arg,
							 SigmaJsonValue *value, const char **error);
extern bool sigma_json_check(SigmaSpan text, SigmaJsonValue *value, const char **error);
extern bool sigma_json_next_member(const SigmaJsonValue *object, const char **cursor,
								   SigmaJsonMember *member);
extern bool sigma_json_next_element(const SigmaJsonValue *array, const char **cursor,
									SigmaJsonValue *element);
extern bool sigma_json_is(const SigmaJsonValue *string, const char *text);
extern SigmaEscape sigma_json_unescape(const SigmaJsonValue *string, char *out, size_t *length);

/* ------------------------------------------------------------------ json.c
 * Floor 2: text to Datum and back.  The only file that includes cJSON.
 */

/*
 * A set of names, to be found quickly among the members of objects.  Names
 * that are the same have the number of the first of them.
 */
typedef struct SigmaNames
{
	int			n;
	const char **names;
	size_t	   *lengths;
	int16	   *next;			/* the next name of the same bucket, or -1 */
	int16		buckets[64];	/* the first name of each, or -1 */
} SigmaNames;

extern void sigma_names_init(SigmaNames *names, int n, const char **list);
extern int	sigma_names_find(const SigmaNames *names, const SigmaJsonValue *name);

/* One entry of a list, with what was known before it was read. */
typedef struct SigmaEntry
{
	SigmaSpan	text;			/* an object in checked text; empty if it failed */
	int			nmembers;
	const SigmaJsonMember *members; /* the object's */
	char	  **keys;			/* of the parents, in the order of the path; or NULL */
	const struct SigmaFailure *failure; /* why there is no entry; or NULL */
} SigmaEntry;

/* One column of a table, ready to be filled from entries. */
typedef struct SigmaColumn
{
	AttrNumber	attnum;
	const char *name;			/* SQL name, for messages */
	SigmaReadFrom read;
	const char *field;			/* the API's name */
	int			value;			/* which of the reader's values it is made of */
	int			key;			/* which of the entry's keys it is */
	const char *absent;
	SigmaKind	kind;
	bool		is_json;		/* json or jsonb: takes the text as it stands */
	bool		is_integer;		/* takes 30.0 and 3e1 for 30 */
	FmgrInfo	input;
	Oid			ioparam;
	int32		typmod;
} SigmaColumn;

typedef struct SigmaRowReader
{
	const char *table;			/* for messages */
	const char *key_field;		/* names the row in messages; or NULL */
	int			ncolumns;
	SigmaColumn *columns;
	SigmaNames	fields;			/* of all columns */
	SigmaJsonValue *values;		/* one per field: the entry's, NULL if it has none */
	int			current;		/* the column in hand, for messages; -1 none */
	const SigmaEntry *entry;	/* the entry in hand */
	int64		row;			/* its number in this scan, from 1 */
} SigmaRowReader;

extern const SigmaField *sigma_known_field(Relation rel, const SigmaResource *resource,
										   AttrNumber attnum);
extern const char *sigma_column_field(Relation rel, const SigmaResource *resource,
									  AttrNumber attnum, const SigmaField **known);
extern SigmaRowReader *sigma_row_reader(Relation rel, const SigmaResource *resource,
										const Bitmapset *attnums);
extern void sigma_read_row(SigmaRowReader *reader, const SigmaEntry *entry, Datum *values,
						   bool *isnull);

/* An entry has dozens; each takes ten times as much memory as it can be short. */
#define SIGMA_MAX_MEMBERS 10000

extern int	sigma_split_object(const SigmaJsonValue *object, SigmaJsonMember **members, int *room);
extern Datum sigma_input(PGFunction input, char *text);
extern Datum sigma_json_to_jsonb(SigmaSpan text);
extern char *sigma_json_string(const SigmaJsonValue *value);
extern char *sigma_json_page_token(const SigmaJsonValue *value);
extern char *sigma_json_member_text(const SigmaJsonValue *object, const char *name);
extern char *sigma_json_member_utf8(const SigmaJsonValue *object, const char *name);
extern char *sigma_json_id(const SigmaJsonValue *object, const char *name);
extern bool sigma_json_error_object(const char *body, size_t length, char **code, char **message,
									char **request_id);
extern bool sigma_json_token(const char *body, size_t length, char **token, double *expires_in);
extern const char *sigma_json_library_version(void);

/* A body that is being put together; its tree ends with its context. */
typedef struct SigmaBody SigmaBody;

extern SigmaBody *sigma_body_begin(MemoryContext context);
extern void sigma_body_add_json(SigmaBody *body, const char *key, const char *json);
extern const char *sigma_body_text(SigmaBody *body);
extern char *sigma_text_to_json(const char *text);

/* ------------------------------------------------------------------- jwt.c
 * Floor 2: the token by which a client says whom it wants to speak as.
 */
extern char *sigma_sign_hs256(const char *header, const char *claims, const char *key,
							  size_t key_length);
extern char *sigma_jwt(const SigmaSettings *settings, int64 now);

/* ------------------------------------------------------------------ mask.c
 * Floor 2: what of a request may be shown.
 */
extern List *sigma_json_secrets(List *secrets, Datum jsonb, bool is_details);
extern List *sigma_parameter_secrets(List *secrets, const char *name, char *value);
extern char *sigma_shown_request(const char *method, const char *target, const char *body);

/* ------------------------------------------------------------- watchdog.c
 * Floor 2: ends a stay in libcurl that takes too long.
 */
extern void sigma_watch_socket(int fd);
extern void sigma_unwatch_socket(int fd);
extern int	sigma_watchdog_signal(void);
extern void sigma_watchdog_begin(int limit_ms);
extern bool sigma_watchdog_end(void);

/* -------------------------------------------------------------- inflate.c
 * Floor 2: decodes a gzip'd body a slice at a time.  Pure functions.
 */
typedef struct SigmaInflater SigmaInflater;

typedef enum SigmaInflateResult
{
	SIGMA_INFLATE_MORE,			/* another step is needed */
	SIGMA_INFLATE_DONE,
	SIGMA_INFLATE_BAD,			/* it is no gzip, or cut off */
	SIGMA_INFLATE_TOO_LARGE,
	SIGMA_INFLATE_NO_MEMORY
} SigmaInflateResult;

extern SigmaInflater *sigma_inflate_begin(const char *body, size_t length, size_t max);
extern SigmaInflateResult sigma_inflate_step(SigmaInflater *inflater);
extern char *sigma_inflate_take(SigmaInflater *inflater, size_t *length);
extern void sigma_inflate_end(SigmaInflater *inflater);

/* ------------------------------------------------------------- transport.c
 * Floor 2: HTTP on libcurl.  The only file that includes curl.
 */
typedef struct SigmaTransport SigmaTransport;
typedef struct SigmaTransfer SigmaTransfer;

typedef struct SigmaRequest
{
	const char *method;
	const char *url;
	const char *bearer;			/* the token; or NULL */
	const char *basic_user;		/* HTTP Basic; or NULL */
	const char *basic_password;
	const char *content_type;	/* of the body: the whole header line */
	const char *body;			/* or NULL; must outlive the transfer */
	size_t		body_length;
	bool		repeatable;		/* libcurl may start it again on a new connection */
	bool		loopback;		/* plain http is allowed, and no proxy is asked */
} SigmaRequest;

typedef struct SigmaReply
{
	SigmaOutcome outcome;
	int			status;
	SigmaSpan	body;			/* lives as long as the transfer */
	bool		body_left;		/* a byte of the request's body has left */
	bool		unattended;		/* nobody looked for a while when it was under way */
	bool		html;
	bool		text_type;		/* its type says that it is text, and no web page */
	char		retry_after[64];	/* the header's value; "" if there was none */
	char		date[64];		/* likewise */
	char		request_id[64]; /* likewise */
	const char *text;			/* the library's own words; "" if none */
} SigmaReply;

extern SigmaTransport *sigma_transport_create(MemoryContext context, const SigmaSettings *settings);
extern SigmaTransfer *sigma_transfer_start(SigmaTransport *transport, MemoryContext context,
										   const SigmaRequest *request);
extern bool sigma_transfer_done(const SigmaTransfer *transfer);
extern bool sigma_transfer_body_left(const SigmaTransfer *transfer);
extern const SigmaReply *sigma_transfer_reply(const SigmaTransfer *transfer);
extern void sigma_transfer_free(SigmaTransfer *transfer);
extern void sigma_transport_wait(SigmaTransport *transport, long timeout_ms);
extern const char *sigma_transport_version(void);

extern double sigma_transport_waited(const SigmaTransport *t);
extern double sigma_transport_lend(SigmaTransport *t, double timeout_ms);
extern bool sigma_transport_socket(const SigmaTransport *t, int i, int *fd, bool *to_read,
								   bool *to_write);

/* ---------------------------------------------------------------- beacon.c
 * Floor 2: a transport's sockets and timer as one descriptor.
 */
typedef struct SigmaBeacon SigmaBeacon;

extern SigmaBeacon *sigma_beacon_create(SigmaTransport *transport, MemoryContext context);
extern int	sigma_beacon_light(SigmaBeacon *beacon, long timeout_ms);
extern bool sigma_beacon_supported(void);

/* ---------------------------------------------------------------- shared.c
 * Floor 2: what the backends of a cluster share, if the library is preloaded.
 */
typedef struct SigmaSharedKey
{
	uint8		bytes[32];		/* SHA-256 */
} SigmaSharedKey;

typedef enum SigmaSharedAnswer
{
	SIGMA_SHARED_TOKEN,
	SIGMA_SHARED_WAIT,
	SIGMA_SHARED_SIGN_IN
} SigmaSharedAnswer;

extern void sigma_shared_init(void);
extern SigmaSharedKey sigma_shared_key(const char *const *texts);
extern SigmaSharedAnswer sigma_shared_token(const SigmaSharedKey *key, char **token,
											double *left_ms);
extern void sigma_shared_signed_in(const SigmaSharedKey *key, const char *token, double life_ms);
extern void sigma_shared_drop_token(const SigmaSharedKey *key, const char *token);
extern bool sigma_shared_begin_request(const SigmaSharedKey *key, int max, int flying);
extern bool sigma_shared_renew(const SigmaSharedKey *key);
extern void sigma_shared_end_request(const SigmaSharedKey *key);

/* ------------------------------------------- session.c, sign_in.c, call.c
 * Floor 3: an authenticated conversation with one server as one user.
 */
typedef struct SigmaSession SigmaSession;
typedef struct SigmaCall SigmaCall;

/* What a scan's or a statement's requests came to, for EXPLAIN ANALYZE. */
typedef struct SigmaStats
{
	int64		requests;		/* sent, retries included, sign-ins not */
	int64		sign_ins;		/* token requests, retries included */
	int64		pages;
	int64		retries;
	int64		bytes;			/* of bodies, decoded */
	int64		failed_parents;
	int64		nothing_there;	/* requests that were answered so */
	double		wait_ms;
} SigmaStats;

typedef struct SigmaCallSpec
{
	const char *method;
	const char *target;			/* path and query, encoded; starts with a slash */
	const char *body;			/* JSON in UTF-8; or NULL */
	SigmaPurpose purpose;
	const char *subject;		/* what a write is about, for a hint; or NULL */
	const SigmaNothing *nothing;	/* what else than a look-up's 404 says so; or NULL */
	List	   *secrets;		/* texts to mask in whatever the server says */
	SigmaStats *stats;			/* or NULL; must outlive the call */
	bool		urgent;			/* goes before all others, which are not sent meanwhile */
} SigmaCallSpec;

/* What a statement warns of once, however often it is met. */
typedef enum SigmaWarning
{
	SIGMA_WARNS_MISSING,		/* a list that is not offered */
	SIGMA_WARNS_FILTER,			/* a filter that was refused */
	SIGMA_WARNS_NOTHING,		/* lists none of which is there */
	SIGMA_WARNINGS
} SigmaWarning;

extern bool sigma_session_warns(SigmaSession *session, SigmaWarning warning,
								const SigmaResource *resource);
extern SigmaSession *sigma_session_open(Oid serverid, Oid userid, MemoryContext context);
extern const char *sigma_session_server(const SigmaSession *session);
extern char *sigma_session_identity(const SigmaSession *session);
extern Oid	sigma_session_serverid(const SigmaSession *session);
extern int	sigma_session_concurrency(const SigmaSession *session);
extern bool sigma_session_keeps_on_rollback(const SigmaSession *session);
extern int	sigma_session_rollback_timeout(const SigmaSession *session);
extern void sigma_session_pin(SigmaSession *session);
extern void sigma_session_unpin(SigmaSession *session);
extern bool sigma_session_is_sign_in(const SigmaSession *session, const char *path);

/* What an exchange without a sign-in told; all in the given memory context. */
typedef struct SigmaProbe
{
	const char *base_url;
	SigmaOutcome outcome;
	int			status;
	bool		is_sigma;		/* the reply is Sigma's error object */
	int64		date;			/* the server's time, seconds since 1970; -1: not told */
	SigmaFailure *failure;		/* what to tell if there was no reply */
} SigmaProbe;

extern void sigma_session_probe(SigmaSession *session, MemoryContext context, SigmaProbe *probe);
extern bool sigma_session_is_signed_in(const SigmaSession *session);
extern void sigma_session_check_secret(const SigmaSession *session);
extern SigmaCall *sigma_call_start(SigmaSession *session, MemoryContext context,
								   const SigmaCallSpec *spec);
typedef void (*SigmaCallGone) (void *arg, bool may_have_acted);
extern void sigma_call_follow(SigmaCall *call, SigmaCallGone gone, void *arg);
extern bool sigma_call_done(const SigmaCall *call);
extern void sigma_call_wait(SigmaCall *call);
extern void sigma_call_wait_turn(SigmaCall *call);
extern bool sigma_call_wait_until(SigmaCall *call, double deadline_ms);
extern void sigma_call_give_up(SigmaCall *call);
extern void sigma_call_last_try(SigmaCall *call);
extern void sigma_call_free(SigmaCall *call);
extern int	sigma_call_status(const SigmaCall *call);
extern const char *sigma_call_request_id(const SigmaCall *call);
extern void sigma_session_poll(SigmaSession *session);
extern SigmaBeacon *sigma_session_beacon(SigmaSession *session, MemoryContext context);
extern int	sigma_session_light(SigmaSession *session, SigmaBeacon *beacon, long timeout_ms);
extern const SigmaFailure *sigma_call_failure(const SigmaCall *call);
extern bool sigma_call_not_found(const SigmaCall *call);
extern const SigmaFailure *sigma_call_nothing(const SigmaCall *call);
extern bool sigma_call_may_have_acted(const SigmaCall *call);
extern SigmaSpan sigma_call_body(const SigmaCall *call);
extern bool sigma_call_is_text(const SigmaCall *call);
extern const char *sigma_call_target(const SigmaCall *call);
extern SigmaCall *sigma_call(SigmaSession *session, MemoryContext context,
							 const SigmaCallSpec *spec);
extern void sigma_session_note_total(SigmaSession *session, const SigmaResource *resource,
									 double total);
extern double sigma_last_total(Oid serverid, Oid userid, const SigmaResource *resource);

/* ----------------------------------------------------------- transaction.c
 * Floor 4: what a transaction has done in Sigma.
 */
extern bool sigma_dry_run;	/* sigma_fdw.dry_run */
extern bool sigma_log_writes;	/* sigma_fdw.log_writes */

typedef struct SigmaEffect SigmaEffect;

extern void sigma_effect_done(SigmaEffect *effect, const char *done);
extern void sigma_effect_undo(SigmaEffect *effect, const char *target, const char *id,
							  const char *perhaps);
extern void sigma_effect_told(SigmaEffect *effect);
extern bool sigma_effect_is_undone(const SigmaSession *session, const char *id);
extern bool sigma_effect_gone(const SigmaSession *session, const char *id);

/* What became of a write. */
typedef enum SigmaFate
{
	SIGMA_NOT_SENT,				/* it was not carried out, and never will be */
	SIGMA_ACTED,
	SIGMA_REFUSED,				/* it was sent, but surely not carried out */
	SIGMA_UNKNOWN
} SigmaFate;

/* A request that changes something, with what is to be remembered of it. */
typedef struct SigmaWrite
{
	SigmaCallSpec spec;
	const char *name;			/* of what it is about */
	const char *id;				/* likewise, for the log; NULL while it is not known */
	const char *maybe;			/* a clause for the WARNING: connection "x" may exist */
	const char *role;			/* whose write it is; NULL: the current user's */
	const char *hint;			/* what can be done about it afterwards; or NULL */
	bool		silent;			/* nobody looks at its reply when it is done */
	bool		flying;			/* it was sent, and is not yet through */
	const SigmaFailure *(*succeeded) (struct SigmaWrite *write);
	SigmaCall  *call;			/* once it has been sent; NULL in a dry run */
	SigmaEffect *effect;		/* likewise, unless it was refused */
	SigmaFate	fate;
} SigmaWrite;

extern const SigmaFailure *sigma_try_writes(SigmaSession *session, MemoryContext context,
											SigmaWrite *writes, int n);
extern void sigma_announce(const SigmaCallSpec *spec, const char *change);

/* ----------------------------------------------------------------- queue.c
 * Floor 4: changes that wait for the commit.
 */

/* A change of a connection that has been asked for. */
typedef struct SigmaChange
{
	const char *method;			/* PATCH, PUT or DELETE; constant */
	const char *target;
	const char *body;			/* JSON in UTF-8; NULL for DELETE */
	List	   *secrets;
	const char *id;
	const char *name;			/* as it was; NULL if the table does not show it */
	const char *version;		/* "updatedAt" as it was read; NULL: not compared */
	CommandId	command;		/* that asks for it; those after it see it */
	SigmaSpan	after;			/* the entry as it will be, in UTF-8 */
} SigmaChange;

extern void sigma_queue_change(SigmaSession *session, const SigmaChange *change);
extern CommandId sigma_queue_last(Oid serverid, const char *id);
extern List *sigma_queue_changes(Oid serverid, const char *id);
extern SigmaSpan sigma_unchanged_entry(const SigmaChange *change, SigmaCall *call);
extern bool sigma_queue_any(Oid serverid);
extern bool sigma_queue_find(Oid serverid, const char *id, CommandId as_of, SigmaSpan *after);

/* ----------------------------------------------------------------- pager.c
 * Floor 4: reads one list and yields one JSON entry at a time.
 */
typedef struct SigmaPager SigmaPager;

/* What becomes of a list that the organization does not have. */
typedef enum SigmaMissing
{
	SIGMA_MISSING_FAILS,
	SIGMA_MISSING_WARNS,		/* it is empty, with a WARNING */
	SIGMA_MISSING_TELLS			/* it is empty, and whoever asks is told */
} SigmaMissing;

typedef struct SigmaListSpec
{
	const SigmaResource *resource;
	const char *path;			/* with its keys filled in */
	const char *filters;		/* more of the query, encoded; or NULL */
	int			limit;			/* entries per page */
	int			wanted;			/* entries that are expected to do; 0: all */
	SigmaScope	scope;
	bool		prefetch;		/* ask for pages before they are wanted */
	bool		item;			/* the path is that of one entry, not of a list */
	const char *item_key;		/* the key of that entry; NULL if it need not be compared */
	bool		by_key;			/* that there is no such list, or entry, is no error */
	bool		tolerate;		/* a failed request ends the list without an error */
	SigmaMissing missing;		/* if it is not offered */
	const SigmaNothing *nothing;	/* what else says that there is nothing; or NULL */
	bool		exact;			/* another number of entries than "total" is an error */
	bool		dated;			/* read with the changes of this transaction's */
	CommandId	as_of;			/* commands before this one; else, of all before the current */
} SigmaListSpec;

extern char *sigma_list_target(const SigmaListSpec *spec, const char *page_token);
extern SigmaPager *sigma_pager_open(SigmaSession *session, MemoryContext context,
									const SigmaListSpec *spec, SigmaStats *stats);
extern void sigma_pager_start(SigmaPager *pager);
extern bool sigma_pager_next(SigmaPager *pager, SigmaEntry *entry);
extern bool sigma_pager_would_wait(SigmaPager *pager);
extern bool sigma_pager_has_more(const SigmaPager *pager);
extern double sigma_pager_total(const SigmaPager *pager);
extern const SigmaFailure *sigma_pager_failure(const SigmaPager *pager);
extern void sigma_read_lists(Oid serverid);
extern const SigmaFailure *sigma_pager_missing(const SigmaPager *pager);
extern bool sigma_pager_nothing(const SigmaPager *pager);
extern bool sigma_pager_refused_filters(const SigmaPager *pager);
extern void sigma_pager_rewind(SigmaPager *pager);
extern void sigma_pager_close(SigmaPager *pager);

/* ------------------------------------------------------------------ walk.c
 * Floor 4: reads all the lists that make up a table.
 */
typedef struct SigmaWalk SigmaWalk;

/* The values of a key that a query gives. */
typedef struct SigmaBound
{
	bool		given;			/* else the parents supply it */
	int			nvalues;
	char	  **values;			/* distinct, in the database's encoding */
} SigmaBound;

typedef struct SigmaWalkSpec
{
	const SigmaResource *resource;
	bool		item;			/* look-ups of single entries, by item_path */
	const SigmaBound *bound;	/* one per key of the path, in its order */
	const char *filters;		/* more of the query, encoded; or NULL */
	int			limit;
	int			wanted;			/* as for a list */
	SigmaScope	scope;
	bool		prefetch;
	bool		tolerate;		/* a parent whose list fails becomes an entry */
	SigmaMissing missing;		/* as for a list */
	bool		dated;			/* as for a list */
	CommandId	as_of;
} SigmaWalkSpec;

extern SigmaWalk *sigma_walk_open(SigmaSession *session, MemoryContext context,
								  const SigmaWalkSpec *spec, SigmaStats *stats);
extern bool sigma_walk_next(SigmaWalk *walk, SigmaEntry *entry);
extern void sigma_walk_start(SigmaWalk *walk);
extern bool sigma_walk_would_wait(SigmaWalk *walk);
extern const SigmaFailure *sigma_walk_missing(const SigmaWalk *walk);
extern bool sigma_walk_first(SigmaWalk *walk, SigmaEntry *entry);
extern void sigma_walk_rewind(SigmaWalk *walk);
extern void sigma_walk_close(SigmaWalk *walk);

/* ------------------------------------------------------------ connection.c
 * Floor 4: what a connection is made of, and what Sigma shows of it.
 */

/* A value for a request's body that stands outside "details". */
typedef struct SigmaTyped
{
	const char *column;			/* or the function's argument, for messages */
	const char *field;			/* the API's name */
	SigmaWriteTo write;
	const char *json;			/* JSON text in the database's encoding; NULL: none */
	bool		inherited;		/* from the connection as it is: "details" may differ */
} SigmaTyped;

extern const char *sigma_connection_body(const char *name, const Datum *details, List *typed,
										 List **secrets);
extern const char *sigma_replacement_body(SigmaSpan entry, const char *name, const Datum *details,
										  List *typed, List **secrets);
extern Datum sigma_details_in(char *text);
extern char *sigma_details_type(Datum details);
extern char *sigma_connection_unshown(const char *type);
extern SigmaSpan sigma_entry_replaced(SigmaSpan entry, SigmaSpan body);
extern SigmaSpan sigma_entry_patched(SigmaSpan entry, SigmaSpan changes);
extern List *sigma_entry_differing(SigmaSpan entry, SigmaSpan wanted);
extern char *sigma_entry_difference(SigmaSpan before, SigmaSpan after);

/* ----------------------------------------------------------------- write.c
 * Floor 4: the requests that change something.
 */
extern void sigma_run_writes(SigmaSession *session, MemoryContext context, SigmaWrite *writes,
							 int n);
extern SigmaWrite sigma_connection_write(const char *name, const char *body, List *secrets,
										 SigmaStats *stats);
extern SigmaWrite sigma_restore_write(char *id, const char *name, const char *body, List *secrets);
extern void sigma_complete_entries(SigmaSession *session, SigmaSpan *entries, int n, SigmaStats *stats);
extern SigmaSpan sigma_change_connection(SigmaSession *session, CommandId command, SigmaSpan entry,
										 const char *body, bool replaces, List *secrets);
extern SigmaPager *sigma_connections_named(SigmaSession *session);
extern bool sigma_next_named(SigmaPager *pager, const char *name, SigmaEntry *entry);
extern char *sigma_shown_name(SigmaSpan entry);
extern void sigma_grant_call(SigmaSession *session, MemoryContext context, char *connection_id,
							 const char *permission, const char *member_id, const char *team_id,
							 SigmaStats *stats);
extern void sigma_revoke_call(SigmaSession *session, MemoryContext context, char *connection_id,
							  char *grant_id, SigmaStats *stats);
extern SigmaPager *sigma_find_grant(SigmaSession *session, SigmaPager *pager, char *connection_id,
									const char *permission, const char *member_id,
									const char *team_id, SigmaEntry *entry, SigmaStats *stats);
extern char *sigma_connection_target(const char *path, char *id);

/* ------------------------------------------------------------------ plan.c
 * Floor 5: sizes, paths and the plan of a scan.
 */

/* What stands at which place of a ForeignScan's fdw_private. */
typedef enum SigmaScanPrivate
{
	SIGMA_SCAN_LIMIT,			/* Integer: entries per page */
	SIGMA_SCAN_ITEM,			/* Integer: 1 for look-ups of single entries */
	SIGMA_SCAN_KEYED,			/* IntList: a SigmaKeyed for each key of the path */
	SIGMA_SCAN_FILTERS,			/* IntList: which of the resource's filters are sent */
	SIGMA_SCAN_ATTRIBUTES,		/* IntList: attribute numbers that the query uses */
	SIGMA_SCAN_WANTED,			/* Integer: how many entries a LIMIT wants; 0 all */
	SIGMA_SCAN_WRITTEN			/* Integer: 1 if the statement writes to the table's server */
} SigmaScanPrivate;

/*
 * How a query gives a key.  fdw_exprs holds the expression of each key that is
 * given, in the order of the path, and behind them that of each filter.
 */
typedef enum SigmaKeyed
{
	SIGMA_KEYED_NO,
	SIGMA_KEYED_ONE,			/* key = expression */
	SIGMA_KEYED_ANY				/* key = ANY (array expression) */
} SigmaKeyed;

extern void sigmaGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void sigmaGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern ForeignScan *sigmaGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid,
										ForeignPath *best_path, List *tlist,
										List *scan_clauses, Plan *outer_plan);
extern const SigmaResource *sigma_table_resource(const SigmaTableOptions *options);

extern void sigma_refuse_system_columns(Node *expr, Index varno, Oid relid);
extern bool sigma_is_written(const RelOptInfo *rel);
extern bool sigma_can_count(RelOptInfo *rel);
extern bool sigma_bind_join(PlannerInfo *root, RelOptInfo *rel, Relids outer, List *restrictlist,
							bool *item, List **sources, double *per_key, int *concurrency);
extern bool sigmaIsForeignPathAsyncCapable(ForeignPath *path);

/* What a request costs, in the planner's unit. */
#define SIGMA_REQUEST_COST	100.0

/* ----------------------------------------------------------------- count.c
 * Floor 5: count(*) of a whole list.
 */
extern void sigmaGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage,
									  RelOptInfo *input, RelOptInfo *output, void *extra);
extern ForeignScan *sigma_count_plan(PlannerInfo *root, ForeignPath *path, List *tlist,
									 Plan *outer_plan);
extern Oid	sigma_count_relid(const ForeignScan *plan);
extern bool sigma_count_written(const ForeignScan *plan);
extern char *sigma_count_target(Oid relid);
extern int64 sigma_count_entries(SigmaSession *session, Oid relid, CommandId as_of,
								 SigmaStats *stats);

/* ------------------------------------------------------------------ scan.c
 * Floor 5: running a scan.
 */
extern void sigmaBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *sigmaIterateForeignScan(ForeignScanState *node);
extern void sigmaReScanForeignScan(ForeignScanState *node);
extern void sigmaEndForeignScan(ForeignScanState *node);
extern const SigmaStats *sigma_scan_stats(ForeignScanState *node);
extern void sigmaForeignAsyncRequest(AsyncRequest *request);
extern void sigmaForeignAsyncConfigureWait(AsyncRequest *request);
extern void sigmaForeignAsyncNotify(AsyncRequest *request);
extern void sigma_drain_scans(EState *estate, Oid serverid);
/* What a statement has read of a connection. */
typedef struct SigmaScanned
{
	SigmaSpan	entry;			/* JSON in UTF-8 */
	bool		by_id;			/* no list has shown it, which may leave something out */
	bool		taken;			/* it was asked for before */
} SigmaScanned;

extern bool sigma_scanned_entry(EState *estate, Index scanrelid, const char *id,
								SigmaScanned *scanned);

/* ----------------------------------------------------------- lookup_join.c
 * Floor 5: joins that look their inner rows up, several at a time.
 */
extern void sigma_lookup_join_init(void);

/* ------------------------------------------------------------------ hide.c
 * Floor 5: keeps statements that write out of the log.
 */
extern bool sigma_is_table(Oid relid);
extern void sigma_hide_init(void);

/* ---------------------------------------------------------------- modify.c
 * Floor 5: INSERT and COPY FROM, and what all modifications share.
 */
extern int	sigmaIsForeignRelUpdatable(Relation rel);
extern List *sigmaPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index result_relation,
									int subplan_index);
extern void sigmaBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo,
									List *fdw_private, int subplan_index, int eflags);
extern void sigmaBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo);
extern void sigmaAddForeignUpdateTargets(PlannerInfo *root, Index rtindex, RangeTblEntry *target,
										 Relation rel);
extern void sigmaExecForeignTruncate(List *rels, DropBehavior behavior, bool restart_seqs);
extern TupleTableSlot *sigmaExecForeignInsert(EState *estate, ResultRelInfo *rinfo,
											  TupleTableSlot *slot, TupleTableSlot *plan_slot);
extern int	sigmaGetForeignModifyBatchSize(ResultRelInfo *rinfo);
extern TupleTableSlot **sigmaExecForeignBatchInsert(EState *estate, ResultRelInfo *rinfo,
													TupleTableSlot **slots,
													TupleTableSlot **plan_slots, int *nslots);
extern void sigmaEndForeignModify(EState *estate, ResultRelInfo *rinfo);
extern const SigmaStats *sigma_modify_stats(ResultRelInfo *rinfo);

/* ---------------------------------------------------------------- update.c
 * Floor 5: UPDATE and DELETE.
 */
extern TupleTableSlot *sigmaExecForeignUpdate(EState *estate, ResultRelInfo *rinfo,
											  TupleTableSlot *slot, TupleTableSlot *plan_slot);
extern TupleTableSlot *sigmaExecForeignDelete(EState *estate, ResultRelInfo *rinfo,
											  TupleTableSlot *slot, TupleTableSlot *plan_slot);
extern const char *sigma_update_method(Oid relid, const List *updated);

/* --------------------------------------------------------------- explain.c */
extern void sigma_explain_stats(const SigmaStats *stats, ExplainState *es);
extern void sigmaExplainForeignScan(ForeignScanState *node, ExplainState *es);
extern void sigmaExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo,
									  List *fdw_private, int subplan_index, ExplainState *es);

/* --------------------------------------------------------------- analyze.c */
extern bool sigmaAnalyzeForeignTable(Relation rel, AcquireSampleRowsFunc *func,
									 BlockNumber *totalpages);

/* ---------------------------------------------------------------- import.c */
extern List *sigmaImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid);

/* ------------------------------------------------------------- functions.c */
extern Oid	sigma_function_server(FunctionCallInfo fcinfo);
extern SigmaSession *sigma_function_session(FunctionCallInfo fcinfo);
extern void sigma_check_writable(const SigmaSession *session, const char *function);

#endif							/* SIGMA_FDW_H */

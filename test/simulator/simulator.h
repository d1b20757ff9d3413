/*-------------------------------------------------------------------------
 *
 * simulator.h
 *	  What the files of the Sigma API simulator share.
 *
 * A request goes through the files in this order: server.c receives it,
 * log.c notes it, fault.c says whether it is to be spoilt, route.c finds who
 * answers it (auth.c with exchange.c, connection.c, catalogue.c, endpoint.c, export.c), shape.c
 * spells the answer, misbehave.c spoils it, and send.c sends it.  control.c is the door for the
 * tests.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIMULATOR_H
#define SIMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>

#include <cjson/cJSON.h>
#include <microhttpd.h>

#define UUID_SIZE			37	/* 36 characters and the terminator */
#define TIMESTAMP_SIZE		32
#define MAX_PATH_PARAMS		4
#define MAX_HEADERS			32
#define MAX_CLIENTS			16
#define MAX_TOKEN_RATE		1000
#define IDENTITY_SIZE		320	/* an email, a space, an id and the terminator */
#define MAX_BODY			(64 * 1024 * 1024)

/* A growing piece of text; always terminated once it holds anything. */
typedef struct Buffer
{
	char	   *data;
	size_t		len;
	size_t		size;
} Buffer;

/* How the reply goes out; all but SEND_NORMAL belong to the faults. */
typedef enum SendMode
{
	SEND_NORMAL,
	SEND_NOTHING,				/* close the connection without a byte */
	SEND_RESET,					/* the same, with a TCP reset */
	SEND_NEVER,					/* hold the connection until the client goes */
	SEND_TRUNCATED,				/* only the first send_arg bytes of the body */
	SEND_DRIP,					/* one byte each send_arg milliseconds */
	SEND_PADDED					/* a valid envelope of send_arg bytes */
} SendMode;

typedef struct Reply
{
	unsigned int status;
	Buffer		body;
	char	   *content_type;	/* NULL: application/json */
	int			nheaders;
	char	   *header_name[MAX_HEADERS];
	char	   *header_value[MAX_HEADERS];
	SendMode	mode;
	int64_t		send_arg;
} Reply;

/* A TCP connection, for the statistics; made by server.c. */
typedef struct Channel
{
	long		serial;			/* 0 until it carries an API request */
} Channel;

/* Whom a token speaks for. */
typedef struct Identity
{
	char		user_id[UUID_SIZE];
	char		organization_id[UUID_SIZE];
	char		as[IDENTITY_SIZE];	/* for the log; "" if it is the client's own member */
	bool		limited;		/* sees only a part of the connections */
} Identity;

typedef struct Request
{
	struct MHD_Connection *mhd;
	int			fd;
	Channel    *channel;
	char	   *method;
	char	   *path;			/* as sent, without the query */
	char	   *query;			/* as sent; "" if none */
	Buffer		body;
	cJSON	   *json;			/* the body, if it is JSON; else NULL */
	bool		is_json;		/* the content type says so */
	bool		begun;
	bool		is_control;
	bool		ignore_page;	/* the page-loop fault answers with page one */
	bool		in_flight;
	bool		too_large;		/* the body passed MAX_BODY */
	int64_t		log_serial;		/* 0 if it is not logged */
	char		id[UUID_SIZE];
	int			nparams;
	char	   *param[MAX_PATH_PARAMS];
	int			client;			/* index of the client signed in, or -1 */
	long		token;			/* serial number of its token, or 0 */
	Identity	who;			/* if a client is signed in */
	const char *auth;			/* "body", "basic" or "exchange", for a token request */
	char	   *fault_name;		/* of the fault that spoils it, or NULL */
	cJSON	   *fault;			/* its parameters; a copy */
} Request;

typedef void (*Handler) (Request *req, Reply *reply);

typedef struct Route
{
	const char *method;
	const char *pattern;		/* "{}" stands for one path segment */
	Handler		handler;
} Route;

/* The API of which time is played, by the month of its description. */
typedef enum ApiVersion
{
	API_ANY,
	API_2025_11,
	API_2026_08
} ApiVersion;

/* The command line. */
typedef struct Options
{
	ApiVersion	api;
	int			port;
	const char *port_file;
	const char *log_file;
	const char *tls_cert;
	const char *tls_key;
	int64_t		connections;	/* -1: the small organization */
	int64_t		element_rows;	/* of the large element; -1: no workbooks with data */
	int			latency_ms;
	int			token_lifetime;
	int			token_rate;
	int			exit_with;
	int			nclients;
	const char *client_id[MAX_CLIENTS];
	const char *client_secret[MAX_CLIENTS];
} Options;

extern Options options;

/* server.c */
extern bool server_start(char *cert, char *key);
extern void server_stop(void);
extern int	server_port(void);
extern void server_set_latency(int ms);
extern void server_stats(cJSON *into);
extern void server_reset_stats(void);
extern bool wait_ms(int64_t ms);
extern bool wait_until_gone(int fd, int64_t ms);

/* send.c */
extern enum MHD_Result reply_send(Request *req, Reply *reply);
extern void reply_free(Reply *reply);
extern void reply_header(Reply *reply, const char *name, const char *value);
extern void reply_set_json(Reply *reply, unsigned int status, cJSON *json);
extern void reply_error(Request *req, Reply *reply, unsigned int status,
						const char *code, const char *fmt,...)
			__attribute__((format(printf, 5, 6)));
extern void reply_invalid(Request *req, Reply *reply, const char *fmt,...)
			__attribute__((format(printf, 3, 4)));
extern void reply_not_found(Request *req, Reply *reply, const char *what);

/* route.c */
extern pthread_rwlock_t organization_lock;

typedef struct PageArgs
{
	int64_t		offset;
	int64_t		limit;
} PageArgs;

extern void api_answer(Request *req, Reply *reply);
extern void allow_method(Buffer *methods, const char *method);
extern bool route_match(Request *req, const char *pattern);
extern const char *query_value(Request *req, const char *name);
extern bool query_bool(Request *req, Reply *reply, const char *name, bool *value);
extern bool page_args(Request *req, Reply *reply, PageArgs *page,
					  const char *token_name, const char *size_name);
extern bool body_object(Request *req, Reply *reply);

/* limit.c */
extern void limit_reset(void);
extern const char *limit_configure(const cJSON *config);
extern bool limit_passes(void);

/* log.c */
extern void log_open(const char *file);
extern void log_close(void);
extern int64_t log_begin(Request *req, int concurrent);
extern void log_reply(Request *req, unsigned int status);
extern void log_end(Request *req);
extern void log_clear(void);
extern char *log_render(const char *method, const char *path_prefix, bool count_only);

/* auth.c */
extern void auth_init(void);
extern void auth_reset(void);
extern void auth_token(Request *req, Reply *reply);
extern const char *auth_identify(Request *req);
extern bool auth_check(Request *req, Reply *reply);
extern void auth_whoami(Request *req, Reply *reply);
extern const char *auth_client_id(int client);
extern void auth_revoke_tokens(void);
extern bool auth_revoke_client(const char *client_id);
extern const char *auth_configure(const cJSON *config);
extern int64_t auth_token_requests(void);

/* exchange.c */
extern cJSON *exchange_claims(const char *jwt, const char *client_id, const char *secret);
extern bool exchange_identity(const cJSON *claims, Identity *who);
extern bool exchange_allowed(int member);

/* connection.c */
extern void connection_list(Request *req, Reply *reply);
extern void connection_get(Request *req, Reply *reply);
extern void connection_create(Request *req, Reply *reply);
extern void connection_put(Request *req, Reply *reply);
extern void connection_patch(Request *req, Reply *reply);
extern void connection_delete(Request *req, Reply *reply);
extern void connection_test(Request *req, Reply *reply);
extern void connection_lookup(Request *req, Reply *reply);
extern void connection_sync(Request *req, Reply *reply);
extern bool connection_visible(Request *req, const char *id);

/* connection_store.c */
typedef struct Connection
{
	char	   *name;
	char	   *type;
	bool		archived;
	cJSON	   *entry;			/* what the API shows */
	char	   *text;			/* the same as text, for the list */
	size_t		text_len;
	cJSON	   *details;		/* what it was made from, secrets included */
} Connection;

extern void store_init(void);
extern void store_free(void);
extern int64_t store_count(void);
extern int64_t store_created(void);
extern bool store_all_live(void);
extern int64_t store_find(const char *id);
extern Connection *store_get(int64_t slot);
extern const char *store_type(int64_t slot);
extern const char *store_name(int64_t slot, char *scratch, size_t size);
extern bool store_archived(int64_t slot);
extern void store_render(int64_t slot, Buffer *into);
extern int64_t store_add(cJSON *entry, cJSON *details, bool by_request);
extern void store_replace(int64_t slot, cJSON *entry, cJSON *details);
extern void store_id(int64_t slot, char *id);

/* connection_check.c */
extern bool connection_check(const cJSON *body, bool is_put, char *problem, size_t size);

/* seed.c */
extern void seed_connections(void);
extern void seed_generated(int64_t n, Buffer *into);
extern const char *seed_generated_type(int64_t n);
extern void seed_generated_name(int64_t n, char *name, size_t size);

/* catalogue.c */
extern cJSON *catalogue_parse(void);
extern void catalogue_init(void);
extern void catalogue_free(void);
extern cJSON *catalogue_collection(const char *name);
extern cJSON *entry_shown(const cJSON *entry);
extern void list_reply(Request *req, Reply *reply, const cJSON *found);
extern void path_list(Request *req, Reply *reply);
extern void path_get(Request *req, Reply *reply);
extern void grant_list(Request *req, Reply *reply);
extern void grant_create(Request *req, Reply *reply);
extern void grant_delete(Request *req, Reply *reply);

/* endpoint.c */
extern bool endpoint_answer(Request *req, Reply *reply, Buffer *methods);

/* control.c */
extern void control_answer(Request *req, Reply *reply);

/* shape.c */
extern char *id_as_stored(char *id);
extern bool same_identifier(const char *a, const char *b);
extern const char *shape_configure(const cJSON *config);
extern void shape_reset(void);
extern void shape_reply(const Request *req, Reply *reply);

/* fault.c */
extern void fault_take(Request *req);
extern const char *fault_add(const cJSON *rule);
extern cJSON *fault_list(void);
extern void fault_clear(void);

/* misbehave.c */
extern void reply_edge(Request *req, Reply *reply, unsigned int status);
extern const char *misbehave_check(const cJSON *rule);
extern bool misbehave_before(Request *req, Reply *reply);
extern void misbehave_after(Request *req, Reply *reply);

/* organization.c */
extern const char organization_json[];
extern const char organization_json_end[];
extern const char elements_json[];
extern const char elements_json_end[];
extern const char elements_jsonl[];
extern const char elements_jsonl_end[];

/* export.c */
extern void export_init(void);
extern void export_free(void);
extern void export_workbook(Request *req, Reply *reply);
extern void export_report(Request *req, Reply *reply);
extern void export_download(Request *req, Reply *reply);
extern const char *export_configure(const cJSON *config);

/* util.c */
extern void *xmalloc(size_t size);
extern void *xrealloc(void *old, size_t size);
extern char *xstrdup(const char *s);
extern void buffer_append(Buffer *buf, const void *data, size_t len);
extern void buffer_string(Buffer *buf, const char *s);
extern void buffer_printf(Buffer *buf, const char *fmt,...)
			__attribute__((format(printf, 2, 3)));
extern void buffer_free(Buffer *buf);
extern cJSON *json_parse(const char *text, size_t len);
extern char *json_print(const cJSON *json);
extern const char *json_string(const cJSON *object, const char *key);
extern bool json_is_int(const cJSON *item, double low, double high);
extern void json_set(cJSON *object, const char *key, cJSON *value);
extern void make_id(const char *kind, int64_t n, char *id);
extern void random_hex(char *dst, size_t nbytes);
extern void timestamp_now(char *dst);
extern void timestamp_ago(int64_t days, char *dst);
extern int64_t realtime_ms(void);
extern int64_t monotonic_ms(void);
extern char *url_decode(const char *s, size_t len, bool plus_is_space);
extern bool contains_ignoring_case(const char *text, const char *part);

#endif							/* SIMULATOR_H */

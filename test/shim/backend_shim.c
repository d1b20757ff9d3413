/*-------------------------------------------------------------------------
 *
 * backend_shim.c
 *	  As much of a backend as the files of src/ need that read replies.
 *
 * It stands in for mcxt.c, elog.c, list.c and mbutils.c; StringInfo,
 * psprintf, the checks of encodings and the hash function are PostgreSQL's own, from
 * libpgcommon.  What the code under test does not reach is not here.
 *
 *-------------------------------------------------------------------------
 */
#include "backend_shim.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "base/base.h"
#include "config/config.h"

ShimReport	shim_report;
int			shim_warnings;
int			shim_encoding = PG_UTF8;

/* -------------------------------------------------------------- interrupts */

/* nobody interrupts a test */
volatile sig_atomic_t InterruptPending = false;
volatile uint32 InterruptHoldoffCount = 0;
volatile uint32 QueryCancelHoldoffCount = 0;

void
ProcessInterrupts(void)
{
}

/* ------------------------------------------------------------------ memory */

typedef struct Chunk
{
	struct Chunk *next;
	struct Chunk *previous;
	struct Context *context;
	size_t		size;
} Chunk;

typedef struct Context
{
	struct Context *parent;
	struct Context *first_child;
	struct Context *next_sibling;
	Chunk	   *chunks;
	MemoryContextCallback *callbacks;
} Context;

MemoryContext CurrentMemoryContext;

static void *
allocate(Context *context, size_t size, bool zero)
{
	Chunk	   *chunk;

	if (!AllocSizeIsValid(size))
		elog(ERROR, "invalid memory alloc request size %zu", size);
	chunk = malloc(sizeof(Chunk) + size);
	if (chunk == NULL)
		abort();
	chunk->previous = NULL;
	chunk->next = context->chunks;
	if (chunk->next)
		chunk->next->previous = chunk;
	context->chunks = chunk;
	chunk->context = context;
	chunk->size = size;
	/* what palloc gives is not zero; make sure that nobody counts on it */
	memset(chunk + 1, zero ? 0 : 0x7F, size);
	return chunk + 1;
}

void
pfree(void *pointer)
{
	Chunk	   *chunk = (Chunk *) pointer - 1;

	if (chunk->next)
		chunk->next->previous = chunk->previous;
	if (chunk->previous)
		chunk->previous->next = chunk->next;
	else
		chunk->context->chunks = chunk->next;
	free(chunk);
}

void *
repalloc(void *pointer, Size size)
{
	Chunk	   *chunk = (Chunk *) pointer - 1;
	void	   *copy = allocate(chunk->context, size, false);

	memcpy(copy, pointer, Min(size, chunk->size));
	pfree(pointer);
	return copy;
}

void *
repalloc_huge(void *pointer, Size size)
{
	return repalloc(pointer, size);
}

void *
palloc(Size size)
{
	return allocate((Context *) CurrentMemoryContext, size, false);
}

void *
palloc0(Size size)
{
	return allocate((Context *) CurrentMemoryContext, size, true);
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	return allocate((Context *) context, size, false);
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return allocate((Context *) context, size, true);
}

void *
MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	return allocate((Context *) context, size, (flags & MCXT_ALLOC_ZERO) != 0);
}

char *
pnstrdup(const char *in, Size length)
{
	char	   *copy;

	length = strnlen(in, length);
	copy = palloc(length + 1);
	memcpy(copy, in, length);
	copy[length] = '\0';
	return copy;
}

char *
pstrdup(const char *in)
{
	return pnstrdup(in, strlen(in));
}

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name pg_attribute_unused(),
							  Size min_size pg_attribute_unused(),
							  Size init_size pg_attribute_unused(),
							  Size max_size pg_attribute_unused())
{
	Context    *context = calloc(1, sizeof(Context));

	context->parent = (Context *) parent;
	if (parent)
	{
		context->next_sibling = context->parent->first_child;
		context->parent->first_child = context;
	}
	return (MemoryContext) context;
}

/* A context without a parent, and the current one from now on. */
MemoryContext
shim_context(void)
{
	CurrentMemoryContext = AllocSetContextCreateInternal(NULL, "shim", 0, 0, 0);
	return CurrentMemoryContext;
}

void
MemoryContextRegisterResetCallback(MemoryContext context, MemoryContextCallback *callback)
{
	Context    *c = (Context *) context;

	callback->next = c->callbacks;
	c->callbacks = callback;
}

void
MemoryContextReset(MemoryContext context)
{
	Context    *c = (Context *) context;

	while (c->first_child)
		MemoryContextDelete((MemoryContext) c->first_child);
	while (c->callbacks)
	{
		MemoryContextCallback *callback = c->callbacks;

		c->callbacks = callback->next;
		callback->func(callback->arg);
	}
	while (c->chunks)
		pfree(c->chunks + 1);
}

void
MemoryContextDelete(MemoryContext context)
{
	Context    *c = (Context *) context;

	MemoryContextReset(context);
	if (c->parent)
	{
		Context   **link = &c->parent->first_child;

		while (*link != c)
			link = &(*link)->next_sibling;
		*link = c->next_sibling;
	}
	free(c);
}

/* ------------------------------------------------------------------ errors */

ErrorContextCallback *error_context_stack;
sigjmp_buf *PG_exception_stack;

/* Formats into one of the report's fields. */
#define FORMAT(field, format) \
	do { \
		va_list		args; \
		va_start(args, format); \
		(void) vsnprintf(field, sizeof(field), format, args); \
		va_end(args); \
	} while (0)

bool
errstart(int elevel, const char *domain pg_attribute_unused())
{
	/* nobody follows it in detail */
	if (elevel <= DEBUG1)
		return false;
	memset(&shim_report, 0, sizeof(shim_report));
	shim_report.elevel = elevel;
	return true;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

void
pg_re_throw(void)
{
	if (PG_exception_stack == NULL)
	{
		fprintf(stderr, "error outside of PG_TRY: %s\n", shim_report.message);
		abort();
	}
	siglongjmp(*PG_exception_stack, 1);
}

void
errfinish(const char *filename pg_attribute_unused(), int lineno pg_attribute_unused(),
		  const char *funcname pg_attribute_unused())
{
	for (ErrorContextCallback *c = error_context_stack; c; c = c->previous)
		c->callback(c->arg);
	if (shim_report.elevel >= ERROR)
		pg_re_throw();
	shim_warnings++;
}

/* Of the last report, as much as sigma_rethrow_clean() looks at. */
ErrorData *
CopyErrorData(void)
{
	ErrorData  *error = palloc0(sizeof(ErrorData));

	error->elevel = shim_report.elevel;
	error->sqlerrcode = shim_report.sqlstate;
	error->message = pstrdup(shim_report.message);
	error->detail = shim_report.detail[0] ? pstrdup(shim_report.detail) : NULL;
	error->context = shim_report.context[0] ? pstrdup(shim_report.context) : NULL;
	return error;
}

void
FlushErrorState(void)
{
}

void
ReThrowError(ErrorData *error)
{
	strlcpy(shim_report.message, error->message, sizeof(shim_report.message));
	if (error->detail)
		strlcpy(shim_report.detail, error->detail, sizeof(shim_report.detail));
	if (error->context)
		strlcpy(shim_report.context, error->context, sizeof(shim_report.context));
	pg_re_throw();
}

int
errcode(int sqlerrcode)
{
	shim_report.sqlstate = sqlerrcode;
	return 0;
}

int
errmsg(const char *fmt,...)
{
	FORMAT(shim_report.message, fmt);
	return 0;
}

int
errmsg_internal(const char *fmt,...)
{
	FORMAT(shim_report.message, fmt);
	return 0;
}

int
errdetail(const char *fmt,...)
{
	FORMAT(shim_report.detail, fmt);
	return 0;
}

int
errdetail_internal(const char *fmt,...)
{
	FORMAT(shim_report.detail, fmt);
	return 0;
}

int
errhint(const char *fmt,...)
{
	FORMAT(shim_report.hint, fmt);
	return 0;
}

int
set_errcontext_domain(const char *domain pg_attribute_unused())
{
	return 0;
}

int
errhidestmt(bool hide_stmt pg_attribute_unused())
{
	return 0;
}

int
errhidecontext(bool hide_ctx pg_attribute_unused())
{
	return 0;
}

int
errcontext_msg(const char *fmt,...)
{
	FORMAT(shim_report.context, fmt);
	return 0;
}

/* A SQLSTATE as its five characters. */
char *
unpack_sql_state(int sql_state)
{
	static char text[6];

	for (int i = 0; i < 5; i++)
		text[i] = PGUNSIXBIT(sql_state >> (6 * i));
	return text;
}

/* ------------------------------------------------------------------- lists */

List *
lappend(List *list, void *datum)
{
	if (list == NIL)
	{
		list = palloc0(sizeof(List));
		list->type = T_List;
	}
	if (list->length == list->max_length)
	{
		ListCell   *elements = palloc(sizeof(ListCell) * (list->max_length + 4));

		if (list->length > 0)
		{
			memcpy(elements, list->elements, sizeof(ListCell) * list->length);
			pfree(list->elements);
		}
		list->elements = elements;
		list->max_length += 4;
	}
	list->elements[list->length++].ptr_value = datum;
	return list;
}

void
list_free(List *list)
{
	if (list == NIL)
		return;
	pfree(list->elements);
	pfree(list);
}

List *
list_delete_first(List *list)
{
	if (list == NIL)
		return NIL;
	if (list->length == 1)
	{
		list_free(list);
		return NIL;
	}
	list->length--;
	memmove(list->elements, list->elements + 1, sizeof(ListCell) * list->length);
	return list;
}

/* --------------------------------------------------------------- encodings */

int
GetDatabaseEncoding(void)
{
	return shim_encoding;
}

bool
pg_verify_mbstr(int encoding, const char *mbstr, int len, bool no_error)
{
	if (pg_encoding_verifymbstr(encoding, mbstr, len) == len)
		return true;
	if (!no_error)
		ereport(ERROR, (errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
						errmsg("invalid byte sequence for encoding")));
	return false;
}

/* A cut of mbutils.c: as many whole characters as fit. */
int
pg_encoding_mbcliplen(int encoding, const char *mbstr, int len, int limit)
{
	int			clipped = 0;

	while (len > 0 && *mbstr)
	{
		int			l = pg_encoding_mblen(encoding, mbstr);

		if (clipped + l > limit)
			break;
		clipped += l;
		if (clipped == limit)
			break;
		len -= l;
		mbstr += l;
	}
	return clipped;
}

/* As in mbutils.c: the same pointer if nothing is to be converted. */
char *
pg_any_to_server(const char *s, int len, int encoding)
{
	char	   *out;
	char	   *p;

	if (len <= 0)
		return unconstify(char *, s);
	if (encoding != PG_UTF8)
		elog(ERROR, "unexpected encoding %d", encoding);
	(void) pg_verify_mbstr(encoding, s, len, false);
	if (shim_encoding != PG_LATIN1)
		return unconstify(char *, s);

	out = p = palloc(len + 1);
	for (int i = 0; i < len; i += pg_encoding_mblen(PG_UTF8, s + i))
	{
		pg_wchar	c = utf8_to_unicode((const unsigned char *) s + i);

		if (c > 0xFF)
			ereport(ERROR, (errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
							errmsg("character has no equivalent in encoding LATIN1")));
		*p++ = (char) c;
	}
	*p = '\0';
	return out;
}

/* encoding.c without the catalogs */
char *
sigma_to_utf8(const char *text)
{
	char	   *out;
	char	   *p;

	if (shim_encoding != PG_LATIN1)
		return unconstify(char *, text);
	out = p = palloc(strlen(text) * 2 + 1);
	for (; *text; text++)
	{
		unicode_to_utf8((unsigned char) *text, (unsigned char *) p);
		p += pg_utf_mblen((unsigned char *) p);
	}
	*p = '\0';
	return out;
}

/* As in json.c of PostgreSQL, byte by byte. */
void
escape_json(StringInfo buf, const char *str)
{
	appendStringInfoChar(buf, '"');
	for (const char *p = str; *p; p++)
	{
		if (*p == '"' || *p == '\\')
			appendStringInfo(buf, "\\%c", *p);
		else if ((unsigned char) *p < ' ')
			appendStringInfo(buf, "\\u%04x", (int) *p);
		else
			appendStringInfoChar(buf, *p);
	}
	appendStringInfoChar(buf, '"');
}

#ifdef USE_ASSERT_CHECKING
/* A server with assertions has them in its inline functions, too. */
#if PG_VERSION_NUM >= 160000
void
ExceptionalCondition(const char *conditionName, const char *fileName, int lineNumber)
#else
void
ExceptionalCondition(const char *conditionName, const char *errorType pg_attribute_unused(),
					 const char *fileName, int lineNumber)
#endif
{
	fprintf(stderr, "assertion \"%s\" failed in %s:%d\n", conditionName, fileName, lineNumber);
	abort();
}
#endif

/* ---------------------------------------------------------------- timeout.c */

bool
get_timeout_active(TimeoutId id pg_attribute_unused())
{
	return false;
}

TimestampTz
get_timeout_finish_time(TimeoutId id pg_attribute_unused())
{
	return 0;
}

TimestampTz
GetCurrentTimestamp(void)
{
	return 0;
}

/* ------------------------------------------------- statements of hints */

char *
sigma_alter_column_option(Oid relid UNUSED, const char *column UNUSED, const char *option UNUSED,
						  const char *value UNUSED)
{
	return pstrdup("ALTER FOREIGN TABLE");
}

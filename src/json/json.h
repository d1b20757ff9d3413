/*-------------------------------------------------------------------------
 *
 * json.h
 *	  Text to Datum and back, bodies of requests, and what of them may be shown.
 *
 * Nothing here looks into a catalog or waits.  What is returned is palloc'd in
 * the current memory context.  The walker of jsontext.c allocates nothing and
 * raises nothing; the rest may be called in an abort as far as it does not call
 * an input function (sigma_input(), sigma_json_to_jsonb()).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_JSON_H
#define SIGMA_JSON_H

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "base/base.h"

/* ---------------------------------------------------------- jsontext.c */

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
	bool		ascii;			/* not an array or object, and known to be ASCII as it stands */
	SigmaSpan	text;
} SigmaJsonValue;

/* Checked text that is known to be an object, as a value. */
static inline SigmaJsonValue
sigma_json_object(SigmaSpan text)
{
	SigmaJsonValue object = {.kind = SIGMA_JSON_OBJECT, .text = text};

	return object;
}

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

/* The number of a member's name in the set, or -1. */
extern int	sigma_names_find(const SigmaNames *names, const SigmaJsonValue *name);

/*
 * Who is told of values while a text is checked.  Either function may be NULL,
 * and either may raise.
 */
typedef struct SigmaJsonVisitor
{
	void	   *arg;

	/*
	 * Called for each value at a depth of 1 (a member or an element of the whole) and of 2, as it
	 * ends, with the name of the depth-1 member that it is or belongs to.
	 */
	void		(*visit) (void *arg, int depth, SigmaSpan name, const SigmaJsonValue *value);

	/*
	 * Called for each member at member_depth (1 to 3; 0: for none) whose name is in the set, as it
	 * ends, before a visit of the object that it is in, with the name's number.
	 */
	void		(*note) (void *arg, int name, const SigmaJsonValue *value);
	int			member_depth;
	const SigmaNames *names;
	int			nmembers;		/* set: how many the last object has whose members are at that
								 * depth, an array: 0 */
} SigmaJsonVisitor;

/*
 * Is "text" exactly one JSON value, with nothing but white space around it?
 * If so, *value tells which.  If not, *error says why, as the end of a
 * sentence.  What a visitor is told holds only if all of the text turns out to be
 * well-formed.
 */
extern bool sigma_json_visit(SigmaSpan text, SigmaJsonVisitor *visitor, SigmaJsonValue *value,
							 const char **error);

/* The same without a visitor. */
extern bool sigma_json_check(SigmaSpan text, SigmaJsonValue *value, const char **error);

/*
 * The values of an object's members in checked text whose names are in the set,
 * one per name.  Others stay as they are.  If a name comes twice, the last counts, as in
 * jsonb.
 */
extern void sigma_names_values(const SigmaNames *names, const SigmaJsonValue *object,
							   SigmaJsonValue *values);

/*
 * The next member of an object in checked text; false at its end.  *cursor is
 * NULL before the first.
 */
extern bool sigma_json_next_member(const SigmaJsonValue *object, const char **cursor,
								   SigmaJsonMember *member);

/* The same for the elements of an array. */
extern bool sigma_json_next_element(const SigmaJsonValue *array, const char **cursor,
									SigmaJsonValue *element);

/* Is a checked string, unescaped, equal to "text" (UTF-8)? */
extern bool sigma_json_is(const SigmaJsonValue *string, const char *text);

/* ---------------------------------------------------------- jsonsplit.c */

/* What is known of a body that comes piece by piece; all zero at first. */
typedef struct SigmaJsonSplit
{
	bool		begun;
	bool		is_array;		/* else one value a line */
	bool		any;			/* a value has been found */
	bool		at_value;		/* the next element follows */
	bool		ended;			/* the array does */
	size_t		scanned;		/* bytes of the value in hand that have been looked at */
	int			depth;			/* of its brackets */
	bool		in_string;
	bool		escaped;		/* behind a backslash */
} SigmaJsonSplit;

typedef enum SigmaJsonSplitResult
{
	SIGMA_SPLIT_VALUE,			/* *value is the next one's text, which is yet to be checked */
	SIGMA_SPLIT_MORE,			/* more of the body is needed */
	SIGMA_SPLIT_END,			/* there are no more values */
	SIGMA_SPLIT_BAD				/* it is cut off, or no such body */
} SigmaJsonSplitResult;

/*
 * The next value of a body, of which "rest" is what has come and has not been
 * used; "whole": no more will come.  The next call's rest must begin *used bytes
 * further on.  Raises nothing.
 */
extern SigmaJsonSplitResult sigma_json_split(SigmaJsonSplit *split, SigmaSpan rest, bool whole,
											 SigmaSpan *value, size_t *used);

/* -------------------------------------------------------------- json.c */

/*
 * Fills in a set of names; it keeps the list, and allocates in the current
 * context.  A NULL in the list is never found.
 */
extern void sigma_names_init(SigmaNames *names, int n, const char **list);

/* How many members an entry may have; it has dozens. */
#define SIGMA_MAX_MEMBERS 10000

/* UTF-8 from the API as a C string in the database's encoding, palloc'd. */
extern char *sigma_from_utf8(const char *data, size_t length);

/*
 * A text from the API as a value of a type; raises what the type's input
 * function raises, but the text that it quotes is cleaned.
 */
extern Datum sigma_input(PGFunction input, char *text);

/* JSON text as a jsonb Datum; raises the same. */
extern Datum sigma_json_to_jsonb(SigmaSpan text);

/* A string's content in the database's encoding, palloc'd. */
extern char *sigma_json_string(const SigmaJsonValue *value);

/*
 * A string's content in UTF-8, palloc'd, with a zero behind it; NULL if no text of
 * PostgreSQL's can hold it.  Raises nothing.
 */
extern char *sigma_json_unescaped(const SigmaJsonValue *value);

/*
 * A page token in UTF-8, palloc'd: a string's content, or a number as it
 * stands.  Raises if it is neither.
 */
extern char *sigma_json_page_token(const SigmaJsonValue *value);

/*
 * The member "name" of an object in checked text; false if it is absent or null.
 * If there are several, the last counts, as in jsonb.  Raises nothing.
 */
extern bool sigma_json_member(const SigmaJsonValue *object, const char *name,
							  SigmaJsonValue *value);

/*
 * The same as a C string in the database's encoding, palloc'd: a string's
 * content, anything else as it stands.  NULL if it is absent or null.
 */
extern char *sigma_json_member_text(const SigmaJsonValue *object, const char *name);

/*
 * The same for a string, in UTF-8 whatever the database's encoding is: for what
 * is to be compared, and need not be shown.  NULL for anything but a string, and
 * for one that no text can hold.
 */
extern char *sigma_json_member_utf8(const SigmaJsonValue *object, const char *name);

/*
 * The same for an identifier, which is ASCII without blanks; NULL if it is not.
 * Raises nothing.
 */
extern char *sigma_json_id(const SigmaJsonValue *object, const char *name);

/*
 * Is the body Sigma's error object?  If so its parts, palloc'd in UTF-8 as
 * they came, each NULL if absent.
 */
extern bool sigma_json_error_object(const char *body, size_t length, char **code, char **message,
									char **request_id);

/*
 * Reads a token reply.  *token is palloc'd; *expires_in is in seconds, or -1
 * if the reply says nothing usable of it.  False if there is no token that
 * could stand in a header.
 */
extern bool sigma_json_token(const char *body, size_t length, char **token, double *expires_in);

/* cJSON's own, constant. */
extern const char *sigma_json_library_version(void);

/*
 * An object that is being written, in UTF-8: begun, then member by member, then
 * ended.  "out" is initialized by the first.  Names are those of the API, and
 * need no escapes.  Values are written as they stand, not by way of a tree,
 * whose numbers would be doubles.
 */
extern void sigma_json_begin_object(StringInfo out);

/* Begins a member whose value is to be appended. */
extern void sigma_json_begin_member(StringInfo out, const char *name);

/* A member whose value is JSON text in the database's encoding. */
extern void sigma_json_add_text(StringInfo out, const char *name, const char *json);

/* A member with a value out of a reply. */
extern void sigma_json_add_value(StringInfo out, const char *name, const SigmaJsonValue *value);

/* A member of a reply as it stands. */
extern void sigma_json_add_member(StringInfo out, const SigmaJsonMember *member);

/* The whole object; its text is that of "out". */
extern SigmaSpan sigma_json_end_object(StringInfo out);

/* Text as a JSON string with its quotes, palloc'd. */
extern char *sigma_text_to_json(const char *text);

/* ------------------------------------------------------------- quick.c */

/*
 * A value as one of a built-in type without a modifier, just as the type's input
 * function would make it, if that can be told at a glance; else false, and the
 * function is to be asked.  A string is taken by what is between its quotes, as
 * it stands.  Raises nothing.
 */
extern bool sigma_json_quick(Oid type, const SigmaJsonValue *value, Datum *datum);

/* -------------------------------------------------------------- mask.c */

/*
 * Adds to the list of what must not be shown (see sigma_mask()) whatever may be
 * a secret in a request's body, or in "details" alone.
 */
extern List *sigma_json_secrets(List *secrets, Datum jsonb, bool is_details);

/* The same for a parameter of a query. */
extern List *sigma_parameter_secrets(List *secrets, const char *name, char *value);

/*
 * A request as people may see it, wherever that is: method, path and query,
 * and its body (JSON in UTF-8) if that is to be shown too.  palloc'd, in the
 * database's encoding.
 */
extern char *sigma_shown_request(const char *method, const char *target, const char *body);

/* ------------------------------------------------------------- query.c */

/*
 * Adds a JSON object (checked text) to "out" as the query of a URL: an array is
 * a parameter that comes several times, a null is left out.  *secrets, unless
 * NULL, gets what must not be shown (see sigma_mask()).  Returns what is wrong,
 * as a clause, or NULL.
 */
extern const char *sigma_json_query(const SigmaJsonValue *object, StringInfo out, List **secrets);

/* Has a query (of a URL) this parameter?  Raises nothing. */
extern bool sigma_query_has(const char *query, const char *name);

#endif							/* SIGMA_JSON_H */

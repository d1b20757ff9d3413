/*-------------------------------------------------------------------------
 *
 * mask.c
 *	  What of a request may be shown.
 *
 * Two ways.  For messages of others, which may repeat what they were sent: a
 * list of the texts that must not be seen in them (text.c masks them).  For
 * what we show ourselves, be it in an error, a dry run, the record or EXPLAIN:
 * sigma_shown_request(), the request without its secrets.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "base/base.h"
#include "json/json.h"

/* ------------------------------------------------------------- what is secret */

/*
 * Members of "details" that say where and how, and are no secrets: they are
 * shown in a dry run, and if they are short they are not masked in messages,
 * which would become unreadable.  Whatever is not in this list may be a secret.
 */
static bool
is_plain_key(const char *key)
{
	static const char *const plain[] = {
		"account", "additionalProjectIds", "audience", "authType", "clientId", "database",
		"description", "enableHiveMetastore", "endpoint", "exportsWarehouse", "externalAccessIntegration", "host",
		"httpPath", "idpType", "inputTableAuditLogSchema", "materializationWarehouse",
		"metadataUrl", "packages", "port", "projectId", "pythonComputeClusterId", "pythonProperties", "role", "roleSwitching", "scopes",
		"server", "serverHostname", "serviceNames",
		"sourceSwapPolicyId", "type", "useDynamicTables", "useJwt", "useOauth", "usePkce",
		"usePython", "useReadUncommittedIsolation", "useSourceSwapPolicy", "useTls", "user",
		"userAttributes", "warehouse", "workspaceUrl", "writeAccess", "writeCatalog",
		"writeDatabase", "writeDataset", "writeProject", "writeSchema", "writebackSchemaId",
		"writebackSchemas",
	};

	for (int i = 0; i < (int) lengthof(plain); i++)
		if (strcmp(plain[i], key) == 0)
			return true;
	return false;
}

/* How much of a value may be shown. */
typedef enum Showing
{
	SHOW_BODY,					/* all but what sounds like a secret */
	SHOW_DETAILS,				/* only what is known to be none */
	SHOW_NOTHING				/* not even that */
} Showing;

/*
 * Is one of the words that a member's name is made of just this one?  A word
 * ends before a capital letter (userPat), and before what is no letter.
 */
static bool
has_word(const char *key, const char *word)
{
	const char *p = key;

	while (*p)
	{
		const char *begin = p;

		while (isalpha((unsigned char) *p) &&
			   (p == begin || !isupper((unsigned char) *p) || isupper((unsigned char) p[-1])))
			p++;
		if ((size_t) (p - begin) == strlen(word) && pg_strncasecmp(begin, word, strlen(word)) == 0)
			return true;
		if (p == begin)
			p++;
	}
	return false;
}

/* Does a member's name say that its value is a secret?  For what is not in "details". */
static bool
sounds_secret(const char *key)
{
	static const char *const parts[] = {
		"accesskey", "accountkey", "apikey", "authorization", "connectionstring", "connstr", "cookie",
		"credential", "encryptionkey", "passcode", "passphrase", "passwd", "password", "privatekey",
		"pwd", "secret", "serviceaccount", "sharedkey", "signingkey", "token",
	};

	/* these are parts of harmless words */
	static const char *const words[] = {
		"dsn", "jwt", "otp", "pass", "pat", "pin", "psk", "pw", "sas",
	};
	char	   *plain = palloc(strlen(key) + 1);
	char	   *end = plain;

	/* private_key, private-key and privateKey are one */
	for (const char *p = key; *p; p++)
		if (*p != '_' && *p != '-')
			*end++ = (char) pg_tolower((unsigned char) *p);
	*end = '\0';
	for (int i = 0; i < (int) lengthof(parts); i++)
		if (strstr(plain, parts[i]))
			return true;
	for (int i = 0; i < (int) lengthof(words); i++)
		if (has_word(key, words[i]))
			return true;
	return false;
}

/* How much of a member's value may be shown. */
static Showing
member_showing(Showing object, const char *key, const JsonbValue *value)
{
	if (object == SHOW_NOTHING)
		return SHOW_NOTHING;
	if (object == SHOW_DETAILS)
		return is_plain_key(key) ? SHOW_DETAILS : SHOW_NOTHING;
	if (strcmp(key, "details") == 0)
		return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data)
			? SHOW_DETAILS : SHOW_NOTHING;
	return sounds_secret(key) ? SHOW_NOTHING : SHOW_BODY;
}

/* Is it a reference to a secret that is kept elsewhere, and nothing else? */
static bool
is_secret_reference(JsonbContainer *container)
{
	JsonbValue	value;

	return JsonContainerIsObject(container) && JsonContainerSize(container) == 2 &&
		getKeyJsonValueFromContainer(container, "secretManagerId", strlen("secretManagerId"), &value) &&
		getKeyJsonValueFromContainer(container, "secretId", strlen("secretId"), &value);
}

/* ------------------------------------------- what must not be seen in messages */

/*
 * Adds a value's text, and whatever forms of it a server might repeat: in UTF-8,
 * as it was sent, since what a server says is searched before it is converted.
 */
static List *
add_secret(List *secrets, char *in_database)
{
	char	   *text = sigma_to_utf8(in_database);
	char	   *json = sigma_text_to_json(text);
	size_t		length = strlen(json);

	secrets = lappend(secrets, text);
	/* quoted inside another JSON text */
	if (length - 2 != strlen(text))
		secrets = lappend(secrets, pnstrdup(json + 1, length - 2));
	/* line by line, for a message that shows but one line of a key */
	if (strchr(text, '\n'))
	{
		char	   *lines = pstrdup(text);
		char	   *state = NULL;

		for (char *line = strtok_r(lines, "\r\n", &state); line; line = strtok_r(NULL, "\r\n", &state))
			if (strlen(line) >= 8)
				secrets = lappend(secrets, line);
	}
	return secrets;
}

/* A string's content, or a number as it is written; NULL for anything else. */
static char *
scalar_text(const JsonbValue *value)
{
	if (value->type == jbvString)
		return pnstrdup(value->val.string.val, value->val.string.len);
	if (value->type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	return NULL;
}

/*
 * Adds the texts of a container's strings and numbers, but for those that say
 * how and not what, and stand in every message about a connection.  "name" is
 * the member that an array is the value of.
 */
static List *
collect_secrets(List *secrets, JsonbContainer *container, Showing showing, const char *name)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	v;

	check_stack_depth();
	if (is_secret_reference(container))
		return secrets;
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		char	   *text;

		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
			name = pnstrdup(v.val.string.val, v.val.string.len);
		else if (token != WJB_VALUE && token != WJB_ELEM)
			continue;
		else if (v.type == jbvBinary)
			secrets = collect_secrets(secrets, v.val.binary.data,
									  token == WJB_VALUE ? member_showing(showing, name, &v) : showing, name);
		else if ((text = scalar_text(&v)) != NULL)
		{
			bool		shown = showing != SHOW_NOTHING;

			if (shown && (strcmp(name, "type") == 0 || strcmp(name, "authType") == 0))
				continue;
			if (shown && strlen(text) < 4 && is_plain_key(name))
				continue;
			secrets = add_secret(secrets, text);
		}
	}
	return secrets;
}

List *
sigma_json_secrets(List *secrets, Datum jsonb, bool is_details)
{
	return collect_secrets(secrets, &DatumGetJsonbP(jsonb)->root,
						   is_details ? SHOW_DETAILS : SHOW_BODY, "");
}

List *
sigma_parameter_secrets(List *secrets, const char *name, char *value)
{
	if (!sounds_secret(name))
		return secrets;
	return lappend(add_secret(secrets, value), sigma_text_url_encode(value));
}

/* ------------------------------------------------------------ what is shown */

static void append_masked_container(StringInfo out, JsonbContainer *container, Showing showing);

static void
append_masked(StringInfo out, const JsonbValue *value, Showing showing)
{
	switch (value->type)
	{
		case jbvNull:
			appendStringInfoString(out, "null");
			break;
		case jbvBool:
			appendStringInfoString(out, value->val.boolean ? "true" : "false");
			break;
		case jbvBinary:
			append_masked_container(out, value->val.binary.data, showing);
			break;
		case jbvNumeric:
			appendStringInfoString(out, showing == SHOW_NOTHING ? "\"***\"" : scalar_text(value));
			break;
		case jbvString:
			escape_json(out, showing == SHOW_NOTHING ? "***" : scalar_text(value));
			break;
		default:
			elog(ERROR, "unexpected kind of JSON value: %d", (int) value->type);
	}
}

static void
append_masked_container(StringInfo out, JsonbContainer *container, Showing showing)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	v;
	char	   *key = NULL;
	bool		is_object = JsonContainerIsObject(container);
	bool		scalar = JsonContainerIsScalar(container);
	bool		first = true;

	check_stack_depth();
	if (!scalar)
		appendStringInfoChar(out, is_object ? '{' : '[');
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
			key = pnstrdup(v.val.string.val, v.val.string.len);
		else if (token == WJB_VALUE)
		{
			if (!first)
				appendStringInfoString(out, ", ");
			escape_json(out, key);
			appendStringInfoString(out, ": ");
			/* the members of a reference are no secrets, whatever their names sound like */
			append_masked(out, &v, is_secret_reference(container) ? SHOW_BODY
						  : member_showing(showing, key, &v));
			first = false;
		}
		else if (token == WJB_ELEM)
		{
			if (!first)
				appendStringInfoString(out, ", ");
			append_masked(out, &v, showing);
			first = false;
		}
	}
	if (!scalar)
		appendStringInfoChar(out, is_object ? '}' : ']');
}

/*
 * A request's body (JSON in UTF-8) as it may be shown: every string and number
 * that is, or might be, a secret is masked.  Within "details" that is
 * everything but what is known to be none, elsewhere what sounds like one, and
 * all that is inside of it.
 */
static void
append_masked_body(StringInfo out, const char *body)
{
	Datum		jsonb = DirectFunctionCall1(jsonb_in, CStringGetDatum(sigma_from_utf8(body, strlen(body))));

	append_masked_container(out, &DatumGetJsonbP(jsonb)->root, SHOW_BODY);
}

/*
 * Path and query as they may be shown: without the values of parameters whose
 * names sound secret.
 */
static void
append_masked_target(StringInfo out, const char *target)
{
	const char *query = strchr(target, '?');

	if (query == NULL)
		query = target + strlen(target);
	appendBinaryStringInfo(out, target, (int) (query - target));
	while (*query)
	{
		/* at "?" or "&" */
		size_t		name = strcspn(query + 1, "=&");
		size_t		value = strcspn(query + 1 + name, "&");

		appendBinaryStringInfo(out, query, (int) (name + 1));
		if (sounds_secret(pnstrdup(query + 1, name)))
			appendStringInfoString(out, value ? "=***" : "");
		else
			appendBinaryStringInfo(out, query + 1 + name, (int) value);
		query += 1 + name + value;
	}
}

char *
sigma_shown_request(const char *method, const char *target, const char *body)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfo(&s, "%s ", method);
	append_masked_target(&s, target);
	if (body)
	{
		appendStringInfoChar(&s, ' ');
		append_masked_body(&s, body);
	}
	return sigma_shown(s.data);
}

/*-------------------------------------------------------------------------
 *
 * openapi.c
 *	  Reads the lists of the API out of its published description, OpenAPI 3.0 or
 *	  3.1 as JSON.
 *
 * A list is a GET that replies with an array, or with an object that has the
 * array "entries", or another array beside the token of a next page.  Schemas may
 * refer to each other in circles, and to the same one from many places, so there
 * is a limit to how deep is looked, and to how much in all.
 *
 * Pure functions, but for palloc() and interrupts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/openapi.h"

/* How deep schemas may lie within each other, and references follow each other. */
#define MAX_DEPTH 16

/* How many schemas are looked at in all, and how many fields an entry may have. */
#define MAX_SCHEMAS 200000
#define MAX_FIELDS 1000

/* How much of a text becomes a comment, in bytes. */
#define MAX_COMMENT 500

/* What a value may be, as bits. */
#define IS_TEXT		0x1
#define IS_TIME		0x2
#define IS_BOOL		0x4
#define IS_INTEGER	0x8
#define IS_NUMBER	0x10
#define IS_JSON		0x20

#define SCHEMAS "#/components/schemas/"

/* A schema by its name. */
typedef struct Schema
{
	char	   *name;
	uint32		hash;
	char		status;
	SigmaJsonValue value;
} Schema;

#define SH_PREFIX schemas
#define SH_ELEMENT_TYPE Schema
#define SH_KEY name
#include "base/texthash.h"

typedef struct Reader
{
	SigmaJsonValue root;
	schemas_hash *schemas;
	int			looked_at;
} Reader;

/* A property of an object, with each schema that it is said to have. */
typedef struct Property
{
	char	   *name;			/* UTF-8 */
	uint32		hash;
	char		status;
	int			place;
} Property;

#define SH_PREFIX properties
#define SH_ELEMENT_TYPE Property
#define SH_KEY name
#include "base/texthash.h"

typedef struct Properties
{
	properties_hash *places;
	int			n;
	int			room;
	char	  **names;
	List	  **schemas;		/* of each, a list of SigmaJsonValue */
} Properties;

/* ---------------------------------------------------------------- references */

/* A string's content in UTF-8; NULL if no text can hold it. */
static char *
string_of(const SigmaJsonValue *object, const char *name)
{
	return sigma_json_member_utf8(object, name);
}

static bool
is_string(const SigmaJsonValue *object, const char *name, const char *value)
{
	SigmaJsonValue found;

	return sigma_json_member(object, name, &found) && found.kind == SIGMA_JSON_STRING &&
		sigma_json_is(&found, value);
}

/* A segment of a JSON pointer: "~1" is a slash. */
static char *
unescape_segment(const char *segment, size_t length)
{
	char	   *out = palloc(length + 1);
	size_t		n = 0;

	for (size_t i = 0; i < length; i++)
	{
		if (segment[i] == '~' && i + 1 < length && (segment[i + 1] == '0' || segment[i + 1] == '1'))
			out[n++] = segment[++i] == '1' ? '/' : '~';
		else
			out[n++] = segment[i];
	}
	out[n] = '\0';
	return out;
}

/* What a reference within the description points to. */
static bool
resolve(const Reader *reader, const char *ref, SigmaJsonValue *value)
{
	const char *p = ref + 1;

	if (strncmp(ref, SCHEMAS, strlen(SCHEMAS)) == 0)
	{
		const char *name = ref + strlen(SCHEMAS);
		Schema	   *schema = schemas_lookup(reader->schemas, unescape_segment(name, strlen(name)));

		if (schema)
			*value = schema->value;
		if (schema)
			return true;
	}
	if (strncmp(ref, "#/", 2) != 0)
		return false;
	*value = reader->root;
	while (*p == '/')
	{
		size_t		length = strcspn(++p, "/");
		SigmaJsonValue next;

		if (!sigma_json_member(value, unescape_segment(p, length), &next))
			return false;
		*value = next;
		p += length;
	}
	return true;
}

/* Follows references until there is none; false if there is no object at their end. */
static bool
follow(Reader *reader, SigmaJsonValue value, SigmaJsonValue *out)
{
	CHECK_FOR_INTERRUPTS();
	for (int depth = 0; depth < MAX_DEPTH; depth++)
	{
		char	   *ref;

		if (value.kind != SIGMA_JSON_OBJECT || ++reader->looked_at > MAX_SCHEMAS)
			return false;
		*out = value;
		ref = string_of(&value, "$ref");
		if (ref == NULL)
			return true;
		if (!resolve(reader, ref, &value))
			return false;
	}
	return false;
}

/* ------------------------------------------------------------------- schemas */

/* Is this type, or one of several, the word? */
static bool
has_type(const SigmaJsonValue *schema, const char *word)
{
	SigmaJsonValue type;
	SigmaJsonValue element;
	const char *cursor = NULL;

	if (!sigma_json_member(schema, "type", &type))
		return false;
	if (type.kind == SIGMA_JSON_STRING)
		return sigma_json_is(&type, word);
	while (type.kind == SIGMA_JSON_ARRAY && sigma_json_next_element(&type, &cursor, &element))
		if (element.kind == SIGMA_JSON_STRING && sigma_json_is(&element, word))
			return true;
	return false;
}

/* What a constant, of an enumeration without a type, is. */
static int
kind_of(const SigmaJsonValue *value)
{
	switch (value->kind)
	{
		case SIGMA_JSON_NULL:
			return 0;
		case SIGMA_JSON_FALSE:
		case SIGMA_JSON_TRUE:
			return IS_BOOL;
		case SIGMA_JSON_NUMBER:
			return IS_NUMBER;
		case SIGMA_JSON_STRING:
			return IS_TEXT;
		default:
			return IS_JSON;
	}
}

/* What values of a schema may be; 0 if it only says that they may be null. */
static int
values_of(Reader *reader, SigmaJsonValue schema, int depth)
{
	static const char *const composed[] = {"allOf", "oneOf", "anyOf"};
	SigmaJsonValue found;
	SigmaJsonValue element;
	const char *cursor = NULL;
	bool		any = false;
	int			values = 0;

	if (depth == MAX_DEPTH || !follow(reader, schema, &schema))
		return IS_JSON;
	if (has_type(&schema, "string"))
		values |= is_string(&schema, "format", "date-time") ? IS_TIME : IS_TEXT;
	if (has_type(&schema, "boolean"))
		values |= IS_BOOL;
	if (has_type(&schema, "integer"))
		values |= IS_INTEGER;
	if (has_type(&schema, "number"))
		values |= IS_NUMBER;
	if (has_type(&schema, "object") || has_type(&schema, "array"))
		values |= IS_JSON;
	if (values || sigma_json_member(&schema, "type", &found))
		return values;
	for (int i = 0; i < (int) lengthof(composed); i++)
	{
		cursor = NULL;
		if (!sigma_json_member(&schema, composed[i], &found) || found.kind != SIGMA_JSON_ARRAY)
			continue;
		while (sigma_json_next_element(&found, &cursor, &element))
			values |= values_of(reader, element, depth + 1);
		any = true;
	}
	if (sigma_json_member(&schema, "const", &found))
		return values | kind_of(&found);
	cursor = NULL;
	if (!any && sigma_json_member(&schema, "enum", &found) && found.kind == SIGMA_JSON_ARRAY)
	{
		while (sigma_json_next_element(&found, &cursor, &element))
			values |= kind_of(&element);
		any = true;
	}
	return any ? values : IS_JSON;
}

/* The type of a column that can show all these values. */
static Oid
column_type(int values)
{
	switch (values)
	{
		case IS_TIME:
			return TIMESTAMPTZOID;
		case IS_TEXT:
		case IS_TEXT | IS_TIME:
			return TEXTOID;
		case IS_BOOL:
			return BOOLOID;
		case IS_INTEGER:
			return INT8OID;
		case IS_NUMBER:
		case IS_NUMBER | IS_INTEGER:
			/* exactly as it stands there */
			return NUMERICOID;
		default:
			return JSONBOID;
	}
}

static void
add_property(Properties *properties, char *name, const SigmaJsonValue *schema)
{
	Property   *property;
	SigmaJsonValue *copy = palloc(sizeof(SigmaJsonValue));
	bool		found;

	*copy = *schema;
	property = properties_lookup(properties->places, name);
	if (property == NULL)
	{
		if (properties->n == MAX_FIELDS)
			return;
		if (properties->n == properties->room)
		{
			properties->room *= 2;
			properties->names = repalloc(properties->names, properties->room * sizeof(char *));
			properties->schemas = repalloc(properties->schemas, properties->room * sizeof(List *));
		}
		property = properties_insert(properties->places, name, &found);
		property->place = properties->n++;
		properties->names[property->place] = name;
		properties->schemas[property->place] = NIL;
	}
	properties->schemas[property->place] = lappend(properties->schemas[property->place], copy);
}

/* Collects the properties of a schema, with those of its parts, and perhaps of its alternatives. */
static void
collect(Reader *reader, SigmaJsonValue schema, bool alternatives, int depth, Properties *properties)
{
	static const char *const parts[] = {"allOf", "oneOf", "anyOf"};
	SigmaJsonValue found;
	SigmaJsonValue element;
	SigmaJsonMember member;
	const char *cursor = NULL;

	if (depth == MAX_DEPTH || !follow(reader, schema, &schema))
		return;
	if (sigma_json_member(&schema, "properties", &found) && found.kind == SIGMA_JSON_OBJECT)
		while (sigma_json_next_member(&found, &cursor, &member))
		{
			char	   *name = sigma_json_unescaped(&member.key);

			if (name && member.value.kind == SIGMA_JSON_OBJECT)
				add_property(properties, name, &member.value);
		}
	for (int i = 0; i < (alternatives ? (int) lengthof(parts) : 1); i++)
	{
		cursor = NULL;
		if (sigma_json_member(&schema, parts[i], &found) && found.kind == SIGMA_JSON_ARRAY)
			while (sigma_json_next_element(&found, &cursor, &element))
				collect(reader, element, alternatives, depth + 1, properties);
	}
}

static Properties *
properties_of(Reader *reader, SigmaJsonValue schema, bool alternatives)
{
	Properties *properties = palloc(sizeof(Properties));

	properties->places = properties_create(CurrentMemoryContext, 16, NULL);
	properties->n = 0;
	properties->room = 16;
	properties->names = palloc(properties->room * sizeof(char *));
	properties->schemas = palloc(properties->room * sizeof(List *));
	collect(reader, schema, alternatives, 0, properties);
	return properties;
}

/* The schema of the elements, if a property is an array. */
static bool
is_array(Reader *reader, const Properties *properties, int i, SigmaJsonValue *items)
{
	SigmaJsonValue schema;

	if (!follow(reader, *(SigmaJsonValue *) linitial(properties->schemas[i]), &schema) ||
		!has_type(&schema, "array"))
		return false;
	if (!sigma_json_member(&schema, "items", items))
		*items = schema;
	return true;
}

/* ----------------------------------------------------------------- the lists */

typedef struct Found
{
	bool		envelope;
	bool		bare;
	bool		next_page;		/* the envelope's tokens */
	bool		next_token;
	char	   *entries;		/* NULL: "entries" */
	SigmaJsonValue items;		/* schema of an entry; kind NULL if it has none */
} Found;

/* Is it an object with the entries in an array? */
static bool
find_envelope(Reader *reader, SigmaJsonValue schema, Found *found)
{
	Properties *properties = properties_of(reader, schema, false);
	SigmaJsonValue items;
	int			arrays = 0;

	found->next_page = properties_lookup(properties->places, "nextPage") != NULL;
	found->next_token = properties_lookup(properties->places, "nextPageToken") != NULL;
	found->entries = NULL;
	for (int i = 0; i < properties->n; i++)
	{
		if (!is_array(reader, properties, i, &items))
			continue;
		found->items = items;
		if (strcmp(properties->names[i], "entries") == 0)
		{
			found->entries = NULL;
			return true;
		}
		arrays++;
		found->entries = properties->names[i];
	}
	/* another name, where there is no doubt */
	return arrays == 1 && (found->next_page || found->next_token);
}

/* Is a reply of this schema a list?  Of alternatives, one with an envelope counts before a bare array. */
static void
find_list(Reader *reader, SigmaJsonValue schema, int depth, Found *found)
{
	static const char *const composed[] = {"oneOf", "anyOf"};
	SigmaJsonValue alternatives;
	SigmaJsonValue element;
	Found		here = {0};

	if (depth == MAX_DEPTH || found->envelope || !follow(reader, schema, &schema))
		return;
	if (has_type(&schema, "array"))
	{
		if (!found->bare && !sigma_json_member(&schema, "items", &found->items))
			found->items.kind = SIGMA_JSON_NULL;
		found->bare = true;
	}
	if (find_envelope(reader, schema, &here))
	{
		*found = here;
		found->envelope = true;
		return;
	}
	for (int i = 0; i < (int) lengthof(composed); i++)
	{
		const char *cursor = NULL;

		if (sigma_json_member(&schema, composed[i], &alternatives) && alternatives.kind == SIGMA_JSON_ARRAY)
			while (sigma_json_next_element(&alternatives, &cursor, &element))
				find_list(reader, element, depth + 1, found);
	}
}

/* Text for people, in the database's encoding; NULL for none. */
static char *
comment_of(const SigmaJsonValue *object, const char *name)
{
	char	   *text = string_of(object, name);

	return text && text[0] ? sigma_clean_text(text, strlen(text), MAX_COMMENT) : NULL;
}

/* The fields of an entry; a value that is no object is one of its own. */
static void
read_fields(Reader *reader, SigmaJsonValue schema, SigmaApiGet *get)
{
	Properties *properties = properties_of(reader, schema, true);

	get->fields = palloc0(Max(properties->n, 1) * sizeof(SigmaApiField));
	for (int i = 0; i < properties->n; i++)
	{
		SigmaApiField *field = &get->fields[get->nfields];
		int			values = 0;
		ListCell   *lc;

		foreach(lc, properties->schemas[i])
		{
			SigmaJsonValue *said = lfirst(lc);
			SigmaJsonValue target;

			values |= values_of(reader, *said, 0);
			if (field->description == NULL)
				field->description = comment_of(said, "description");
			if (field->description == NULL && follow(reader, *said, &target))
				field->description = comment_of(&target, "description");
		}
		field->name = sigma_from_utf8(properties->names[i], strlen(properties->names[i]));
		field->type = column_type(values);
		get->nfields++;
	}
	if (get->nfields == 0 && get->is_list && (values_of(reader, schema, 0) & IS_JSON) == 0)
	{
		get->fields[0].name = "value";
		get->fields[0].type = column_type(values_of(reader, schema, 0));
		get->nfields = 1;
	}
}

/* ------------------------------------------------------------ the operations */

/* The schema of what a request is answered with when it goes well. */
static bool
reply_schema(Reader *reader, const SigmaJsonValue *operation, SigmaJsonValue *schema)
{
	SigmaJsonValue responses;
	SigmaJsonValue response = {0};
	SigmaJsonValue content;
	SigmaJsonMember member;
	const char *cursor = NULL;

	if (!sigma_json_member(operation, "responses", &responses) || responses.kind != SIGMA_JSON_OBJECT)
		return false;
	if (!sigma_json_member(&responses, "200", &response))
		while (response.kind == SIGMA_JSON_NULL && sigma_json_next_member(&responses, &cursor, &member))
			if (member.key.text.data[1] == '2')
				response = member.value;
	if (!follow(reader, response, &response) ||
		!sigma_json_member(&response, "content", &content) || content.kind != SIGMA_JSON_OBJECT)
		return false;
	cursor = NULL;
	while (sigma_json_next_member(&content, &cursor, &member))
	{
		static const char json[] = "application/json";

		if (member.key.text.length >= strlen(json) + 2 &&
			strncmp(member.key.text.data + 1, json, strlen(json)) == 0)
			return sigma_json_member(&member.value, "schema", schema);
	}
	return false;
}

/* Has an operation, or what it shares with others of its path, a parameter in the query? */
static bool
has_parameter(Reader *reader, const SigmaJsonValue *where, const char *name)
{
	SigmaJsonValue parameters;
	SigmaJsonValue element;
	const char *cursor = NULL;

	if (!sigma_json_member(where, "parameters", &parameters) || parameters.kind != SIGMA_JSON_ARRAY)
		return false;
	while (sigma_json_next_element(&parameters, &cursor, &element))
		if (follow(reader, element, &element) && is_string(&element, "name", name) &&
			is_string(&element, "in", "query"))
			return true;
	return false;
}

/* In which of the two idioms pages are asked for. */
static SigmaPaging
paging_of(Reader *reader, const SigmaJsonValue *path_item, const SigmaJsonValue *operation, const Found *found)
{
	static const char *const names[2][2] = {{"page", "limit"}, {"pageToken", "pageSize"}};
	bool		asked[2] = {false, false};

	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++)
			asked[i] |= has_parameter(reader, operation, names[i][j]) || has_parameter(reader, path_item, names[i][j]);
	if (!asked[0] && !asked[1])
		return found->next_page || found->next_token ? SIGMA_PAGING_FOUND : SIGMA_PAGING_NONE;
	if (asked[0] && asked[1])
		return found->next_token ? SIGMA_PAGING_PAGE_TOKEN : SIGMA_PAGING_PAGE;
	return asked[1] ? SIGMA_PAGING_PAGE_TOKEN : SIGMA_PAGING_PAGE;
}

static SigmaApiGet *
read_get(Reader *reader, char *path, const SigmaJsonValue *path_item, const SigmaJsonValue *operation)
{
	SigmaApiGet *get = palloc0(sizeof(SigmaApiGet));
	SigmaJsonValue schema;
	Found		found = {0};

	get->path = sigma_clean_text(path, strlen(path), strlen(path));
	get->problem = sigma_template_problem(get->path);
	get->summary = comment_of(operation, "summary");
	if (!reply_schema(reader, operation, &schema))
		return get;
	find_list(reader, schema, 0, &found);
	get->is_list = found.envelope || found.bare;
	if (found.envelope && found.entries)
		get->entries = sigma_from_utf8(found.entries, strlen(found.entries));
	get->paging = paging_of(reader, path_item, operation, &found);
	if (!get->is_list)
		read_fields(reader, schema, get);
	else if (found.items.kind == SIGMA_JSON_OBJECT)
		read_fields(reader, found.items, get);
	return get;
}

static const char *
copy_text(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

/* The same in the current memory context, without what was needed to find it out. */
static SigmaApiGet *
copy_get(const SigmaApiGet *get)
{
	SigmaApiGet *copy = palloc(sizeof(SigmaApiGet));

	*copy = *get;
	copy->path = copy_text(get->path);
	copy->summary = copy_text(get->summary);
	copy->problem = copy_text(get->problem);
	copy->entries = copy_text(get->entries);
	copy->fields = palloc0(Max(get->nfields, 1) * sizeof(SigmaApiField));
	for (int i = 0; i < get->nfields; i++)
	{
		copy->fields[i].name = copy_text(get->fields[i].name);
		copy->fields[i].type = get->fields[i].type;
		copy->fields[i].description = copy_text(get->fields[i].description);
	}
	return copy;
}

/* Puts the schemas where they are found by their names. */
static void
index_schemas(Reader *reader)
{
	SigmaJsonValue components;
	SigmaJsonValue schemas;
	SigmaJsonMember member;
	const char *cursor = NULL;

	reader->schemas = schemas_create(CurrentMemoryContext, 256, NULL);
	if (!sigma_json_member(&reader->root, "components", &components) ||
		!sigma_json_member(&components, "schemas", &schemas) || schemas.kind != SIGMA_JSON_OBJECT)
		return;
	while (sigma_json_next_member(&schemas, &cursor, &member))
	{
		char	   *name = sigma_json_unescaped(&member.key);
		bool		found;

		CHECK_FOR_INTERRUPTS();
		if (name)
			schemas_insert(reader->schemas, name, &found)->value = member.value;
	}
}

List *
sigma_read_openapi(SigmaSpan text, const char **problem)
{
	MemoryContext old = CurrentMemoryContext;
	MemoryContext work;
	Reader		reader = {0};
	List	   *gets = NIL;
	SigmaJsonValue paths;
	SigmaJsonMember member;
	const char *cursor = NULL;
	const char *error;
	char	   *version;

	*problem = NULL;
	if (text.length > SIGMA_MAX_OPENAPI_SIZE)
		*problem = "is larger than 10 MB";
	else if (!sigma_json_check(text, &reader.root, &error))
		*problem = psprintf("is not JSON: %s", error);
	if (*problem)
		return NIL;
	version = string_of(&reader.root, "openapi");
	if (version == NULL)
		*problem = "is no OpenAPI description: it has no \"openapi\"";
	else if (strncmp(version, "3.", 2) != 0)
		*problem = psprintf("is of OpenAPI %s, and must be of 3.0 or 3.1",
							sigma_quoted(sigma_clean_text(version, strlen(version), 20)));
	else if (!sigma_json_member(&reader.root, "paths", &paths) || paths.kind != SIGMA_JSON_OBJECT)
		*problem = "is no OpenAPI description: it has no object \"paths\"";
	if (*problem)
		return NIL;

	index_schemas(&reader);
	work = AllocSetContextCreate(old, "sigma openapi", ALLOCSET_DEFAULT_SIZES);
	while (sigma_json_next_member(&paths, &cursor, &member))
	{
		char	   *path = sigma_json_unescaped(&member.key);
		SigmaJsonValue path_item;
		SigmaJsonValue operation;

		if (path && path[0] == '/' && follow(&reader, member.value, &path_item) &&
			sigma_json_member(&path_item, "get", &operation) && operation.kind == SIGMA_JSON_OBJECT)
		{
			SigmaApiGet *get;

			MemoryContextSwitchTo(work);
			get = read_get(&reader, path, &path_item, &operation);
			MemoryContextSwitchTo(old);
			gets = lappend(gets, copy_get(get));
			MemoryContextReset(work);
		}
		if (reader.looked_at > MAX_SCHEMAS)
		{
			*problem = psprintf("is too large: more than %d schemas were looked at", MAX_SCHEMAS);
			gets = NIL;
			break;
		}
	}
	MemoryContextDelete(work);
	return gets;
}

/*-------------------------------------------------------------------------
 *
 * openapi_tables.c
 *	  The tables that the lists of a description are: those of the catalogue, and
 *	  others that are made by the same rules.
 *
 * A list is one of the catalogue's if the path is, whatever its parameters are
 * called.  Others are named by their paths, and have the columns that a resource of
 * the catalogue would have: the keys of the path, the fields, "attrs", "_error".
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <stdlib.h>

#include "catalog/pg_type_d.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"

#include "base/base.h"
#include "catalog/openapi.h"

/* A table by its path without the names of its keys, or a name that is taken. */
typedef struct Place
{
	char	   *text;
	uint32		hash;
	char		status;
	SigmaApiTable *table;		/* or NULL */
	const SigmaApiGet *get;		/* or NULL */
} Place;

#define SH_PREFIX places
#define SH_ELEMENT_TYPE Place
#define SH_KEY text
#include "base/texthash.h"

typedef struct Maker
{
	places_hash *gets;			/* by their paths */
	places_hash *newest;		/* lists by their paths without a version: those of the highest */
	places_hash *tables;		/* likewise */
	places_hash *names;			/* of tables, that are taken */
	List	   *made;			/* of SigmaApiTable */
} Maker;

/* --------------------------------------------------------------------- names */

/* A path with empty braces and without a query: what a key is called does not matter. */
static char *
without_keys(const char *path)
{
	StringInfoData s;

	initStringInfo(&s);
	for (const char *p = path; *p && *p != '?'; p++)
	{
		appendStringInfoChar(&s, *p);
		if (*p == '{')
			p += strcspn(p, "}") - 1;
	}
	return s.data;
}

/*
 * A name of the API as one of SQL: "connectionId" is "connection_id".  Letters
 * beyond ASCII stay if "letters" says so.
 */
static void
append_name(StringInfo out, const char *name, size_t length, bool letters)
{
	for (size_t i = 0; i < length; i++)
	{
		static const char one_word[] = "OAuth";
		unsigned char c = (unsigned char) name[i];
		bool		upper = c >= 'A' && c <= 'Z';
		bool		after_small = i > 0 && ((name[i - 1] >= 'a' && name[i - 1] <= 'z') ||
											(name[i - 1] >= '0' && name[i - 1] <= '9'));
		bool		after_upper = i > 0 && name[i - 1] >= 'A' && name[i - 1] <= 'Z';
		bool		before_small = i + 1 < length && name[i + 1] >= 'a' && name[i + 1] <= 'z';

		if (upper && (after_small || (after_upper && before_small)))
			appendStringInfoChar(out, '_');
		if (length - i >= strlen(one_word) && strncmp(name + i, one_word, strlen(one_word)) == 0)
		{
			appendStringInfoString(out, "oauth");
			i += strlen(one_word) - 1;
			continue;
		}
		if (upper)
			appendStringInfoChar(out, (char) (c - 'A' + 'a'));
		else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (letters && c >= 0x80))
			appendStringInfoChar(out, (char) c);
		else
			appendStringInfoChar(out, '_');
	}
}

static char *
sql_name(const char *name, bool letters)
{
	StringInfoData s;

	initStringInfo(&s);
	append_name(&s, name, strlen(name), letters);
	return s.data;
}

/* Makes a word in the plural, at the end of a text, one in the singular. */
static void
make_singular(StringInfo s)
{
	static const struct
	{
		const char *plural;
		const char *singular;
	}			endings[] = {{"ies", "y"}, {"sses", "ss"}, {"shes", "sh"}, {"ches", "ch"}, {"xes", "x"}, {"ss", "ss"},
	{"us", "us"}, {"s", ""}};

	for (int i = 0; i < (int) lengthof(endings); i++)
	{
		int			length = (int) strlen(endings[i].plural);

		if (s->len <= length || strcmp(s->data + s->len - length, endings[i].plural) != 0)
			continue;
		s->len -= length;
		s->data[s->len] = '\0';
		appendStringInfoString(s, endings[i].singular);
		return;
	}
}

/* "/v2" and the like are no words of a name. */
static const char *
behind_version(const char *path)
{
	size_t		digits = path[0] == '/' && path[1] == 'v' ? strspn(path + 2, "0123456789.") : 0;

	return digits > 0 && path[2 + digits] == '/' ? path + 2 + digits : path;
}

/* The version in a path; 0 if it has none. */
static double
version_of(const char *path)
{
	return behind_version(path) == path ? 0 : strtod(path + strlen("/v"), NULL);
}

char *
sigma_table_name_of(const char *path)
{
	StringInfoData s;
	int			last = 0;		/* where the last word begins */

	initStringInfo(&s);
	for (const char *p = behind_version(path); *p; p += strcspn(p, "/"))
	{
		size_t		length = strcspn(++p, "/");

		if (length == 0 || memchr(p, '{', length))
			continue;
		if (s.len > last)
			make_singular(&s);
		if (s.len > 0)
			appendStringInfoChar(&s, '_');
		last = s.len;
		append_name(&s, p, length, false);
	}
	return s.len ? s.data : pstrdup("list");
}

/* So many bytes of a text fit, without half a character. */
static int
fitting(const char *text, int limit)
{
	return pg_encoding_mbcliplen(GetDatabaseEncoding(), text, (int) strlen(text), limit);
}

/* The name, cut to what PostgreSQL keeps of it, with a number behind it if it is taken. */
static char *
free_name(places_hash *taken, const char *name)
{
	char	   *result = pnstrdup(name, fitting(name, NAMEDATALEN - 1));
	bool		found;

	for (int n = 2; places_lookup(taken, result); n++)
	{
		char	   *number = psprintf("_%d", n);

		CHECK_FOR_INTERRUPTS();
		result = psprintf("%.*s%s", fitting(name, NAMEDATALEN - 1 - (int) strlen(number)), name, number);
	}
	(void) places_insert(taken, result, &found);
	return result;
}

static void
take_name(places_hash *taken, const char *name)
{
	bool		found;

	(void) places_insert(taken, pstrdup(name), &found);
}

/* ------------------------------------------------------------------- columns */

static SigmaApiColumn *
add_column(SigmaApiTable *table, const char *name, Oid type, const char *field, const char *comment)
{
	SigmaApiColumn *column = palloc(sizeof(SigmaApiColumn));

	column->name = name;
	column->type = type;
	column->field = field;
	column->comment = comment;
	table->columns = lappend(table->columns, column);
	return column;
}

/* Names that a table has without being asked. */
static places_hash *
names_of_columns(void)
{
	static const char *const system[] = {"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax", "attrs", "_error"};
	places_hash *names = places_create(CurrentMemoryContext, 64, NULL);

	for (int i = 0; i < (int) lengthof(system); i++)
		take_name(names, system[i]);
	return names;
}

/* A column for a field; "always": its name tells nothing, so the option is needed. */
static void
add_field(SigmaApiTable *table, places_hash *taken, const SigmaApiField *field, bool always)
{
	char	   *name = sql_name(field->name, true);

	name = free_name(taken, name[0] ? name : "field");
	add_column(table, name, field->type,
			   always || strcmp(sigma_api_name(name), field->name) != 0 ? field->name : NULL,
			   field->description);
}

/* "attrs" is no field, but the way to name the whole entry. */
static bool
can_be_column(const SigmaApiField *field)
{
	return strcmp(field->name, "attrs") != 0 && field->name[0] != '\0';
}

static const SigmaApiField *
find_api_field(const SigmaApiGet *get, const char *name)
{
	for (int i = 0; i < get->nfields; i++)
		if (strcmp(get->fields[i].name, name) == 0)
			return &get->fields[i];
	return NULL;
}

/* ------------------------------------------------- resources of the catalogue */

/* The fields that the description has and the catalogue lacks. */
static void
extend(SigmaApiTable *table, places_hash *taken)
{
	const SigmaResource *r = table->known;

	for (int i = 0; i < table->get->nfields; i++)
	{
		const SigmaApiField *field = &table->get->fields[i];
		const SigmaField *column = sigma_find_field(r, sql_name(field->name, true));

		/* an entry may repeat the key of its parent */
		if (sigma_find_api_field(r, field->name) || (column && column->read == SIGMA_FROM_KEY) ||
			!can_be_column(field) || r->bare_field)
			continue;
		add_field(table, taken, field, true);
		table->status = SIGMA_API_EXTENDED;
	}
}

static const SigmaApiGet *
find_get(const Maker *maker, const char *path)
{
	Place	   *place = path ? places_lookup(maker->gets, without_keys(path)) : NULL;

	return place ? place->get : NULL;
}

static SigmaApiTable *
add_table(Maker *maker, const char *name, SigmaApiStatus status, const SigmaApiGet *get)
{
	SigmaApiTable *table = palloc0(sizeof(SigmaApiTable));

	table->name = name;
	table->status = status;
	table->get = get;
	maker->made = lappend(maker->made, table);
	return table;
}

/* Which table reads the list of a path. */
static void
note_table(Maker *maker, const char *path, SigmaApiTable *table)
{
	bool		found;
	Place	   *place = places_insert(maker->tables, without_keys(path), &found);

	if (!found)
		place->table = table;
}

static void
add_known(Maker *maker, const SigmaResource *r)
{
	/* the same list may be there in several forms, of which the first one tells the fields */
	const char *const forms[] = {r->path, r->other_path, r->flat ? r->flat->path : NULL};
	SigmaApiTable *table = add_table(maker, r->name, SIGMA_API_GONE, NULL);
	places_hash *taken = names_of_columns();

	table->known = r;
	table->comment = r->comment;
	for (int i = 0; i < r->nfields; i++)
	{
		const SigmaField *field = &r->fields[i];

		take_name(taken, field->column);
		if (!field->hidden)
			add_column(table, field->column, field->type, NULL, field->comment);
	}
	for (int i = 0; i < (int) lengthof(forms); i++)
	{
		const SigmaApiGet *get = find_get(maker, forms[i]);

		if (forms[i])
			note_table(maker, forms[i], table);
		if (get == NULL)
			continue;
		if (table->get == NULL)
		{
			table->status = SIGMA_API_KNOWN;
			table->get = get;
			extend(table, taken);
		}
		else if (get->is_list)
		{
			SigmaApiTable *form = add_table(maker, r->name, SIGMA_API_KNOWN, get);

			form->known = r;
			form->other_form = true;
		}
	}
}

/* ----------------------------------------------------------------- new tables */

static bool
ends_with(const char *text, const char *end)
{
	size_t		length = strlen(text);

	return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* The field by which an entry is known: "reportId" of a report, or what a path to one entry names. */
static const SigmaApiField *
find_key(const Maker *maker, const SigmaApiGet *get, const char **item_path)
{
	const char *last = strrchr(get->path, '/') + 1;
	const SigmaApiGet *item = find_get(maker, psprintf("%s/{}", get->path));
	StringInfoData word;
	const SigmaApiField *key = NULL;

	*item_path = NULL;
	if (item && !item->is_list && !item->problem)
	{
		const char *name = strrchr(item->path, '{') + 1;

		key = find_api_field(get, pnstrdup(name, strcspn(name, "}")));
		if (key && find_api_field(item, key->name) && strchr(get->path, '{') == NULL)
			*item_path = item->path;
	}
	if (key)
		return key;
	initStringInfo(&word);
	append_name(&word, last, strlen(last), false);
	make_singular(&word);
	appendStringInfoString(&word, "_id");
	key = find_api_field(get, sigma_api_name(word.data));
	if (key == NULL)
		key = find_api_field(get, "id");
	if (key)
		return key;
	/* "versionTagId" of a tag, if there is one such */
	for (int i = 0; i < get->nfields; i++)
		if (ends_with(sql_name(get->fields[i].name, true), psprintf("_%s", word.data)))
		{
			if (key)
				return NULL;
			key = &get->fields[i];
		}
	return key;
}

/* The path up to its last key: "/v2/reports/{reportId}/pages" is below "/v2/reports". */
static char *
path_above(const char *path)
{
	const char *brace = strrchr(path, '{');

	return brace && brace > path + 1 && brace[-1] == '/' ? pnstrdup(path, brace - path - 1) : NULL;
}

/* The column of a table that shows a field of the API. */
static const char *
column_of(const SigmaApiTable *table, const char *field)
{
	ListCell   *lc;

	if (table->known)
	{
		const SigmaField *known = sigma_find_api_field(table->known, field);

		return known && known->read == SIGMA_FROM_FIELD ? known->column : NULL;
	}
	foreach(lc, table->columns)
	{
		SigmaApiColumn *column = lfirst(lc);

		if (strcmp(column->field ? column->field : sigma_api_name(column->name), field) == 0)
			return column->name;
	}
	return NULL;
}

/* The columns in which a table has its own keys, in the order of its path; how many. */
static int
key_columns(const SigmaApiTable *table, const char **keys)
{
	return sigma_path_keys(table->known ? table->known->path : table->path, keys);
}

/* The one list whose entries have this for a key. */
static const SigmaApiTable *
table_with_key(const Maker *maker, const char *field)
{
	ListCell   *lc;

	foreach(lc, maker->made)
	{
		const SigmaApiTable *table = lfirst(lc);
		const char *key = table->known ? table->known->key : table->key;
		const char *path = table->known ? table->known->path : table->path;
		const char *column = column_of(table, field);

		if (key && column && !table->other_form && strcmp(key, column) == 0 && strchr(path, '{') == NULL)
			return table;
	}
	return NULL;
}

/*
 * Finds the table whose entries have the keys of a new one, and says in the
 * columns of these where in that table they are.  Its own columns are there by now.
 */
static void
find_parent(const Maker *maker, SigmaApiTable *table)
{
	const char *parameters[SIGMA_MAX_KEYS];
	const char *above[SIGMA_MAX_KEYS];
	const char *sources[SIGMA_MAX_KEYS];
	int			n = sigma_path_keys(table->get->path, parameters);
	char	   *prefix = path_above(table->get->path);
	Place	   *place = prefix ? places_lookup(maker->tables, without_keys(prefix)) : NULL;
	const SigmaApiTable *parent = place ? place->table : NULL;

	if (n == 0)
		return;
	if (parent && (!parent->get || !parent->get->is_list || key_columns(parent, above) != n - 1))
		parent = NULL;
	if (parent == NULL && n == 1)
		parent = table_with_key(maker, parameters[0]);
	if (parent == NULL)
		return;
	for (int i = 0; i < n - 1; i++)
		sources[i] = above[i];
	sources[n - 1] = column_of(parent, parameters[n - 1]);
	if (sources[n - 1] == NULL && ends_with(parameters[n - 1], "Name"))
		sources[n - 1] = column_of(parent, "name");
	else if (sources[n - 1] == NULL)
		sources[n - 1] = parent->known ? parent->known->key : parent->key;
	if (sources[n - 1] == NULL)
		return;
	table->parent = parent->name;
	for (int i = 0; i < n; i++)
	{
		SigmaApiColumn *column = list_nth(table->columns, i);

		if (strcmp(column->name, sources[i]) != 0)
			column->field = sources[i];
	}
}

/* The path with a column's name in the place of each parameter. */
static char *
with_columns(const char *path, List *columns)
{
	StringInfoData s;
	int			n = 0;

	initStringInfo(&s);
	for (const char *p = path; *p; p++)
	{
		appendStringInfoChar(&s, *p);
		if (*p != '{')
			continue;
		appendStringInfoString(&s, ((SigmaApiColumn *) list_nth(columns, n++))->name);
		p += strcspn(p, "}") - 1;
	}
	return s.data;
}

static void
add_new(Maker *maker, const SigmaApiGet *get)
{
	SigmaApiTable *table = add_table(maker, free_name(maker->names, sigma_table_name_of(get->path)),
									 SIGMA_API_NEW, get);
	places_hash *taken = names_of_columns();
	const char *parameters[SIGMA_MAX_KEYS];
	int			n = sigma_path_keys(get->path, parameters);
	const SigmaApiField *key;
	const char *item_path;

	table->comment = get->summary;
	for (int i = 0; i < n; i++)
	{
		char	   *name = sql_name(parameters[i], false);

		add_column(table, free_name(taken, name[0] ? name : "key"), TEXTOID, NULL,
				   "Key of what the list stands below");
	}
	table->path = with_columns(get->path, table->columns);
	key = find_key(maker, get, &item_path);
	for (int i = 0; i < get->nfields; i++)
	{
		const SigmaApiField *field = &get->fields[i];
		bool		is_parameter = false;

		/* an entry may repeat the keys that its list stands below */
		for (int j = 0; j < n; j++)
			is_parameter |= strcmp(parameters[j], field->name) == 0;
		if (is_parameter || !can_be_column(field))
			continue;
		add_field(table, taken, field, false);
		if (field == key)
		{
			table->key = ((SigmaApiColumn *) llast(table->columns))->name;
			if (item_path)
				table->item_path = with_columns(item_path, lappend(NIL, llast(table->columns)));
		}
	}
	add_column(table, "attrs", JSONBOID, NULL, "The whole entry as Sigma sent it");
	if (n > 0)
		add_column(table, "_error", JSONBOID, NULL,
				   "Why this parent's list could not be read, with on_error 'row'; else null");
	note_table(maker, get->path, table);
}

static bool
is_unknown_list(const Maker *maker, const SigmaApiGet *get)
{
	return get->is_list && get->problem == NULL && !places_lookup(maker->tables, without_keys(get->path));
}

/* The same list by the highest version that it has. */
static const SigmaApiGet *
newest_form(const Maker *maker, const SigmaApiGet *get)
{
	return places_lookup(maker->newest, without_keys(behind_version(get->path)))->get;
}

/* A list that the description has in a newer version, too: that one is the table. */
static void
add_older_form(Maker *maker, const SigmaApiGet *get)
{
	SigmaApiTable *newest = places_lookup(maker->tables, without_keys(newest_form(maker, get)->path))->table;
	SigmaApiTable *form = add_table(maker, newest->name, newest->status, get);

	form->known = newest->known;
	form->other_form = true;
	note_table(maker, get->path, newest);
}

List *
sigma_openapi_tables_of(List *gets, const SigmaResource *const *resources, int nresources)
{
	Maker		maker = {0};
	ListCell   *lc;

	maker.gets = places_create(CurrentMemoryContext, 256, NULL);
	maker.newest = places_create(CurrentMemoryContext, 256, NULL);
	maker.tables = places_create(CurrentMemoryContext, 256, NULL);
	maker.names = places_create(CurrentMemoryContext, 256, NULL);
	foreach(lc, gets)
	{
		const SigmaApiGet *get = lfirst(lc);
		bool		found;
		Place	   *place = places_insert(maker.gets, without_keys(get->path), &found);

		/* two paths that differ in the names of parameters are one; the first counts */
		if (!found)
			place->get = get;
		if (!get->is_list || get->problem)
			continue;
		place = places_insert(maker.newest, without_keys(behind_version(get->path)), &found);
		if (!found || version_of(get->path) > version_of(place->get->path))
			place->get = get;
	}
	for (int i = 0; i < nresources; i++)
		take_name(maker.names, resources[i]->name);
	for (int i = 0; i < nresources; i++)
		add_known(&maker, resources[i]);
	foreach(lc, gets)
	{
		const SigmaApiGet *get = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (is_unknown_list(&maker, get) && newest_form(&maker, get) == get)
			add_new(&maker, get);
	}
	foreach(lc, gets)
	{
		const SigmaApiGet *get = lfirst(lc);

		if (is_unknown_list(&maker, get))
			add_older_form(&maker, get);
	}
	foreach(lc, maker.made)
	{
		SigmaApiTable *table = lfirst(lc);

		if (table->status == SIGMA_API_NEW && !table->other_form)
			find_parent(&maker, table);
	}
	return maker.made;
}

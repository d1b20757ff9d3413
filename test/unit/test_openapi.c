/*-------------------------------------------------------------------------
 *
 * test_openapi.c
 *	  Published descriptions of the API: which lists they have, and which tables
 *	  these are.
 *
 * With SIGMA_OPENAPI in the environment, the file that it names is read, too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>

#include "catalog/pg_type_d.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "catalog/openapi.h"

#include "backend_shim.h"
#include "tap.h"

static List *
read_text(const char *text, const char **problem)
{
	SigmaSpan	span = {text, strlen(text)};

	return sigma_read_openapi(span, problem);
}

/* A description whose one GET replies with this schema. */
static const SigmaApiGet *
reply(const char *schema, const char *more)
{
	const char *problem;
	char	   *text = psprintf("{\"openapi\": \"3.1.0\", \"paths\": {\"/v2/things\": {\"get\": {\"responses\": "
								"{\"200\": {\"content\": {\"application/json\": {\"schema\": %s}}}}}}}%s}",
								schema, more);
	List	   *gets = read_text(text, &problem);

	return gets ? linitial(gets) : NULL;
}

static void
test_refused(void)
{
	static const char *const wrong[] = {
		"", "x", "{", "[]", "null", "{\"openapi\": \"3.0.0\"}", "{\"openapi\": 3, \"paths\": {}}", "{\"swagger\": \"2.0\", \"paths\": {}}",
		"{\"openapi\": \"2.0\", \"paths\": {}}", "{\"openapi\": \"3.0.0\", \"paths\": []}", "{\"openapi\": \"3.0.0\", \"paths\": {}} x",
	};
	static const char *const empty[] = {
		"{\"openapi\": \"3.0.3\", \"paths\": {}}", "{\"openapi\": \"3.1.0\", \"paths\": {\"/x\": 1, \"/y\": {\"get\": []}, \"x\": {\"get\": {}}}}",
		"{\"openapi\": \"3.1.0\", \"paths\": {\"/x\": {\"post\": {}}, \"/y\": {\"$ref\": \"#/paths/~1y\"}, \"/z\": {\"$ref\": \"other.json#/z\"}}}",
	};
	const char *problem;
	char	   *large;

	tap_begin("descriptions: what is none");
	for (int i = 0; i < (int) lengthof(wrong); i++)
		EXPECT(read_text(wrong[i], &problem) == NIL && problem, "%s is taken", wrong[i]);
	for (int i = 0; i < (int) lengthof(empty); i++)
		EXPECT(read_text(empty[i], &problem) == NIL && !problem, "%s: %s", empty[i], problem);
	large = palloc(SIGMA_MAX_OPENAPI_SIZE + 2);
	memset(large, ' ', SIGMA_MAX_OPENAPI_SIZE + 1);
	large[SIGMA_MAX_OPENAPI_SIZE + 1] = '\0';
	EXPECT(read_text(large, &problem) == NIL && strstr(problem, "10 MB"), "size: %s", problem);
	tap_end();
}

static void
test_lists(void)
{
#define ENTRY "{\"type\": \"object\", \"properties\": {\"id\": {\"type\": \"string\"}}}"
#define ARRAY "{\"type\": \"array\", \"items\": " ENTRY "}"
	static const struct
	{
		const char *schema;
		const char *more;
		bool		is_list;
		const char *entries;
		int			nfields;
	}			cases[] = {
		{ARRAY, "", true, NULL, 1},
		{"{\"type\": [\"array\", \"null\"], \"items\": " ENTRY "}", "", true, NULL, 1},
		{"{\"properties\": {\"entries\": " ARRAY "}}", "", true, NULL, 1},
		{"{\"properties\": {\"rows\": " ARRAY ", \"nextPage\": {}}}", "", true, "rows", 1},
		{"{\"properties\": {\"rows\": " ARRAY "}}", "", false, NULL, 1},
		{"{\"properties\": {\"rows\": " ARRAY ", \"columns\": " ARRAY ", \"nextPage\": {}}}", "", false, NULL, 3},
		{"{\"properties\": {\"entries\": {\"type\": \"object\"}}}", "", false, NULL, 1},
		{"{\"oneOf\": [" ARRAY ", {\"properties\": {\"entries\": " ARRAY "}}]}", "", true, NULL, 1},
		{"{\"anyOf\": [{\"type\": \"null\"}, " ARRAY "]}", "", true, NULL, 1},
		{"{\"allOf\": [{\"properties\": {\"nextPage\": {}}}, {\"properties\": {\"entries\": " ARRAY "}}]}", "", true, NULL, 1},
		{"{\"$ref\": \"#/components/schemas/a~1b\"}", ", \"components\": {\"schemas\": {\"a/b\": " ARRAY "}}", true, NULL, 1},
		{"{\"$ref\": \"#/x/y\"}", ", \"x\": {\"y\": {\"$ref\": \"#/x/z\"}, \"z\": " ARRAY "}", true, NULL, 1},
		{"{\"$ref\": \"#/components/schemas/a\"}", ", \"components\": {\"schemas\": {\"a\": {\"$ref\": \"#/components/schemas/a\"}}}", false, NULL, 0},
		{"{\"$ref\": \"elsewhere.json\"}", "", false, NULL, 0},
		{"{\"type\": \"array\", \"items\": {\"type\": \"string\"}}", "", true, NULL, 1},
		{"{\"type\": \"array\"}", "", true, NULL, 0},
		{"{\"type\": \"string\"}", "", false, NULL, 0},
		{"true", "", false, NULL, 0},
	};

	tap_begin("descriptions: which replies are lists");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		const SigmaApiGet *get = reply(cases[i].schema, cases[i].more);

		EXPECT(get && get->is_list == cases[i].is_list, "%s", cases[i].schema);
		EXPECT(get && get->nfields == cases[i].nfields, "%s: %d fields", cases[i].schema, get ? get->nfields : -1);
		EXPECT(get && (cases[i].entries ? get->entries && strcmp(get->entries, cases[i].entries) == 0 : !get->entries),
			   "%s: entries %s", cases[i].schema, get && get->entries ? get->entries : "");
	}
	tap_end();
}

static void
test_types(void)
{
	static const struct
	{
		const char *schema;
		Oid			type;
	}			cases[] = {
		{"{\"type\": \"string\"}", TEXTOID}, {"{\"type\": \"string\", \"nullable\": true}", TEXTOID}, {"{\"type\": [\"string\", \"null\"]}", TEXTOID},
		{"{\"type\": [\"string\", \"null\"], \"format\": \"date-time\"}", TIMESTAMPTZOID}, {"{\"type\": \"boolean\"}", BOOLOID},
		{"{\"type\": \"integer\"}", INT8OID}, {"{\"type\": \"number\", \"format\": \"double\"}", NUMERICOID}, {"{\"type\": \"object\"}", JSONBOID},
		{"{\"type\": \"array\", \"items\": {\"type\": \"string\"}}", JSONBOID}, {"{}", JSONBOID}, {"{\"type\": \"null\"}", JSONBOID},
		{"{\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"null\"}]}", TEXTOID}, {"{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"integer\"}]}", JSONBOID},
		{"{\"oneOf\": [{\"type\": \"integer\"}, {\"type\": \"number\"}]}", NUMERICOID}, {"{\"allOf\": [{\"type\": \"boolean\"}]}", BOOLOID},
		{"{\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"string\", \"format\": \"date-time\"}]}", TEXTOID},
		{"{\"enum\": [\"a\", \"b\", null]}", TEXTOID}, {"{\"const\": true}", BOOLOID}, {"{\"enum\": [1, \"b\"]}", JSONBOID},
		{"{\"$ref\": \"#/components/schemas/text\"}", TEXTOID}, {"{\"$ref\": \"#/components/schemas/circle\"}", JSONBOID},
		{"{\"oneOf\": [{\"$ref\": \"#/components/schemas/circle\"}, {\"type\": \"null\"}]}", JSONBOID}, {"{\"$ref\": \"#/components/schemas/none\"}", JSONBOID},
	};

	tap_begin("descriptions: types of fields");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		char	   *schema = psprintf("{\"type\": \"array\", \"items\": {\"properties\": {\"f\": %s}}}", cases[i].schema);
		const SigmaApiGet *get = reply(schema, ", \"components\": {\"schemas\": {\"text\": {\"type\": \"string\"}, "
									   "\"circle\": {\"oneOf\": [{\"$ref\": \"#/components/schemas/circle\"}, {\"$ref\": \"#/components/schemas/circle\"}]}}}");

		/* a circle of alternatives takes more than there is patience for */
		if (get == NULL && strstr(cases[i].schema, "circle"))
			continue;
		EXPECT(get && get->nfields == 1 && get->fields[0].type == cases[i].type, "%s: %u", cases[i].schema,
			   get && get->nfields ? get->fields[0].type : 0);
	}
	tap_end();
}

static const SigmaApiTable *
find_table(List *tables, const char *name)
{
	ListCell   *lc;

	foreach(lc, tables)
		if (strcmp(((SigmaApiTable *) lfirst(lc))->name, name) == 0)
			return lfirst(lc);
	return NULL;
}

/* "name:type name>field:type", for what a table's columns are */
static char *
columns_of(const SigmaApiTable *table)
{
	StringInfoData s;
	ListCell   *lc;

	initStringInfo(&s);
	if (table == NULL)
		return "no table";
	foreach(lc, table->columns)
	{
		SigmaApiColumn *column = lfirst(lc);

		appendStringInfo(&s, "%s%s%s%s:%u", s.len ? " " : "", column->name, column->field ? ">" : "",
						 column->field ? column->field : "", column->type);
	}
	return s.data;
}

#define GET(path, parameters, properties) \
	"\"" path "\": {\"get\": {\"summary\": \"List\", \"parameters\": [" parameters "], \"responses\": {\"200\": {\"content\": " \
	"{\"application/json\": {\"schema\": {\"properties\": {\"entries\": {\"type\": \"array\", \"items\": {\"properties\": {" properties "}}}}}}}}}}}"
#define STRING(name) "\"" name "\": {\"type\": \"string\"}"
#define QUERY(name) "{\"name\": \"" name "\", \"in\": \"query\"}"

static void
test_tables(void)
{
	const char *problem;
	List	   *gets = read_text("{\"openapi\": \"3.0.0\", \"paths\": {"
								 GET("/v2/gadgets", QUERY("pageToken"), STRING("gadgetId") ", " STRING("isOAuth") ", " STRING("URLId") ", " STRING("attrs") ", " STRING("ctid") ", " STRING("gadget_id")) ", "
								 "\"/v2/gadgets/{gadgetId}\": {\"get\": {\"responses\": {\"200\": {\"content\": {\"application/json\": {\"schema\": {\"properties\": {" STRING("gadgetId") "}}}}}}}}, "
								 GET("/v2/gadgets/{gadgetId}/odd-parts", QUERY("page"), STRING("oddPartId") ", " STRING("gadgetId")) ", "
								 GET("/v2/gadgets/{gadget}/odd-parts/{oddPart}/boltClasses", "", STRING("x")) ", "
								 GET("/v2/lonely/{key}/things", QUERY("limit"), STRING("id")) ", "
								 GET("/v2/favorites/gadget/{gadgetId}", "", STRING("id")) ", "
								 GET("/v2/gizmos", "", STRING("id")) ", " GET("/v2.1/gizmos", "", STRING("id")) ", " GET("/v1/gizmos", "", STRING("id")) ", "
								 GET("/v2/gadgets/{id", "", STRING("id")) ", "
								 GET("/v2/tags", QUERY("limit"), STRING("versionTagId") ", " STRING("newField"))
								 "}}", &problem);
	List	   *tables = sigma_openapi_tables_of(gets, sigma_resources, sigma_nresources);
	const SigmaApiTable *t;

	tap_begin("descriptions: the tables");
	EXPECT(list_length(tables) == sigma_nresources + 8, "%d tables", list_length(tables));
	t = find_table(tables, "gadgets");
	EXPECT(strcmp(columns_of(t), "gadget_id:25 is_oauth>isOAuth:25 url_id>URLId:25 ctid_2>ctid:25 gadget_id_2>gadget_id:25 attrs:3802") == 0,
		   "gadgets: %s", columns_of(t));
	EXPECT(t && t->status == SIGMA_API_NEW && strcmp(t->path, "/v2/gadgets") == 0 && strcmp(t->key, "gadget_id") == 0 &&
		   strcmp(t->item_path, "/v2/gadgets/{gadget_id}") == 0 && !t->parent && t->get->paging == SIGMA_PAGING_PAGE_TOKEN, "gadgets");
	t = find_table(tables, "gadget_odd_parts");
	EXPECT(strcmp(columns_of(t), "gadget_id:25 odd_part_id:25 attrs:3802 _error:3802") == 0, "parts: %s", columns_of(t));
	EXPECT(t && strcmp(t->parent, "gadgets") == 0 && strcmp(t->path, "/v2/gadgets/{gadget_id}/odd-parts") == 0 &&
		   strcmp(t->key, "odd_part_id") == 0 && t->get->paging == SIGMA_PAGING_PAGE, "parts");
	t = find_table(tables, "gadget_odd_part_bolt_classes");
	EXPECT(strcmp(columns_of(t), "gadget>gadget_id:25 odd_part>odd_part_id:25 x:25 attrs:3802 _error:3802") == 0, "classes: %s", columns_of(t));
	EXPECT(t && t->parent && strcmp(t->parent, "gadget_odd_parts") == 0 && t->get->paging == SIGMA_PAGING_NONE, "classes");
	t = find_table(tables, "lonely_things");
	EXPECT(t && !t->parent && strcmp(t->path, "/v2/lonely/{key}/things") == 0, "lonely things");
	t = find_table(tables, "favorite_gadget");
	EXPECT(t && t->parent && strcmp(t->parent, "gadgets") == 0, "favorites: %s", columns_of(t));
	EXPECT(find_table(tables, "gizmos") && strcmp(find_table(tables, "gizmos")->path, "/v2.1/gizmos") == 0, "the newer of two");
	t = find_table(tables, "tags");
	EXPECT(t && t->status == SIGMA_API_EXTENDED && strstr(columns_of(t), " new_field>newField:25"), "tags: %s", columns_of(t));
	t = find_table(tables, "workbooks");
	EXPECT(t && t->status == SIGMA_API_GONE, "workbooks");
	tap_end();
}

/* What the rule would call otherwise: paths that do not say all, or say too much. */
static const char *const other_names[] = {
	"allowed_ips", "dataset_materializations", "deployable_tenants", "favorites", "member_favorites",
	"member_recents", "saml_certificates", "shared_templates", "tenant_deployment_capabilities",
	"translations", "workbook_lineage", "workbook_lineage_nodes",
};

static bool
has_other_name(const char *name)
{
	for (int i = 0; i < (int) lengthof(other_names); i++)
		if (strcmp(other_names[i], name) == 0)
			return true;
	return false;
}

static void
test_names(void)
{
	tap_begin("descriptions: the rule gives the catalogue's names");
	EXPECT(strcmp(sigma_table_name_of("/v2/reports/{reportId}/sources"), "report_sources") == 0, "report_sources");
	EXPECT(strcmp(sigma_table_name_of("/v2.1/policies/{x}/boxes/{y}/statuses"), "policy_box_statuses") == 0, "statuses");
	EXPECT(strcmp(sigma_table_name_of("/{x}"), "list") == 0, "a list");
	for (int i = 0; i < sigma_nresources; i++)
	{
		const SigmaResource *r = sigma_resources[i];
		const char *const paths[] = {r->path, r->other_path, r->flat ? r->flat->path : NULL};
		bool		same = false;

		/* one of the forms of its list */
		for (int j = 0; j < (int) lengthof(paths); j++)
			same |= paths[j] && strcmp(sigma_table_name_of(pnstrdup(paths[j], strcspn(paths[j], "?"))), r->name) == 0;
		/* settings and specifications are no lists */
		if (r->paging != SIGMA_PAGING_OBJECT || same)
			EXPECT(same != has_other_name(r->name), "%s of %s is %s", sigma_table_name_of(r->path), r->path, r->name);
	}
	tap_end();
}

/* A field as a description has it. */
static void
append_field(StringInfo s, const SigmaField *field)
{
	const char *schema;

	switch (field->type)
	{
		case TEXTOID:
			schema = "{\"type\": [\"string\", \"null\"]}";
			break;
		case TIMESTAMPTZOID:
			schema = "{\"oneOf\": [{\"type\": \"string\", \"format\": \"date-time\"}, {\"type\": \"null\"}]}";
			break;
		case BOOLOID:
			schema = "{\"type\": \"boolean\", \"nullable\": true}";
			break;
		case JSONBOID:
			schema = "{\"type\": \"object\", \"properties\": {}}";
			break;
		default:
			schema = "{\"type\": \"integer\"}";
			break;
	}
	appendStringInfo(s, "%s\"%s\": %s", s->data[s->len - 1] == '{' ? "" : ", ", field->field, schema);
}

/* A path with the API's names of the keys in braces. */
static void
append_path(StringInfo s, const SigmaResource *r)
{
	for (const char *p = r->path; *p && *p != '?'; p++)
	{
		char	   *column;

		appendStringInfoChar(s, *p);
		if (*p != '{')
			continue;
		column = pnstrdup(p + 1, strcspn(p + 1, "}"));
		appendStringInfoString(s, sigma_api_name(column));
		p += strlen(column);
	}
}

/*
 * What the catalogue has is made alike if it does not have it: by a description
 * that is made of the catalogue.
 */
static void
test_removed(void)
{
	StringInfoData s;
	const char *problem;
	List	   *gets;
	List	   *made;

	initStringInfo(&s);
	appendStringInfoString(&s, "{\"openapi\": \"3.1.0\", \"paths\": {");
	for (int i = 0; i < sigma_nresources; i++)
	{
		const SigmaResource *r = sigma_resources[i];

		appendStringInfoString(&s, i ? ", \"" : "\"");
		append_path(&s, r);
		appendStringInfo(&s, "\": {\"get\": {\"parameters\": [{\"in\": \"query\", \"name\": \"%s\"}], "
						 "\"responses\": {\"200\": {\"content\": {\"application/json\": {\"schema\": {\"properties\": {\"entries\": "
						 "{\"type\": \"array\", \"items\": {\"properties\": {",
						 r->paging == SIGMA_PAGING_PAGE ? "limit" : r->paging == SIGMA_PAGING_PAGE_TOKEN ? "pageSize" : "tag");
		for (int j = 0; j < r->nfields; j++)
			if (r->fields[j].read == SIGMA_FROM_FIELD && !r->fields[j].hidden)
				append_field(&s, &r->fields[j]);
		appendStringInfoString(&s, "}}}}}}}}}}}");
	}
	appendStringInfoString(&s, "}}");
	gets = read_text(s.data, &problem);
	made = sigma_openapi_tables_of(gets, NULL, 0);

	tap_begin("descriptions: what the catalogue does not have is made alike");
	EXPECT(!problem, "%s", problem);
	for (int i = 0; i < sigma_nresources; i++)
	{
		const SigmaResource *r = sigma_resources[i];
		const SigmaApiTable *t = find_table(made, r->name);
		int			n = 0;

		/* its list and another's have one name by the rule, and the other's comes first */
		if (strcmp(r->name, "deployment_policy_tenants") == 0)
			continue;
		if (t == NULL || r->paging == SIGMA_PAGING_OBJECT)
		{
			EXPECT(r->paging == SIGMA_PAGING_OBJECT || has_other_name(r->name) || r->other_path || r->flat, "%s is missing", r->name);
			continue;
		}
		EXPECT(t->get->paging == r->paging || r->paging == SIGMA_PAGING_FOUND, "%s is paged otherwise", r->name);
		for (int j = 0; j < r->nfields; j++)
		{
			const SigmaField *field = &r->fields[j];
			const SigmaApiColumn *column;

			if (field->hidden || field->read == SIGMA_FROM_NOWHERE)
				continue;
			/* a field that is called like the key of the parent, but is not: it is in "attrs" */
			if (field->read == SIGMA_FROM_FIELD && strstr(t->get->path, psprintf("{%s}", field->field)))
				continue;
			/* keys stand at the front, in the order of the path */
			column = NULL;
			for (int k = 0; k < list_length(t->columns); k++)
				if (strcmp(((SigmaApiColumn *) list_nth(t->columns, k))->name, field->column) == 0)
					column = list_nth(t->columns, k);
			n++;
			EXPECT(column, "%s has no column %s", r->name, field->column);
			if (column && field->type != INT4OID && field->type != FLOAT8OID)
				EXPECT(column->type == field->type, "column %s of %s is of type %u", field->column, r->name, column->type);
		}
		EXPECT(list_length(t->columns) == n, "%s has other columns: %s", r->name, columns_of(t));
		if (r->parent && t->parent)
			EXPECT(strcmp(r->parent, t->parent) == 0, "the parent of %s is %s", r->name, t->parent);
	}
	tap_end();
}

/*
 * With the real one: all of its lists are known; and what the catalogue has is
 * made alike if the catalogue does not have it.
 */
static void
test_published(const char *file)
{
	FILE	   *in = fopen(file, "rb");
	char	   *text = palloc(SIGMA_MAX_OPENAPI_SIZE);
	SigmaSpan	span = {text, in ? fread(text, 1, SIGMA_MAX_OPENAPI_SIZE, in) : 0};
	const char *problem;
	List	   *gets = sigma_read_openapi(span, &problem);
	List	   *with = sigma_openapi_tables_of(gets, sigma_resources, sigma_nresources);
	List	   *without = sigma_openapi_tables_of(gets, NULL, 0);
	ListCell   *lc;

	if (in)
		fclose(in);
	tap_begin("descriptions: the published one");
	EXPECT(problem == NULL && list_length(gets) > 0, "%s: %s", file, problem);
	foreach(lc, with)
	{
		const SigmaApiTable *known = lfirst(lc);
		ListCell   *other;

		EXPECT(known->known, "%s is new", known->name);
		EXPECT(known->get || sigma_is_optional(known->known), "%s is gone", known->name);
		foreach(other, without)
		{
			const SigmaApiTable *made = lfirst(other);
			ListCell   *column;

			if (known->get != made->get || known->other_form || made->other_form)
				continue;
			if (!has_other_name(known->name) && known->known->other_path == NULL && known->known->flat == NULL)
				EXPECT(strcmp(known->name, made->name) == 0, "%s is %s", known->name, made->name);
			foreach(column, made->columns)
			{
				const SigmaApiColumn *c = lfirst(column);
				const SigmaField *field = sigma_find_field(known->known, c->name);

				if (field && c->type != NUMERICOID)
					EXPECT(field->type == c->type, "%s of %s is of type %u", c->name, known->name, c->type);
			}
		}
	}
	tap_end();
}

void
test_openapi(void)
{
	MemoryContext context = shim_context();
	const char *file = getenv("SIGMA_OPENAPI");

	test_refused();
	test_lists();
	test_types();
	test_tables();
	test_names();
	test_removed();
	if (file && file[0])
		test_published(file);
	MemoryContextDelete(context);
}

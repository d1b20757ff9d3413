/*-------------------------------------------------------------------------
 *
 * export.c
 *	  Exports of workbooks and reports, and the data behind elements.
 *
 * The rows stand in elements.jsonl, as text: numbers must stay as they are.
 * Those of the large element are made as they are asked for.  An export is
 * made when it is downloaded, so that it takes no memory until then.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "simulator.h"

#define MAX_ROWS 1000000		/* of one export */
#define LARGE "elLarge"

/* An element's rows: lines of elements.jsonl, or those that are made. */
typedef struct Element
{
	const char *id;				/* up to the end of its line */
	size_t		id_len;
	const char *rows;
	const char *end;
	int64_t		nrows;
} Element;

typedef struct Export
{
	struct Export *next;
	char		id[UUID_SIZE];
	char	   *workbook;		/* or the report */
	char	   *element;		/* NULL: a page, or all */
	char	   *page;
	char	   *format;
	cJSON	   *parameters;		/* or NULL */
	int64_t		limit;
	int64_t		offset;
	int64_t		serial;
	int64_t		ready_ms;
} Export;

/* How exports behave; "export" in a configuration. */
typedef struct Settings
{
	int64_t		ms;				/* until one is ready */
	int64_t		lifetime_ms;	/* and then until it is gone */
	int64_t		offset_base;	/* is the first row number 0 or 1? */
	int64_t		max_rows;
	bool		shuffled;		/* each export has an order of its own */
	char		refuses[32];	/* a format that is refused */
} Settings;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Settings settings;
static Export *exports;
static int64_t nexports;

static void
free_export(Export *export)
{
	free(export->workbook);
	free(export->element);
	free(export->page);
	free(export->format);
	cJSON_Delete(export->parameters);
	free(export);
}

void
export_free(void)
{
	pthread_mutex_lock(&mutex);
	while (exports)
	{
		Export	   *next = exports->next;

		free_export(exports);
		exports = next;
	}
	pthread_mutex_unlock(&mutex);
}

void
export_init(void)
{
	export_free();
	pthread_mutex_lock(&mutex);
	memset(&settings, 0, sizeof(settings));
	settings.lifetime_ms = 3600 * 1000;
	settings.max_rows = MAX_ROWS;
	pthread_mutex_unlock(&mutex);
}

/* What is wrong with the settings, or NULL; they are taken if nothing is. */
const char *
export_configure(const cJSON *config)
{
	const cJSON *given = cJSON_GetObjectItemCaseSensitive(config, "export");
	const cJSON *item;
	Settings	s;

	pthread_mutex_lock(&mutex);
	s = settings;
	pthread_mutex_unlock(&mutex);
	cJSON_ArrayForEach(item, given)
	{
		const struct
		{
			const char *name;
			int64_t    *into;
		}			numbers[] = {
			{"ms", &s.ms}, {"lifetime_ms", &s.lifetime_ms}, {"offset_base", &s.offset_base},
			{"max_rows", &s.max_rows},
		};
		bool		known = false;

		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			if (strcmp(item->string, numbers[i].name) == 0 && json_is_int(item, 0, 1e9))
			{
				*numbers[i].into = (int64_t) item->valuedouble;
				known = true;
			}
		if (strcmp(item->string, "shuffled") == 0 && cJSON_IsBool(item))
		{
			s.shuffled = cJSON_IsTrue(item);
			known = true;
		}
		if (strcmp(item->string, "refuses") == 0 && cJSON_IsString(item))
		{
			snprintf(s.refuses, sizeof(s.refuses), "%s", item->valuestring);
			known = true;
		}
		if (!known)
			return "export has ms, lifetime_ms, offset_base, max_rows, shuffled and refuses";
	}
	pthread_mutex_lock(&mutex);
	settings = s;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

/* --------------------------------------------------------------------- rows */

/* The rows of an element; false if it has no data. */
static bool
find_element(const char *id, Element *element)
{
	const char *line = elements_jsonl;

	memset(element, 0, sizeof(*element));
	if (strcmp(id, LARGE) == 0)
	{
		element->nrows = options.element_rows;
		return true;
	}
	while (line < elements_jsonl_end)
	{
		const char *end = strchr(line, '\n');

		if (element->id && line[0] == '@')
			break;
		if (element->id)
			element->nrows++;
		else if (line[0] == '@' && (size_t) (end - line - 2) == strlen(id) &&
				 memcmp(line + 2, id, strlen(id)) == 0)
		{
			element->id = line + 2;
			element->rows = end + 1;
		}
		line = end + 1;
	}
	element->end = line;
	return element->id != NULL;
}

static void
append_row(const Element *element, int64_t n, Buffer *into)
{
	static const char *const regions[] = {"EMEA", "APAC", "AMER", "LATAM"};

	if (element->rows == NULL)
		buffer_printf(into, "{\"N\":%" PRId64 ",\"Code\":\"code %" PRId64 "\",\"Amount\":%" PRId64 ".%02d,\"Region\":\"%s\"}",
					  n, n * 7919 % 1000003, n * 31, (int) (n % 100), regions[n % 4]);
	else
	{
		const char *line = element->rows;

		for (; n > 0; n--)
			line = strchr(line, '\n') + 1;
		buffer_append(into, line, strcspn(line, "\n"));
	}
}

/* Is a value one of those that a control is set to: "a,b", ":null", ":empty", "min:1,max:2"? */
static bool
value_passes(const cJSON *value, const char *wanted)
{
	char		text[256];
	bool		passes = false;
	char	   *copy = xstrdup(wanted);
	char	   *rest = copy;
	char	   *word;

	if (cJSON_IsString(value))
		snprintf(text, sizeof(text), "%s", value->valuestring[0] ? value->valuestring : ":empty");
	else if (cJSON_IsNumber(value))
		snprintf(text, sizeof(text), "%.15g", value->valuedouble);
	else if (cJSON_IsBool(value))
		snprintf(text, sizeof(text), "%s", cJSON_IsTrue(value) ? "true" : "false");
	else
		snprintf(text, sizeof(text), ":null");
	if (strncmp(wanted, "min:", 4) == 0)
	{
		const char *max = strstr(wanted, ",max:");

		passes = cJSON_IsNumber(value) &&
			(wanted[4] == ',' || wanted[4] == '\0' || value->valuedouble >= strtod(wanted + 4, NULL)) &&
			(max == NULL || max[5] == '\0' || value->valuedouble <= strtod(max + 5, NULL));
	}
	else
		while ((word = strsep(&rest, ",")) != NULL)
		{
			char	   *decoded = url_decode(word, strlen(word), false);

			passes = passes || strcmp(decoded, text) == 0;
			free(decoded);
		}
	free(copy);
	return passes;
}

/* The column that a control filters; NULL if there is no such control. */
static const char *
control_column(const char *workbook, const char *control)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, catalogue_collection("controls"))
	{
		const char *column = json_string(entry, "_column");

		if (same_identifier(json_string(entry, "_workbookId"), workbook) &&
			strcmp(json_string(entry, "name"), control) == 0)
			return column ? column : "";
	}
	return NULL;
}

static bool
row_passes(const Export *export, const char *text, size_t len)
{
	cJSON	   *row;
	const cJSON *parameter;
	bool		passes = true;

	if (export->parameters == NULL || export->parameters->child == NULL)
		return true;
	row = json_parse(text, len);
	cJSON_ArrayForEach(parameter, export->parameters)
	{
		const char *column = control_column(export->workbook, parameter->string);
		const cJSON *value = column ? cJSON_GetObjectItemCaseSensitive(row, column) : NULL;

		if (value)
			passes = passes && value_passes(value, parameter->valuestring);
	}
	cJSON_Delete(row);
	return passes;
}

/* A row of csv: NULL is an empty field, and numbers are rounded. */
static void
append_csv(Buffer *into, const char *text, size_t len, bool names)
{
	cJSON	   *row = json_parse(text, len);
	const cJSON *item;

	cJSON_ArrayForEach(item, row)
	{
		if (item != row->child)
			buffer_string(into, ",");
		if (names)
			buffer_string(into, item->string);
		else if (cJSON_IsNumber(item))
			buffer_printf(into, "%.2f", item->valuedouble);
		else if (cJSON_IsString(item))
			buffer_string(into, item->valuestring);
		else if (!cJSON_IsNull(item))
		{
			char	   *value = json_print(item);

			buffer_string(into, value);
			free(value);
		}
	}
	buffer_string(into, "\n");
	cJSON_Delete(row);
}

/* The file of an export of rows. */
static void
append_rows(const Export *export, const Element *element, Buffer *into)
{
	int64_t		left = export->limit;
	int64_t		skip = export->offset - settings.offset_base;
	bool		json = strcmp(export->format, "json") == 0;
	bool		csv = strcmp(export->format, "csv") == 0;
	bool		first = true;
	Buffer		row = {0};

	if (json)
		buffer_string(into, "[");
	for (int64_t i = 0; i < element->nrows && left > 0; i++)
	{
		/* each export begins elsewhere, and some of its rows are in another order */
		int64_t		n = settings.shuffled ? (i * 7919 % element->nrows + export->serial * 3) % element->nrows : i;

		if (skip > 0 && export->parameters == NULL)
		{
			skip--;
			continue;
		}
		row.len = 0;
		append_row(element, n, &row);
		if (!row_passes(export, row.data, row.len))
			continue;
		if (skip > 0)
		{
			skip--;
			continue;
		}
		if (csv && first)
			append_csv(into, row.data, row.len, true);
		if (json && !first)
			buffer_string(into, ",\n");
		if (csv)
			append_csv(into, row.data, row.len, false);
		else
			buffer_append(into, row.data, row.len);
		if (!json && !csv)
			buffer_string(into, "\n");
		first = false;
		left--;
	}
	if (json)
		buffer_string(into, "]");
	buffer_free(&row);
}

/* ----------------------------------------------------------------- requests */

static char *
copy_string(const cJSON *json, const char *name)
{
	const char *text = json_string(json, name);

	return text ? xstrdup(text) : NULL;
}

static int64_t
number_or(const cJSON *json, const char *name, int64_t otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	return cJSON_IsNumber(item) ? (int64_t) item->valuedouble : otherwise;
}

/* Is there an entry with this value among those of a workbook? */
static bool
exists(const char *collection, const char *parent_key, const char *parent, const char *key, const char *value)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, catalogue_collection(collection))
	{
		const char *parent_value = parent_key ? json_string(entry, parent_key) : NULL;

		if ((parent_key == NULL || (parent_value && same_identifier(parent_value, parent))) &&
			json_string(entry, key) && same_identifier(json_string(entry, key), value))
			return true;
	}
	return false;
}

/* What is wrong with a request for an export; replies, and returns true, if anything is. */
static bool
refuse(Request *req, Reply *reply, bool report)
{
	static const char *const formats[] = {"csv", "json", "jsonl", "xlsx", "pdf", "png"};
	const cJSON *format = cJSON_GetObjectItemCaseSensitive(req->json, "format");
	const char *type = json_string(format, "type");
	const char *element = json_string(req->json, "elementId");
	const char *page = json_string(req->json, "pageId");
	const cJSON *parameter;
	bool		known = false;

	for (size_t i = 0; type && i < sizeof(formats) / sizeof(formats[0]); i++)
		known = known || strcmp(type, formats[i]) == 0;
	if (!known || strcmp(type, settings.refuses) == 0 || (report && strcmp(type, "pdf") != 0))
		reply_invalid(req, reply, "Invalid value for: body (format.type)");
	else if (strcmp(type, "pdf") == 0 && json_string(format, "layout") == NULL)
		reply_invalid(req, reply, "Missing required field at 'body.format.layout'");
	else if (element && (report || !exists("elements", "_workbookId", req->param[0], "elementId", element)))
		reply_not_found(req, reply, "Element");
	else if (page && !report && !exists("pages", "_workbookId", req->param[0], "pageId", page))
		reply_not_found(req, reply, "Page");
	else
	{
		cJSON_ArrayForEach(parameter, cJSON_GetObjectItemCaseSensitive(req->json, "parameters"))
		{
			if (!cJSON_IsString(parameter))
			{
				reply_invalid(req, reply, "Invalid value for: body (parameters.%s)", parameter->string);
				return true;
			}
			if (!report && control_column(req->param[0], parameter->string) == NULL)
			{
				reply_invalid(req, reply, "Control %s does not exist", parameter->string);
				return true;
			}
		}
		return false;
	}
	return true;
}

static void
start_export(Request *req, Reply *reply, bool report)
{
	Export	   *export;
	cJSON	   *json;
	bool		ready;

	if (!body_object(req, reply) || refuse(req, reply, report))
		return;
	export = xmalloc(sizeof(Export));
	memset(export, 0, sizeof(*export));
	make_id("query", nexports, export->id);
	export->workbook = xstrdup(req->param[0]);
	export->element = copy_string(req->json, "elementId");
	export->page = copy_string(req->json, "pageId");
	export->format = copy_string(cJSON_GetObjectItemCaseSensitive(req->json, "format"), "type");
	export->parameters = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(req->json, "parameters"), true);
	pthread_mutex_lock(&mutex);
	export->limit = number_or(req->json, "rowLimit", settings.max_rows);
	if (export->limit > settings.max_rows)
		export->limit = settings.max_rows;
	/* without an offset it begins with the first row, whatever its number is */
	export->offset = number_or(req->json, "offset", settings.offset_base);
	export->serial = nexports++;
	export->ready_ms = monotonic_ms() + settings.ms;
	ready = settings.ms == 0;
	export->next = exports;
	exports = export;
	pthread_mutex_unlock(&mutex);

	json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "queryId", export->id);
	cJSON_AddBoolToObject(json, "jobComplete", ready);
	reply_set_json(reply, 200, json);
}

/* POST /v2/workbooks/{workbookId}/export */
void
export_workbook(Request *req, Reply *reply)
{
	if (exists("workbooks", NULL, NULL, "workbookId", req->param[0]))
		start_export(req, reply, false);
	else
		reply_not_found(req, reply, "Workbook");
}

/* POST /v2/reports/{reportId}/export */
void
export_report(Request *req, Reply *reply)
{
	if (exists("reports", NULL, NULL, "reportId", req->param[0]))
		start_export(req, reply, true);
	else
		reply_not_found(req, reply, "Report");
}

static void
reply_type(Reply *reply, const char *type)
{
	free(reply->content_type);
	reply->content_type = xstrdup(type);
}

/* What looks like a picture, a document or a sheet, and says what it is of. */
static void
append_file(const Export *export, Reply *reply)
{
	static const struct
	{
		const char *format;
		const char *type;
		const char *magic;
		size_t		len;
	}			files[] = {
		{"pdf", "application/pdf", "%PDF-1.7\n", 9},
		{"png", "image/png", "\x89PNG\r\n\x1a\n", 8},
		{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK\003\004\0\0", 6},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
	{
		if (strcmp(export->format, files[i].format) != 0)
			continue;
		reply_type(reply, files[i].type);
		buffer_append(&reply->body, files[i].magic, files[i].len);
	}
	buffer_printf(&reply->body, "%s of %s%s%s", export->format, export->workbook,
				  export->element || export->page ? "/" : "",
				  export->element ? export->element : export->page ? export->page : "");
}

static void
send_file(Request *req, Reply *reply, const Export *export)
{
	bool		rows = strncmp(export->format, "json", 4) == 0 || strcmp(export->format, "csv") == 0;
	Element		element;

	reply->status = 200;
	if (!rows)
	{
		append_file(export, reply);
		return;
	}
	/* a pivot table with totals cannot be exported as csv */
	if (export->element == NULL || !find_element(export->element, &element) ||
		(strcmp(export->element, "elPivot") == 0 && strcmp(export->format, "csv") == 0))
	{
		reply_error(req, reply, 500, "internal_error", "Something went wrong");
		return;
	}
	append_rows(export, &element, &reply->body);
	reply_type(reply, strcmp(export->format, "csv") == 0 ? "text/csv; charset=utf-8" :
			   strcmp(export->format, "json") == 0 ? "application/json" : "application/jsonl");
}

/* GET /v2/query/{queryId}/download */
void
export_download(Request *req, Reply *reply)
{
	const Export *export;
	int64_t		left;

	pthread_mutex_lock(&mutex);
	for (export = exports; export; export = export->next)
		if (same_identifier(export->id, req->param[0]))
			break;
	left = export ? export->ready_ms - monotonic_ms() : 0;
	if (export == NULL || left + settings.lifetime_ms < 0)
		reply_not_found(req, reply, "Query");
	/* at first nobody knows of it, and then it is not ready */
	else if (left > settings.ms / 2)
		reply_not_found(req, reply, "Query");
	else if (left > 0)
		reply->status = 204;
	else
		send_file(req, reply, export);
	pthread_mutex_unlock(&mutex);
}

/*-------------------------------------------------------------------------
 *
 * fault.c
 *	  The rules that say which requests are to be spoilt.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "simulator.h"

typedef struct Fault
{
	struct Fault *next;
	cJSON	   *rule;			/* as the test gave it */
	long		seen;			/* matching requests so far */
	long		fired;
} Fault;

static pthread_mutex_t fault_lock = PTHREAD_MUTEX_INITIALIZER;
static Fault *faults;			/* in the order given */

static double
number_or(const cJSON *rule, const char *key, double otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(rule, key);

	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static bool
path_matches(const char *pattern, const char *path)
{
	size_t		len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, path, len - 1) == 0;
	return strcmp(pattern, path) == 0;
}

static bool
fault_matches(const Fault *fault, Request *req)
{
	const char *method = json_string(fault->rule, "method");
	const char *path = json_string(fault->rule, "path");
	const char *query = json_string(fault->rule, "query");
	const char *page = json_string(fault->rule, "page");
	const char *asked = query_value(req, "page");

	if (page && strcmp(page, "*") != 0 && strcmp(page, asked ? asked : "") != 0)
		return false;
	if (method && strcmp(method, "*") != 0 && strcmp(method, req->method) != 0)
		return false;
	if (path && !path_matches(path, req->path))
		return false;
	return query == NULL || strstr(req->query, query) != NULL;
}

/*
 * See whether a fault is due for this request; the first rule that is counts.
 * A rule counts the requests that match it, unless a rule before it took them.
 */
void
fault_take(Request *req)
{
	pthread_mutex_lock(&fault_lock);
	for (Fault *fault = faults; fault; fault = fault->next)
	{
		double		times = number_or(fault->rule, "times", 1);

		if (!fault_matches(fault, req))
			continue;
		fault->seen++;
		if ((double) fault->seen <= number_or(fault->rule, "after", 0))
			continue;
		if (times >= 0 && (double) fault->fired >= times)
			continue;
		fault->fired++;
		req->fault = cJSON_Duplicate(fault->rule, true);
		req->fault_name = xstrdup(json_string(fault->rule, "do"));
		break;
	}
	pthread_mutex_unlock(&fault_lock);
}

/* Add a rule; returns what is wrong with it, or NULL. */
const char *
fault_add(const cJSON *rule)
{
	static const char *const numbers[] = {"after", "times"};
	static const char *const strings[] = {"method", "path", "query", "page"};
	const char *problem;
	Fault	   *fault;
	Fault	  **end = &faults;

	if (!cJSON_IsObject(rule))
		return "a fault must be a JSON object";
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(rule, numbers[i]);

		if (item && !cJSON_IsNumber(item))
			return "after and times must be numbers";
	}
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
	{
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(rule, strings[i]);

		if (item && !cJSON_IsString(item))
			return "method, path, query and page must be strings";
	}
	problem = misbehave_check(rule);
	if (problem)
		return problem;

	fault = xmalloc(sizeof(Fault));
	fault->rule = cJSON_Duplicate(rule, true);
	pthread_mutex_lock(&fault_lock);
	while (*end)
		end = &(*end)->next;
	*end = fault;
	pthread_mutex_unlock(&fault_lock);
	return NULL;
}

cJSON *
fault_list(void)
{
	cJSON	   *json = cJSON_CreateObject();
	cJSON	   *entries = cJSON_AddArrayToObject(json, "entries");

	pthread_mutex_lock(&fault_lock);
	for (Fault *fault = faults; fault; fault = fault->next)
	{
		cJSON	   *entry = cJSON_Duplicate(fault->rule, true);

		json_set(entry, "seen", cJSON_CreateNumber((double) fault->seen));
		json_set(entry, "fired", cJSON_CreateNumber((double) fault->fired));
		cJSON_AddItemToArray(entries, entry);
	}
	pthread_mutex_unlock(&fault_lock);
	return json;
}

void
fault_clear(void)
{
	Fault	   *fault;

	pthread_mutex_lock(&fault_lock);
	fault = faults;
	faults = NULL;
	pthread_mutex_unlock(&fault_lock);
	while (fault)
	{
		Fault	   *next = fault->next;

		cJSON_Delete(fault->rule);
		free(fault);
		fault = next;
	}
}

/*-------------------------------------------------------------------------
 *
 * seed.c
 *	  The connections that the organization starts with.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "simulator.h"

static const char *const types[] = {
	"snowflake", "postgres", "databricks", "bigQuery", "redshift",
	"mysql", "azuresql", "sqlserver", "starburst", "alloydb"
};

static const char *const subjects[] = {
	"Sales", "Finance", "Marketing", "Orders", "Inventory", "Support", "Payroll"
};

#define NTYPES		((int64_t) (sizeof(types) / sizeof(types[0])))
#define NSUBJECTS	((int64_t) (sizeof(subjects) / sizeof(subjects[0])))

/* The small organization's connections stand in organization.json. */
void
seed_connections(void)
{
	const cJSON *seed;
	cJSON	   *catalogue = catalogue_parse();

	cJSON_ArrayForEach(seed, cJSON_GetObjectItemCaseSensitive(catalogue, "connections"))
	{
		cJSON	   *entry = cJSON_Duplicate(seed, true);
		cJSON	   *details = cJSON_DetachItemFromObjectCaseSensitive(entry, "details");

		store_add(entry, details, false);
	}
	cJSON_Delete(catalogue);
}

const char *
seed_generated_type(int64_t n)
{
	return types[n % NTYPES];
}

void
seed_generated_name(int64_t n, char *name, size_t size)
{
	snprintf(name, size, "%s %s %07lld", subjects[n % NSUBJECTS], types[n % NTYPES],
			 (long long) n);
}

/* Write the n-th generated connection; about 800 bytes. */
void
seed_generated(int64_t n, Buffer *into)
{
	char		organization[UUID_SIZE];
	char		id[UUID_SIZE];
	char		user[UUID_SIZE];
	char		name[128];
	bool		snowflake = n % NTYPES == 0;
	int			day = (int) (n % 28) + 1;
	int			month = (int) (n % 12) + 1;
	int			hour = (int) (n % 24);

	make_id("organization", 0, organization);
	make_id("connection", n, id);
	make_id("member", n % 7, user);
	seed_generated_name(n, name, sizeof(name));
	buffer_printf(into,
				  "{\"organizationId\":\"%s\",\"connectionId\":\"%s\","
				  "\"isSample\":false,\"isAuditLog\":false,"
				  "\"lastActiveAt\":\"2025-%02d-%02dT%02d:30:00.000Z\","
				  "\"name\":\"%s\",\"type\":\"%s\",\"useOauth\":false,"
				  "\"createdBy\":\"%s\",\"updatedBy\":\"%s\","
				  "\"createdAt\":\"2024-%02d-%02dT%02d:00:00.000Z\","
				  "\"updatedAt\":\"2024-%02d-%02dT%02d:45:00.000Z\",\"isArchived\":false,",
				  organization, id, month, day, hour, name, seed_generated_type(n),
				  user, user, month, day, hour, month, day, hour);
	if (snowflake)
		buffer_printf(into,
					  "\"account\":\"acct%04lld\","
					  "\"host\":\"acct%04lld.snowflakecomputing.com\","
					  "\"warehouse\":\"WH_%lld\",\"role\":\"SIGMA_ROLE\",",
					  (long long) n % 1000, (long long) n % 1000, (long long) n % 50);
	buffer_printf(into,
				  "\"user\":\"svc_%lld\",\"timeout\":{\"default\":%d,\"worksheet\":120},"
				  "\"poolSizes\":{\"isPoolConfigured\":true,\"adhocPoolSize\":%d,"
				  "\"catalogPoolSize\":4,\"resultPoolSize\":4,\"schedulePoolSize\":8},"
				  "\"writeAccess\":%s,\"friendlyName\":%s",
				  (long long) n % 100, 60 + (int) (n % 5) * 30, 4 + (int) (n % 8),
				  n % 3 == 0 ? "true" : "false", n % 2 == 0 ? "true" : "false");
	if (n % 3 == 0)
		buffer_printf(into,
					  ",\"writebacks\":[{\"database\":\"WRITEBACK\",\"schema\":\"S_%lld\"}]",
					  (long long) n % 20);
	buffer_string(into, "}");
}

/*-------------------------------------------------------------------------
 *
 * endpoint.c
 *	  The endpoints that only show a collection of the catalogue.
 *
 * One table says which endpoint shows which collection, which entries of it,
 * and in which of the API's ways of paging.
 *
 * The caller holds the organization lock.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "simulator.h"

typedef enum Style
{
	STYLE_PAGES,				/* page, limit: nextPage is null at the end */
	STYLE_TOKENS,				/* pageToken, pageSize: nextPageToken is absent */
	STYLE_ARRAY_OR_PAGES,		/* a bare array unless page or limit is sent */
	STYLE_ENTRIES_OR_PAGES,		/* only the entries unless either is sent */
	STYLE_ARRAY,				/* a bare array; page and limit are refused */
	STYLE_ONE					/* the one entry that has the keys */
} Style;

typedef enum FilterKind
{
	FILTER_NONE,
	FILTER_CONTAINS,			/* a field has the text in it, in any case */
	FILTER_EQUALS,				/* a field is one of the values given, in any case */
	FILTER_REFUSED,				/* a parameter that has been removed */
	FILTER_SHOW,				/* entries with the flag appear if it is true */
	FILTER_FLAG,				/* the flag has this value */
	FILTER_FLAG_OR_NOT,			/* the same, and false if it is not given */
	FILTER_INODE				/* a grant is of this thing, or of a folder above it */
} FilterKind;

typedef struct Filter
{
	const char *param;
	FilterKind	kind;
	const char *fields[3];
} Filter;

typedef struct Endpoint
{
	const char *pattern;
	Style		style;
	const char *collection;
	const char *keys[2];		/* must match the path's parameters */
	const Filter *filters;
	const char *parent;			/* collection that must have the first parameter ... */
	const char *parent_key;		/* ... under this key */
	const char *reveal;			/* hidden key that is shown after all ... */
	const char *reveal_if;		/* ... if this parameter is true; NULL: always */
	const char *each;			/* hidden array: the value for each of those in the first key's array */
	const char *rename[2];		/* a field that has another name here, and that name */
	const char *bare;			/* entries are no objects, but the values of this field */
	ApiVersion	only;			/* the version that has it; 0: all */
	unsigned int none;			/* status if there is no entry in 2026; 0: 404, or an empty list */
} Endpoint;

#define END_OF_FILTERS {NULL, FILTER_NONE, {NULL}}

static const Filter member_filters[] = {
	{"search", FILTER_REFUSED, {NULL}},
	{"email", FILTER_EQUALS, {"email"}},
	{"includeArchived", FILTER_SHOW, {"isArchived"}},
	{"includeInactive", FILTER_SHOW, {"isInactive"}}, END_OF_FILTERS
};
static const Filter older_member_filters[] = {
	{"search", FILTER_CONTAINS, {"firstName", "lastName", "email"}},
	{"includeArchived", FILTER_SHOW, {"isArchived"}},
	{"includeInactive", FILTER_SHOW, {"isInactive"}}, END_OF_FILTERS
};
static const Filter team_filters[] = {
	{"name", FILTER_CONTAINS, {"name"}},
	{"description", FILTER_CONTAINS, {"description"}},
	{"visibility", FILTER_EQUALS, {"visibility"}}, END_OF_FILTERS
};
static const Filter file_filters[] = {
	{"name", FILTER_CONTAINS, {"name"}},
	{"permissionFilter", FILTER_EQUALS, {"permission"}},
	{"typeFilters", FILTER_EQUALS, {"type"}},
	{"parentId", FILTER_EQUALS, {"parentId"}}, END_OF_FILTERS
};
static const Filter grant_filters[] = {
	{"inodeId", FILTER_INODE, {"inodeId"}},
	{"teamId", FILTER_EQUALS, {"teamId"}},
	{"userId", FILTER_EQUALS, {"memberId"}}, END_OF_FILTERS
};
static const Filter name_filters[] = {
	{"name", FILTER_CONTAINS, {"name"}},
	{"search", FILTER_CONTAINS, {"name"}}, END_OF_FILTERS
};
static const Filter workspace_filters[] = {
	{"name", FILTER_CONTAINS, {"name"}},
	{"exactName", FILTER_EQUALS, {"name"}}, END_OF_FILTERS
};
static const Filter template_filters[] = {
	{"search", FILTER_CONTAINS, {"name"}},
	{"source", FILTER_EQUALS, {"_source"}}, END_OF_FILTERS
};
static const Filter workbook_filters[] = {
	{"isArchived", FILTER_FLAG_OR_NOT, {"isArchived"}},
	{"skipPermissionCheck", FILTER_SHOW, {"_unshared"}}, END_OF_FILTERS
};
static const Filter sharing_filters[] = {
	{"skipPermissionCheck", FILTER_SHOW, {"_unshared"}}, END_OF_FILTERS
};
static const Filter share_filters[] = {
	{"pending", FILTER_FLAG, {"pending"}}, END_OF_FILTERS
};
static const Filter api_filters[] = {
	{"name", FILTER_CONTAINS, {"name"}},
	{"orderBy", FILTER_NONE, {NULL}}, END_OF_FILTERS
};
static const Filter deployable_filters[] = {
	{"search", FILTER_CONTAINS, {"tenantOrganizationSlug", "tenantOrganizationName"}}, END_OF_FILTERS
};
static const Filter tenant_filters[] = {
	{"search", FILTER_CONTAINS, {"tenantOrganizationSlug", "createdBy"}}, END_OF_FILTERS
};

#define WORKBOOK "/v2/workbooks/{}"
#define DATA_MODEL "/v2/dataModels/{}"
#define REPORT "/v2/reports/{}"
#define KEYS(...) .keys = {__VA_ARGS__}
#define PARENT(c, k) .parent = c, .parent_key = k

/* The first that matches counts. */
static const Endpoint endpoints[] = {
	{"/v2/members", STYLE_ARRAY_OR_PAGES, .collection = "members",
		.filters = older_member_filters, .only = API_2025_11},
	{"/v2/members", STYLE_ARRAY_OR_PAGES, .collection = "members", .filters = member_filters},
	{"/v2.1/members", STYLE_PAGES, .collection = "members", .filters = older_member_filters,
		.only = API_2025_11},
	{"/v2.1/members", STYLE_PAGES, .collection = "members", .filters = member_filters},
	{"/v2/members/{}", STYLE_ONE, .collection = "members", KEYS("memberId")},
	{"/v2/members/{}/teams", STYLE_PAGES, .collection = "teams", KEYS("_members"),
		PARENT("members", "memberId")},
	{"/v2/members/{}/schedules", STYLE_PAGES, .collection = "memberSchedules", KEYS("_memberId"),
		PARENT("members", "memberId"), .only = API_2026_08},
	{"/v2/members/{}/files", STYLE_PAGES, .collection = "files", KEYS("_members"),
		PARENT("members", "memberId"), .filters = file_filters},
	{"/v2/members/{}/files/favorites", STYLE_PAGES, .collection = "files", KEYS("_favoriteOf"),
		PARENT("members", "memberId")},
	{"/v2/favorites/member/{}", STYLE_PAGES, .collection = "files", KEYS("_favoriteOf"),
		PARENT("members", "memberId")},
	{"/v2/members/{}/files/recents", STYLE_PAGES, .collection = "files", KEYS("_recentOf"),
		PARENT("members", "memberId"), .each = "_lastInteractionAt"},
	{"/v2/teams", STYLE_ARRAY_OR_PAGES, .collection = "teams", .filters = team_filters},
	{"/v2.1/teams", STYLE_PAGES, .collection = "teams", .filters = team_filters},
	{"/v2/teams/{}", STYLE_ONE, .collection = "teams", KEYS("teamId"), .reveal = "_members"},
	{"/v2/teams/{}/members", STYLE_PAGES, .collection = "teamMembers", KEYS("_teamId"),
		PARENT("teams", "teamId")},
	{"/v2/teams/{}/user-attributes", STYLE_PAGES, .collection = "teamAttributes",
		KEYS("_teamId"), PARENT("teams", "teamId")},
	{"/v2/workspaces", STYLE_ARRAY_OR_PAGES, .collection = "workspaces",
		.filters = name_filters, .only = API_2025_11},
	{"/v2.1/workspaces", STYLE_PAGES, .collection = "workspaces", .filters = name_filters,
		.only = API_2025_11},
	{"/v2/workspaces", STYLE_ARRAY_OR_PAGES, .collection = "workspaces",
		.filters = workspace_filters},
	{"/v2.1/workspaces", STYLE_PAGES, .collection = "workspaces", .filters = workspace_filters},
	{"/v2/workspaces/{}", STYLE_ONE, .collection = "workspaces", KEYS("workspaceId")},
	{"/v2/workspaces/{}/grants", STYLE_PAGES, .collection = "grants", KEYS("inodeId"),
		PARENT("workspaces", "workspaceId")},
	{"/v2/files", STYLE_PAGES, .collection = "files", .filters = file_filters},
	{"/v2/files/{}", STYLE_ONE, .collection = "files", KEYS("id")},
	{"/v2/grants", STYLE_PAGES, .collection = "grants", .filters = grant_filters},
	{"/v2/grants/{}", STYLE_ONE, .collection = "grants", KEYS("grantId")},
	{"/v2/workbooks", STYLE_PAGES, .collection = "workbooks", .filters = workbook_filters},
	{WORKBOOK, STYLE_ONE, .collection = "workbooks", KEYS("workbookId"),
		.reveal = "_taggedSourceUrlId", .reveal_if = "includeTaggedSourceUrlId"},
	{WORKBOOK "/pages", STYLE_PAGES, .collection = "pages", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId")},
	{WORKBOOK "/pages/{}/elements", STYLE_PAGES, .collection = "elements",
		KEYS("_workbookId", "_pageId"), PARENT("workbooks", "workbookId")},
	{WORKBOOK "/elements", STYLE_PAGES, .collection = "elements", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId"), .only = API_2026_08},
	{WORKBOOK "/columns", STYLE_PAGES, .collection = "elementColumns", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId"), .reveal = "_elementId", .rename = {"label", "name"},
		.only = API_2026_08},
	{WORKBOOK "/lineage", STYLE_PAGES, .collection = "workbookLineage", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId"), .only = API_2026_08, .none = 400},
	{WORKBOOK "/spec", STYLE_ONE, .collection = "workbookSpecs", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId"), .only = API_2026_08},
	{WORKBOOK "/elements/{}/columns", STYLE_PAGES, .collection = "elementColumns",
		KEYS("_workbookId", "_elementId"), PARENT("workbooks", "workbookId")},
	{WORKBOOK "/elements/{}/query", STYLE_ONE, .collection = "queries",
		KEYS("_workbookId", "elementId")},
	{WORKBOOK "/queries", STYLE_PAGES, .collection = "queries", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId")},
	{WORKBOOK "/sources", STYLE_ARRAY, .collection = "workbookSources", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId")},
	{WORKBOOK "/lineage/elements/{}", STYLE_ONE, .collection = "lineage",
		KEYS("_workbookId", "_elementId"), PARENT("workbooks", "workbookId"), .none = 500},
	{WORKBOOK "/controls", STYLE_PAGES, .collection = "controls", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId")},
	{WORKBOOK "/bookmarks", STYLE_PAGES, .collection = "bookmarks", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId")},
	{WORKBOOK "/bookmarks/{}", STYLE_ONE, .collection = "bookmarks",
		KEYS("_workbookId", "bookmarkId")},
	{WORKBOOK "/schedules", STYLE_ARRAY_OR_PAGES, .collection = "schedules",
		KEYS("workbookId"), PARENT("workbooks", "workbookId")},
	{"/v2.1/workbooks/{}/schedules", STYLE_PAGES, .collection = "schedules",
		KEYS("workbookId"), PARENT("workbooks", "workbookId")},
	{WORKBOOK "/materialization-schedules", STYLE_ENTRIES_OR_PAGES,
		.collection = "materializationSchedules", KEYS("_workbookId"), PARENT("workbooks", "workbookId")},
	{"/v2.1/workbooks/{}/materialization-schedules", STYLE_PAGES,
		.collection = "materializationSchedules", KEYS("_workbookId"), PARENT("workbooks", "workbookId")},
	{WORKBOOK "/materializations/{}", STYLE_ONE, .collection = "materializations",
		KEYS("_workbookId", "materializationId")},
	{WORKBOOK "/embeds", STYLE_PAGES, .collection = "embeds", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId")},
	{WORKBOOK "/tags", STYLE_PAGES, .collection = "workbookTags", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId")},
	{WORKBOOK "/tags/{}/bookmarks", STYLE_PAGES, .collection = "tagBookmarks",
		KEYS("_workbookId", "_tagName"), PARENT("workbooks", "workbookId")},
	{WORKBOOK "/version-history", STYLE_PAGES, .collection = "versions", KEYS("_workbookId"),
		PARENT("workbooks", "workbookId")},
	{WORKBOOK "/schema", STYLE_ONE, .collection = "workbookSchemas", KEYS("workbookId")},
	{"/v2/tags", STYLE_PAGES, .collection = "tags", .filters = name_filters},
	{"/v2/tags/{}/workbooks", STYLE_PAGES, .collection = "workbooks", KEYS("_tags"),
		PARENT("tags", "versionTagId"), .reveal = "_taggedSourceUrlId"},
	{"/v2/datasets", STYLE_PAGES, .collection = "datasets", .filters = sharing_filters},
	{"/v2/datasets/{}", STYLE_ONE, .collection = "datasets", KEYS("datasetId")},
	{"/v2/datasets/{}/grants", STYLE_PAGES, .collection = "grants", KEYS("inodeId"),
		PARENT("datasets", "datasetId")},
	{"/v2/datasets/{}/materialization", STYLE_PAGES, .collection = "datasetMaterializations",
		KEYS("_datasetId"), PARENT("datasets", "datasetId")},
	{"/v2/datasets/{}/sources", STYLE_ARRAY, .collection = "datasetSources",
		KEYS("_datasetId"), PARENT("datasets", "datasetId")},
	{"/v2/dataModels", STYLE_PAGES, .collection = "dataModels", .filters = sharing_filters},
	{"/v2/dataModels/{}", STYLE_ONE, .collection = "dataModels", KEYS("dataModelId")},
	{"/v2/dataModels/{}/materializationSchedules", STYLE_TOKENS, .collection = "dataModelSchedules",
		KEYS("_dataModelId"), PARENT("dataModels", "dataModelId")},
	{"/v2/dataModels/{}/materializations/{}", STYLE_ONE, .collection = "dataModelMaterializations",
		KEYS("_dataModelId", "materializationId")},
	{"/v2/dataModels/{}/sources", STYLE_TOKENS, .collection = "dataModelSources",
		KEYS("_dataModelId"), PARENT("dataModels", "dataModelId")},
	{DATA_MODEL "/elements", STYLE_PAGES, .collection = "dataModelElements", KEYS("_dataModelId"),
		PARENT("dataModels", "dataModelId"), .only = API_2026_08},
	{DATA_MODEL "/columns", STYLE_PAGES, .collection = "dataModelColumns", KEYS("_dataModelId"),
		PARENT("dataModels", "dataModelId"), .only = API_2026_08},
	{DATA_MODEL "/lineage", STYLE_PAGES, .collection = "dataModelLineage", KEYS("_dataModelId"),
		PARENT("dataModels", "dataModelId"), .only = API_2026_08, .none = 400},
	{DATA_MODEL "/spec", STYLE_ONE, .collection = "dataModelSpecs", KEYS("_dataModelId"),
		PARENT("dataModels", "dataModelId"), .only = API_2026_08},
	{DATA_MODEL "/tags", STYLE_PAGES, .collection = "dataModelTags", KEYS("_dataModelId"),
		PARENT("dataModels", "dataModelId"), .only = API_2026_08},
	{"/v2/reports", STYLE_PAGES, .collection = "reports", .filters = workbook_filters,
		.only = API_2026_08},
	{REPORT, STYLE_ONE, .collection = "reports", KEYS("reportId"), .only = API_2026_08},
	{REPORT "/pages", STYLE_TOKENS, .collection = "reportPages", KEYS("_reportId"),
		PARENT("reports", "reportId"), .only = API_2026_08},
	{REPORT "/pages/{}/elements", STYLE_TOKENS, .collection = "reportElements",
		KEYS("_reportId", "_pageId"), PARENT("reports", "reportId"), .only = API_2026_08},
	{REPORT "/elements", STYLE_TOKENS, .collection = "reportElements", KEYS("_reportId"),
		PARENT("reports", "reportId"), .only = API_2026_08},
	{REPORT "/elements/{}/columns", STYLE_TOKENS, .collection = "reportColumns",
		KEYS("_reportId", "elementId"), PARENT("reports", "reportId"), .rename = {"name", "label"},
		.only = API_2026_08},
	{REPORT "/elements/{}/query", STYLE_ONE, .collection = "reportQueries",
		KEYS("_reportId", "elementId"), .only = API_2026_08},
	{REPORT "/columns", STYLE_TOKENS, .collection = "reportColumns", KEYS("_reportId"),
		PARENT("reports", "reportId"), .only = API_2026_08},
	{REPORT "/queries", STYLE_TOKENS, .collection = "reportQueries", KEYS("_reportId"),
		PARENT("reports", "reportId"), .only = API_2026_08},
	{REPORT "/lineage", STYLE_TOKENS, .collection = "reportLineage", KEYS("_reportId"),
		PARENT("reports", "reportId"), .only = API_2026_08, .none = 400},
	{REPORT "/sources", STYLE_ARRAY, .collection = "reportSources", KEYS("_reportId"),
		PARENT("reports", "reportId"), .only = API_2026_08},
	{REPORT "/controls", STYLE_TOKENS, .collection = "reportControls", KEYS("_reportId"),
		PARENT("reports", "reportId"), .only = API_2026_08},
	{REPORT "/tags", STYLE_TOKENS, .collection = "reportTags", KEYS("_reportId"),
		PARENT("reports", "reportId"), .only = API_2026_08},
	{REPORT "/version-history", STYLE_TOKENS, .collection = "reportVersions", KEYS("_reportId"),
		PARENT("reports", "reportId"), .only = API_2026_08},
	{REPORT "/spec", STYLE_ONE, .collection = "reportSpecs", KEYS("_reportId"),
		PARENT("reports", "reportId"), .only = API_2026_08},
	{REPORT "/schedules", STYLE_PAGES, .collection = "reportSchedules", KEYS("reportId"),
		PARENT("reports", "reportId"), .only = API_2026_08},
	{"/v2/connections/tables/{}/columns", STYLE_TOKENS, .collection = "tableColumns",
		KEYS("_tableId"), PARENT("connectionPaths", "urlId")},
	{"/v2/templates", STYLE_PAGES, .collection = "templates", .filters = template_filters},
	{"/v2/templates/{}", STYLE_ONE, .collection = "templates", KEYS("templateId")},
	{"/v2/shared_templates/shared_with_you", STYLE_PAGES, .collection = "sharedTemplates",
		.filters = share_filters},
	{"/v2/user-attributes", STYLE_PAGES, .collection = "userAttributes",
		.filters = name_filters},
	{"/v2/user-attributes/{}", STYLE_ONE, .collection = "userAttributes",
		KEYS("userAttributeId")},
	{"/v2/user-attributes/{}/teams", STYLE_PAGES, .collection = "attributeTeams",
		KEYS("_userAttributeId"), PARENT("userAttributes", "userAttributeId")},
	{"/v2/user-attributes/{}/users", STYLE_PAGES, .collection = "attributeUsers",
		KEYS("_userAttributeId"), PARENT("userAttributes", "userAttributeId")},
	{"/v2/user-attributes/{}/tenants", STYLE_PAGES, .collection = "attributeTenants",
		KEYS("_userAttributeId"), PARENT("userAttributes", "userAttributeId"), .only = API_2026_08},
	{"/v2/accountTypes", STYLE_TOKENS, .collection = "accountTypes"},
	{"/v2/accountTypes/{}/permissions", STYLE_ARRAY, .collection = "accountTypePermissions",
		KEYS("_accountTypeId"), PARENT("accountTypes", "accountTypeId")},
	{"/v2/translations/organization", STYLE_PAGES, .collection = "translations"},
	{"/v2/translations/organization/{}", STYLE_ONE, .collection = "translationTexts",
		KEYS("_lng")},
	{"/v2/translations/organization/{}/{}", STYLE_ONE, .collection = "translationTexts",
		KEYS("_lng", "_variant")},
	{"/v2/tenants", STYLE_TOKENS, .collection = "tenants", .filters = tenant_filters,
		.only = API_2026_08},
	{"/v2/tenants/{}", STYLE_ONE, .collection = "tenants", KEYS("tenantOrganizationId"),
		.only = API_2026_08},
	{"/v2/tenants/{}/capabilities/deployments", STYLE_TOKENS, .collection = "tenantCapabilities",
		KEYS("_tenantId"), PARENT("tenants", "tenantOrganizationId"), .only = API_2026_08},
	{"/v2/deploymentPolicies", STYLE_TOKENS, .collection = "deploymentPolicies", .only = API_2026_08},
	{"/v2/deploymentPolicies/tenants", STYLE_TOKENS, .collection = "deployableTenants",
		.filters = deployable_filters, .only = API_2026_08},
	{"/v2/deploymentPolicies/{}", STYLE_ONE, .collection = "deploymentPolicies",
		KEYS("deploymentPolicyId"), .only = API_2026_08},
	{"/v2/deploymentPolicies/{}/files", STYLE_TOKENS, .collection = "deploymentPolicyFiles",
		KEYS("deploymentPolicyId"), PARENT("deploymentPolicies", "deploymentPolicyId"),
		.only = API_2026_08},
	{"/v2/deploymentPolicies/{}/tenants", STYLE_TOKENS, .collection = "deploymentPolicyTenants",
		KEYS("_deploymentPolicyId"), PARENT("deploymentPolicies", "deploymentPolicyId"),
		.bare = "tenantOrganizationId", .only = API_2026_08},
	{"/v2/sourceSwapPolicies", STYLE_PAGES, .collection = "swapPolicies", .only = API_2026_08},
	{"/v2/sourceSwapPolicies/{}", STYLE_ONE, .collection = "swapPolicies", KEYS("policyId"),
		.only = API_2026_08},
	{"/v2/saml/service-providers", STYLE_TOKENS, .collection = "samlProviders", .only = API_2026_08},
	{"/v2/saml/service-providers/{}/certificates", STYLE_TOKENS, .collection = "samlCertificates",
		KEYS("samlServiceProviderId"), PARENT("samlProviders", "samlServiceProviderId"),
		.only = API_2026_08},
	{"/v2/saml/service-providers/{}/certificates/{}", STYLE_ONE, .collection = "samlCertificates",
		KEYS("samlServiceProviderId", "samlServiceProviderCertificateId"), .only = API_2026_08},
	{"/v2/api-connectors", STYLE_TOKENS, .collection = "apiConnectors", .filters = api_filters,
		.only = API_2026_08},
	{"/v2/api-credentials", STYLE_TOKENS, .collection = "apiCredentials", .filters = api_filters,
		.only = API_2026_08},
	{"/v2/organizations/settings/{}", STYLE_ONE, .collection = "settings", KEYS("_name"),
		.only = API_2026_08},
	{"/v2/plugins", STYLE_TOKENS, .collection = "plugins", .only = API_2026_08},
	{"/v2/credentials", STYLE_PAGES, .collection = "credentials", .only = API_2026_08},
	{"/v3alpha/allowedIps", STYLE_TOKENS, .collection = "allowedIps", .only = API_2025_11},
	{"/v3alpha/tenants", STYLE_TOKENS, .collection = "tenants", .filters = tenant_filters,
		.only = API_2025_11},
	{"/v3alpha/tenants/{}", STYLE_ONE, .collection = "tenants", KEYS("tenantOrganizationId"),
		.only = API_2025_11},
};

#define NENDPOINTS (sizeof(endpoints) / sizeof(endpoints[0]))

/* Does the organization have what is there only in that version? */
static bool
offered(ApiVersion only)
{
	return only == API_ANY || only == options.api;
}

/* Does a key hold this value, alone or in an array? */
static bool
key_holds(const cJSON *entry, const char *key, const char *value)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(entry, key);
	const cJSON *element;

	if (cJSON_IsString(item))
		return same_identifier(item->valuestring, value);
	cJSON_ArrayForEach(element, item)
	{
		if (cJSON_IsString(element) && same_identifier(element->valuestring, value))
			return true;
	}
	return false;
}

/* Is a parameter given as "true"? */
static bool
is_true(Request *req, const char *param)
{
	const char *value = query_value(req, param);

	return value && strcmp(value, "true") == 0;
}

/* One of the values of a parameter, which may be given more than once. */
typedef struct ValueSearch
{
	const char *param;
	const char *wanted;			/* what the entry has */
	bool		given;
	bool		found;
} ValueSearch;

static enum MHD_Result
search_value(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	ValueSearch *search = cls;

	(void) kind;
	if (strcmp(key, search->param) == 0 && value)
	{
		search->given = true;
		if (search->wanted &&
			(strcasecmp(value, search->wanted) == 0 || same_identifier(value, search->wanted)))
			search->found = true;
	}
	return MHD_YES;
}

/* Is a thing in the files the folder that another is in, at some depth? */
static bool
is_above(const char *folder, const char *id)
{
	const cJSON *file;

	cJSON_ArrayForEach(file, catalogue_collection("files"))
	{
		const char *parent = json_string(file, "parentId");

		if (same_identifier(json_string(file, "id"), id))
			return parent && (same_identifier(parent, folder) || is_above(folder, parent));
	}
	return false;
}

static bool
filter_passes(Request *req, const Filter *filter, const cJSON *entry)
{
	const char *value = query_value(req, filter->param);
	bool		wanted = is_true(req, filter->param);
	bool		flag = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, filter->fields[0]));
	ValueSearch search = {.param = filter->param};

	switch (filter->kind)
	{
		case FILTER_CONTAINS:
			for (int i = 0; value && i < 3 && filter->fields[i]; i++)
			{
				const char *text = json_string(entry, filter->fields[i]);

				if (text && contains_ignoring_case(text, value))
					return true;
			}
			return value == NULL;
		case FILTER_EQUALS:
			search.wanted = json_string(entry, filter->fields[0]);
			MHD_get_connection_values(req->mhd, MHD_GET_ARGUMENT_KIND, search_value, &search);
			return !search.given || search.found;
		case FILTER_INODE:
			if (value == NULL || same_identifier(json_string(entry, filter->fields[0]), value))
				return true;
			return !is_true(req, "directGrantsOnly") &&
				is_above(json_string(entry, filter->fields[0]), value);
		case FILTER_SHOW:
			return wanted || !flag;
		case FILTER_FLAG:
			return value == NULL || flag == wanted;
		case FILTER_FLAG_OR_NOT:
			return flag == wanted;
		case FILTER_REFUSED:
		case FILTER_NONE:
			break;
	}
	return true;
}

/* Is a parameter given that the endpoint no longer takes, or only from administrators?  Then replies. */
static bool
refuse_filters(Request *req, Reply *reply, const Endpoint *endpoint)
{
	if (req->who.limited && is_true(req, "skipPermissionCheck"))
	{
		reply_error(req, reply, 403, "forbidden", "Only administrators may skip the permission check");
		return true;
	}
	for (const Filter *f = endpoint->filters; f && f->param; f++)
	{
		if (f->kind == FILTER_REFUSED && query_value(req, f->param))
		{
			reply_invalid(req, reply, "Query parameter %s is no longer supported", f->param);
			return true;
		}
	}
	return false;
}

/* A copy of an entry as this endpoint has it. */
static cJSON *
reshaped(Request *req, const Endpoint *endpoint, const cJSON *entry)
{
	cJSON	   *copy = cJSON_Duplicate(entry, true);
	const cJSON *hidden = cJSON_GetObjectItemCaseSensitive(entry, endpoint->reveal ? endpoint->reveal : "");
	const cJSON *values = cJSON_GetObjectItemCaseSensitive(entry, endpoint->each ? endpoint->each : "");
	const cJSON *key;
	cJSON	   *renamed;
	int			i = 0;

	if (endpoint->bare)
	{
		cJSON_Delete(copy);
		return cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(entry, endpoint->bare), true);
	}
	if (endpoint->rename[0])
	{
		renamed = cJSON_DetachItemFromObjectCaseSensitive(copy, endpoint->rename[0]);
		cJSON_AddItemToObject(copy, endpoint->rename[1], renamed);
	}
	if (hidden && (endpoint->reveal_if == NULL || is_true(req, endpoint->reveal_if)))
		cJSON_AddItemToObject(copy, endpoint->reveal + 1, cJSON_Duplicate(hidden, true));
	if (values == NULL)
		return copy;
	cJSON_ArrayForEach(key, cJSON_GetObjectItemCaseSensitive(entry, endpoint->keys[0]))
	{
		const cJSON *value = cJSON_GetArrayItem(values, i++);

		if (value && same_identifier(key->valuestring, req->param[0]))
			cJSON_AddItemToObject(copy, endpoint->each + 1, cJSON_Duplicate(value, true));
	}
	return copy;
}

/* The entries that the request asks for, as references where nothing is added to them. */
static cJSON *
find_entries(Request *req, const Endpoint *endpoint)
{
	cJSON	   *found = cJSON_CreateArray();
	cJSON	   *entry;

	cJSON_ArrayForEach(entry, catalogue_collection(endpoint->collection))
	{
		bool		passes = true;

		for (int i = 0; passes && i < 2 && endpoint->keys[i]; i++)
			passes = i < req->nparams && key_holds(entry, endpoint->keys[i], req->param[i]);
		for (const Filter *f = endpoint->filters; passes && f && f->param; f++)
			passes = filter_passes(req, f, entry);
		if (passes && (endpoint->each || endpoint->reveal || endpoint->rename[0] || endpoint->bare))
			cJSON_AddItemToArray(found, reshaped(req, endpoint, entry));
		else if (passes)
			cJSON_AddItemReferenceToArray(found, entry);
	}
	return found;
}

static void
reply_array(Reply *reply, const cJSON *found, bool wrapped)
{
	cJSON	   *array = cJSON_CreateArray();
	const cJSON *entry;

	cJSON_ArrayForEach(entry, found)
		cJSON_AddItemToArray(array, entry_shown(entry));
	if (wrapped)
	{
		cJSON	   *json = cJSON_CreateObject();

		cJSON_AddItemToObject(json, "entries", array);
		array = json;
	}
	reply_set_json(reply, 200, array);
}

static void
reply_tokens(Request *req, Reply *reply, const cJSON *found)
{
	cJSON	   *json;
	cJSON	   *entries;
	const cJSON *entry;
	int64_t		i = 0;
	PageArgs	page;
	char		next[32];

	if (!page_args(req, reply, &page, "pageToken", "pageSize"))
		return;
	json = cJSON_CreateObject();
	entries = cJSON_AddArrayToObject(json, "entries");
	cJSON_ArrayForEach(entry, found)
	{
		if (i >= page.offset && i < page.offset + page.limit)
			cJSON_AddItemToArray(entries, entry_shown(entry));
		i++;
	}
	if (page.offset + page.limit < i)
	{
		snprintf(next, sizeof(next), "%lld", (long long) (page.offset + page.limit));
		cJSON_AddStringToObject(json, "nextPageToken", next);
	}
	reply_set_json(reply, 200, json);
}

static void
reply_one(Request *req, Reply *reply, const Endpoint *endpoint, const cJSON *found)
{
	if (found->child)
		reply_set_json(reply, 200, entry_shown(found->child));
	else if (endpoint->none && options.api == API_2026_08)
		reply_error(req, reply, endpoint->none, "internal_error", "Something went wrong");
	else
		reply_not_found(req, reply, "Resource");
}

/*
 * Is there such a parent?  A list of nothing is another thing than none.  Below
 * an archived document there is none since 2026.  Replies if it is not there.
 */
static bool
parent_exists(Request *req, Reply *reply, const Endpoint *endpoint)
{
	const cJSON *entry;

	if (endpoint->parent == NULL)
		return true;
	cJSON_ArrayForEach(entry, catalogue_collection(endpoint->parent))
	{
		if (!key_holds(entry, endpoint->parent_key, req->param[0]))
			continue;
		if (options.api != API_2026_08 || strcmp(endpoint->parent, "members") == 0 ||
			!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "isArchived")))
			return true;
		reply_error(req, reply, 409, "inode_archived", "The document is archived");
		return false;
	}
	reply_not_found(req, reply, "Resource");
	return false;
}

static void
show(Request *req, Reply *reply, const Endpoint *endpoint)
{
	bool		paged = query_value(req, "page") || query_value(req, "limit");
	cJSON	   *found;

	if (!parent_exists(req, reply, endpoint))
		return;
	if (refuse_filters(req, reply, endpoint))
		return;
	found = find_entries(req, endpoint);
	if (found->child == NULL && endpoint->style != STYLE_ONE && endpoint->none)
	{
		reply_error(req, reply, endpoint->none, "invalid_request", "There is nothing to show");
		cJSON_Delete(found);
		return;
	}
	switch (endpoint->style)
	{
		case STYLE_PAGES:
			list_reply(req, reply, found);
			break;
		case STYLE_TOKENS:
			reply_tokens(req, reply, found);
			break;
		case STYLE_ARRAY_OR_PAGES:
		case STYLE_ENTRIES_OR_PAGES:
			if (paged)
				list_reply(req, reply, found);
			else
				reply_array(reply, found, endpoint->style == STYLE_ENTRIES_OR_PAGES);
			break;
		case STYLE_ARRAY:
			if (paged)
				reply_invalid(req, reply, "This list takes no paging parameters");
			else
				reply_array(reply, found, false);
			break;
		case STYLE_ONE:
			reply_one(req, reply, endpoint, found);
			break;
	}
	cJSON_Delete(found);
}

/* Answer with a collection, if an endpoint of the table matches. */
bool
endpoint_answer(Request *req, Reply *reply, Buffer *methods)
{
	for (size_t i = 0; i < NENDPOINTS; i++)
	{
		if (!offered(endpoints[i].only) || !route_match(req, endpoints[i].pattern))
			continue;
		if (strcmp(req->method, "GET") != 0)
		{
			allow_method(methods, "GET");
			return false;
		}
		show(req, reply, &endpoints[i]);
		return true;
	}
	return false;
}

/*-------------------------------------------------------------------------
 *
 * catalog_people.c
 *	  Entries of the catalogue: members and teams, what is assigned to them,
 *	  and the organization that they belong to.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/catalog_fields.h"

static const SigmaField member_fields[] = {
	ID("member_id", "memberId", "Identifier of the member"),
	READ("first_name", "firstName", TEXTOID, "First name"),
	READ("last_name", "lastName", TEXTOID, "Last name"),
	READ("email", "email", TEXTOID, "E-mail address that the member signs in with"),
	READ("member_type", "memberType", TEXTOID, "Name of the member's account type"),
	READ("user_kind", "userKind", TEXTOID, "Kind of user: internal, guest, embed, ..."),
	READ_OR("is_inactive", "isInactive", BOOLOID, "false", "Has the identity provider deactivated the member?"),
	READ_OR("is_archived", "isArchived", BOOLOID, "false", "Has the member been deactivated in Sigma?"),
	INODE("home_folder_id", "homeFolderId", "The member's My Documents folder"),
	READ("profile_img_url", "profileImgUrl", TEXTOID, "URL of the member's picture"),
	ID("organization_id", "organizationId", "Organization that the member belongs to"),
	CHANGE_FIELDS,
	ATTRS,
};

/* "search" is deprecated, and must not stand beside it. */
static const SigmaFilter member_filters[] = {
	FILTER("email", "email"),
};

/*
 * Inactive members are rows always: a look-up by key finds them as well, and
 * no field but isArchived is asked who belongs to the table.
 */
const SigmaResource sigma_resource_members = {
	.name = "members",
	.comment = "People who have an account, including inactive ones",
	.path = "/v2.1/members?includeInactive=true",
	.item_path = "/v2/members/{member_id}",
	.other_path = "/v2/members",
	.key = "member_id",
	.archived_query = "includeArchived=true",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(member_fields),
	FILTERS(member_filters),
};

#define TEAM_FIELDS \
	ID("team_id", "teamId", "Identifier of the team"), \
	READ("name", "name", TEXTOID, "Display name"), \
	READ("description", "description", TEXTOID, "Description"), \
	READ("visibility", "visibility", TEXTOID, "Who may see the team: public, private"), \
	ARCHIVED_FIELD, \
	CHANGE_FIELDS

static const SigmaField team_fields[] = {
	TEAM_FIELDS,
	ATTRS,
};

static const SigmaFilter team_filters[] = {
	FILTER("name", "name"),
	FILTER_AMONG("visibility", "visibility", "public", "private"),
};

/* GET /v2/teams/{teamId} has another shape: it adds the members. */
const SigmaResource sigma_resource_teams = {
	.name = "teams",
	.comment = "Teams of members",
	.path = "/v2.1/teams",
	.other_path = "/v2/teams",
	.key = "team_id",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(team_fields),
	FILTERS(team_filters),
};

static const SigmaField member_team_fields[] = {
	KEY("member_id", "member_id", "Member who is in the team"),
	TEAM_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_member_teams = {
	.name = "member_teams",
	.comment = "The teams of each member",
	.path = "/v2/members/{member_id}/teams",
	.key = "team_id",
	.parent = "members",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(member_team_fields),
};

static const SigmaField team_member_fields[] = {
	KEY("team_id", "team_id", "Team that the member is in"),
	ID("user_id", "userId", "Member: member_id of members"),
	READ("is_team_admin", "isTeamAdmin", BOOLOID, "May the member manage the team?"),
	ID("added_by", "addedBy", "Member who added this one"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_team_members = {
	.name = "team_members",
	.comment = "The members of each team",
	.path = "/v2/teams/{team_id}/members",
	.key = "user_id",
	.parent = "teams",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(team_member_fields),
};

static const SigmaField user_attribute_fields[] = {
	ID("user_attribute_id", "userAttributeId", "Identifier of the user attribute"),
	READ("name", "name", TEXTOID, "Name that formulas and connections know it by"),
	READ("description", "description", TEXTOID, "Description"),
	READ("default_value", "defaultValue", JSONBOID, "Value for those who are assigned none, an object"),
	CHANGE_FIELDS,
	ATTRS,
};

static const SigmaFilter user_attribute_filters[] = {
	FILTER("name", "name"),
};

const SigmaResource sigma_resource_user_attributes = {
	.name = "user_attributes",
	.comment = "Attributes whose values differ by member or team",
	.path = "/v2/user-attributes",
	.item_path = "/v2/user-attributes/{user_attribute_id}",
	.key = "user_attribute_id",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(user_attribute_fields),
	FILTERS(user_attribute_filters),
};

static const SigmaField user_attribute_team_fields[] = {
	KEY("user_attribute_id", "user_attribute_id", "User attribute that is assigned"),
	ID("team_id", "teamId", "Team that it is assigned to"),
	READ("value", "value", JSONBOID, "Value for the team, an object"),
	READ("priority", "priority", INT4OID, "Which assignment wins for a member of several teams"),
	CHANGE_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_user_attribute_teams = {
	.name = "user_attribute_teams",
	.comment = "The teams that each user attribute is assigned to",
	.path = "/v2/user-attributes/{user_attribute_id}/teams",
	.key = "team_id",
	.parent = "user_attributes",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(user_attribute_team_fields),
};

static const SigmaField user_attribute_user_fields[] = {
	KEY("user_attribute_id", "user_attribute_id", "User attribute that is assigned"),
	ID("user_id", "userId", "Member whom it is assigned to: member_id of members"),
	READ("value", "value", JSONBOID, "Value for the member, an object"),
	CHANGE_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_user_attribute_users = {
	.name = "user_attribute_users",
	.comment = "The members whom each user attribute is assigned to",
	.path = "/v2/user-attributes/{user_attribute_id}/users",
	.key = "user_id",
	.parent = "user_attributes",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(user_attribute_user_fields),
};

static const SigmaField user_attribute_tenant_fields[] = {
	KEY("user_attribute_id", "user_attribute_id", "User attribute that is assigned"),
	ID("tenant_organization_id", "tenantOrganizationId", "Tenant that it is assigned to"),
	READ("value", "value", JSONBOID, "Value for the tenant, an object"),
	CHANGE_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_user_attribute_tenants = {
	.name = "user_attribute_tenants",
	.comment = "The tenants that each user attribute is assigned to",
	.path = "/v2/user-attributes/{user_attribute_id}/tenants",
	.key = "tenant_organization_id",
	.parent = "user_attributes",
	.optional = true,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(user_attribute_tenant_fields),
};

static const SigmaField team_user_attribute_fields[] = {
	KEY("team_id", "team_id", "Team that has the user attribute"),
	ID("user_attribute_id", "userAttributeId", "User attribute that is assigned to the team"),
	READ("user_attribute_name", "userAttributeName", TEXTOID, "Its name"),
	READ("value", "value", JSONBOID, "Value for the team, an object"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_team_user_attributes = {
	.name = "team_user_attributes",
	.comment = "The user attributes of each team",
	.path = "/v2/teams/{team_id}/user-attributes",
	.key = "user_attribute_id",
	.parent = "teams",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(team_user_attribute_fields),
};

static const SigmaField account_type_fields[] = {
	ID("account_type_id", "accountTypeId", "Identifier of the account type"),
	READ("account_type_name", "accountTypeName", TEXTOID, "Name of the account type"),
	READ("description", "description", TEXTOID, "Description of what it is for"),
	READ("is_custom", "isCustom", BOOLOID, "Did the organization define it itself?"),
	ATTRS,
};

const SigmaResource sigma_resource_account_types = {
	.name = "account_types",
	.comment = "Account types that members can have",
	.path = "/v2/accountTypes",
	.key = "account_type_id",
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(account_type_fields),
};

static const SigmaField account_type_permission_fields[] = {
	KEY("account_type_id", "account_type_id", "Account type that gives the permission"),
	READ("permission", "permission", TEXTOID, "Name of the permission"),
	READ("description", "description", TEXTOID, "Description of what it permits"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_account_type_permissions = {
	.name = "account_type_permissions",
	.comment = "What each account type permits",
	.path = "/v2/accountTypes/{account_type_id}/permissions",
	.key = "permission",
	.parent = "account_types",
	.paging = SIGMA_PAGING_NONE,
	FIELDS(account_type_permission_fields),
};

static const SigmaField member_schedule_fields[] = {
	KEY("member_id", "member_id", "Member who owns the schedule"),
	ID("scheduled_notification_id", "scheduledNotificationId", "Identifier of the schedule"),
	INODE("workbook_id", "workbookId", "Workbook that is exported; null if it is a report"),
	INODE("report_id", "reportId", "Report that is exported; null if it is a workbook"),
	SCHEDULE_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_member_schedules = {
	.name = "member_schedules",
	.comment = "When documents are exported by schedules that each member owns",
	.path = "/v2/members/{member_id}/schedules",
	.key = "scheduled_notification_id",
	.parent = "members",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(member_schedule_fields),
};

static const SigmaField allowed_ip_fields[] = {
	ID("ip_allowlist_entry_id", "ipAllowlistEntryId", "Identifier of the entry"),
	READ("ip", "ip", TEXTOID, "Address, or range in CIDR notation"),
	READ("scope", "scope", TEXTOID, "What it may reach: public-api, ui, both"),
	READ("description", "description", TEXTOID, "Description"),
	CHANGE_FIELDS,
	ATTRS,
};

/* One copy of the API's description of 2026 still has this path, another does not. */
const SigmaResource sigma_resource_allowed_ips = {
	.name = "allowed_ips",
	.comment = "IP addresses from which the organization can be reached (beta)",
	.path = "/v3alpha/allowedIps",
	.key = "ip_allowlist_entry_id",
	.optional = true,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(allowed_ip_fields),
};

static const SigmaField tenant_fields[] = {
	ID("tenant_organization_id", "tenantOrganizationId", "Identifier of the tenant"),
	READ("tenant_organization_name", "tenantOrganizationName", TEXTOID, "Display name"),
	READ("tenant_organization_slug", "tenantOrganizationSlug", TEXTOID, "Name in the tenant's URLs"),
	ID("parent_organization_id", "parentOrganizationId", "Organization that the tenant stands below"),
	READ("shared_at", "sharedAt", TIMESTAMPTZOID, "When it was shared, if it was"),
	READ("tenant_cloud_provider", "tenantCloudProvider", TEXTOID, "Cloud provider that hosts it"),
	READ("tenant_region", "tenantRegion", TEXTOID, "Region that it is hosted in"),
	READ("tenant_api_url", "tenantApiUrl", TEXTOID, "Base URL of its API"),
	CHANGE_FIELDS,
	ATTRS,
};

static const SigmaFilter tenant_filters[] = {
	FILTER("tenant_organization_slug", "search"),
};

const SigmaResource sigma_resource_tenants = {
	.name = "tenants",
	.comment = "Organizations below this one",
	.path = "/v2/tenants",
	.item_path = "/v2/tenants/{tenant_organization_id}",
	.key = "tenant_organization_id",
	.optional = true,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(tenant_fields),
	FILTERS(tenant_filters),
};

/*-------------------------------------------------------------------------
 *
 * catalog_fields.h
 *	  What the files of the catalogue share: the list of all resources, and
 *	  the words that their entries are written in.
 *
 * A new resource is a new entry in the catalog_*.c file of its topic, and its
 * name in the list below.  Column names are the API's field names in
 * snake_case, in the order in which a person wants to see them; types are
 * those of the published description, with jsonb for objects and arrays.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CATALOG_FIELDS_H
#define CATALOG_FIELDS_H

#include "catalog/catalog.h"

#include "catalog/pg_type_d.h"

/* All resources, by topic and file, each behind its parent. */
#define SIGMA_RESOURCES(X) \
	/* catalog_connections.c */ \
	X(connections) \
	X(connection_grants) \
	X(connection_paths) \
	X(connection_path_grants) \
	X(connection_table_columns) \
	/* catalog_people.c */ \
	X(members) \
	X(teams) \
	X(member_teams) \
	X(team_members) \
	X(user_attributes) \
	X(user_attribute_teams) \
	X(user_attribute_users) \
	X(team_user_attributes) \
	X(account_types) \
	X(account_type_permissions) \
	X(allowed_ips) \
	X(tenants) \
	/* catalog_documents.c */ \
	X(workspaces) \
	X(workspace_grants) \
	X(files) \
	X(member_files) \
	X(member_favorites) \
	X(favorites) \
	X(member_recents) \
	X(grants) \
	X(datasets) \
	X(dataset_sources) \
	X(dataset_grants) \
	X(dataset_materializations) \
	X(data_models) \
	X(data_model_sources) \
	X(data_model_materialization_schedules) \
	X(templates) \
	X(shared_templates) \
	X(translations) \
	/* catalog_workbooks.c */ \
	X(workbooks) \
	X(workbook_pages) \
	X(workbook_elements) \
	X(workbook_element_columns) \
	X(workbook_queries) \
	X(workbook_lineage) \
	X(workbook_sources) \
	X(workbook_controls) \
	X(workbook_bookmarks) \
	X(workbook_tags) \
	X(workbook_tag_bookmarks) \
	X(workbook_version_history) \
	X(workbook_schedules) \
	X(workbook_materialization_schedules) \
	X(workbook_embeds) \
	X(tags) \
	X(tag_workbooks)

#define DECLARE_RESOURCE(name) extern const SigmaResource sigma_resource_##name;
SIGMA_RESOURCES(DECLARE_RESOURCE)

extern const SigmaNothing sigma_gone[];

/* The tables of fields and of filters of an entry. */
#define FIELDS(table) .fields = table, .nfields = lengthof(table)
#define FILTERS(table) .filters = table, .nfilters = lengthof(table)

/* Rows of the tables of filters. */
#define FILTER(column, parameter) {column, parameter, NULL}
/* sent for these values only: others the API refuses, or they change what the list is of */
#define FILTER_AMONG(column, parameter, ...) \
	{column, parameter, (const char *const[]) {__VA_ARGS__, NULL}}

/* Rows of the tables of fields, by what can be done with the column. */
#define READ(column, field, type, comment) \
	{column, field, type, SIGMA_FROM_FIELD, SIGMA_WRITE_NOWHERE, false, NULL, comment, SIGMA_PLAIN}
/* an identifier; one of a folder, document, connection or warehouse table is an inode's */
#define ID(column, field, comment) \
	{column, field, TEXTOID, SIGMA_FROM_FIELD, SIGMA_WRITE_NOWHERE, false, NULL, comment, SIGMA_ID}
#define INODE(column, field, comment) \
	{column, field, TEXTOID, SIGMA_FROM_FIELD, SIGMA_WRITE_NOWHERE, false, NULL, comment, SIGMA_INODE}
#define READ_OR(column, field, type, absent, comment) \
	{column, field, type, SIGMA_FROM_FIELD, SIGMA_WRITE_NOWHERE, false, absent, comment, SIGMA_PLAIN}
#define BOTH(column, field, type, where, comment) \
	{column, field, type, SIGMA_FROM_FIELD, where, false, NULL, comment, SIGMA_PLAIN}
#define WRITE(column, field, type, comment) \
	{column, field, type, SIGMA_FROM_NOWHERE, SIGMA_WRITE_TOP, false, NULL, comment, SIGMA_PLAIN}
#define HIDDEN(column, field, type, comment) \
	{column, field, type, SIGMA_FROM_FIELD, SIGMA_WRITE_DETAILS, true, NULL, comment, SIGMA_PLAIN}
#define SECRET(column, field, comment) \
	{column, field, TEXTOID, SIGMA_FROM_NOWHERE, SIGMA_WRITE_DETAILS, true, NULL, comment, SIGMA_PLAIN}
/* a key of the parent, under the parent's column of this name, which is of the same kind */
#define KEY_OF(kind, column, parent_column, comment) \
	{column, parent_column, TEXTOID, SIGMA_FROM_KEY, SIGMA_WRITE_NOWHERE, false, NULL, comment, kind}
#define KEY(column, parent_column, comment) KEY_OF(SIGMA_ID, column, parent_column, comment)
#define INODE_KEY(column, parent_column, comment) KEY_OF(SIGMA_INODE, column, parent_column, comment)
/* what is no identifier: only the parent's own entry can say how it is written */
#define NAME_KEY(column, parent_column, comment) KEY_OF(SIGMA_PLAIN, column, parent_column, comment)
/* at the end of every resource */
#define ATTRS \
	{"attrs", NULL, JSONBOID, SIGMA_FROM_ENTRY, SIGMA_WRITE_NOWHERE, false, NULL, \
	"The whole entry as Sigma sent it", SIGMA_PLAIN}
/* behind it, if the resource stands below a parent */
#define ERROR_COLUMN \
	{"_error", NULL, JSONBOID, SIGMA_FROM_ERROR, SIGMA_WRITE_NOWHERE, false, NULL, \
	"Why this parent's list could not be read, with on_error 'row'; else null", SIGMA_PLAIN}

/* Fields that entries of many kinds have. */
#define ARCHIVED_FIELD \
	READ_OR("is_archived", "isArchived", BOOLOID, "false", "Has it been archived?")
#define CHANGE_FIELDS \
	ID("created_by", "createdBy", "Member who created it"), \
	READ("created_at", "createdAt", TIMESTAMPTZOID, "When it was created"), \
	ID("updated_by", "updatedBy", "Member who changed it last"), \
	READ("updated_at", "updatedAt", TIMESTAMPTZOID, "When it was changed last")

/* What a source that is a query consists of. */
#define CUSTOM_SQL_FIELDS \
	INODE("connection_id", "connectionId", "Of custom SQL: connection that it runs on"), \
	READ("definition", "definition", TEXTOID, "Of custom SQL: the query"), \
	ID("custom_sql_id", "customSqlId", "Of custom SQL: its element")

/* What a permission to one member or team consists of. */
#define GRANT_FIELDS \
	ID("grant_id", "grantId", "Identifier of the grant"), \
	INODE("inode_id", "inodeId", "Object that the permission is for"), \
	ID("member_id", "memberId", "Member who has the permission; null if a team has it"), \
	ID("team_id", "teamId", "Team that has the permission; null if a member has it"), \
	READ("permission", "permission", TEXTOID, "What is permitted: usage, annotate, view, explore, edit, ..."), \
	ID("organization_id", "organizationId", "Organization that the grant belongs to"), \
	CHANGE_FIELDS

#endif							/* CATALOG_FIELDS_H */

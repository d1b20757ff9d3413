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
	X(user_attribute_tenants) \
	X(team_user_attributes) \
	X(account_types) \
	X(account_type_permissions) \
	X(member_schedules) \
	X(allowed_ips) \
	X(tenants) \
	/* catalog_administration.c */ \
	X(deployable_tenants) \
	X(tenant_deployment_capabilities) \
	X(deployment_policies) \
	X(deployment_policy_files) \
	X(deployment_policy_tenants) \
	X(source_swap_policies) \
	X(saml_service_providers) \
	X(saml_certificates) \
	X(api_connectors) \
	X(api_credentials) \
	X(plugins) \
	X(credentials) \
	X(organization_settings) \
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
	X(data_model_elements) \
	X(data_model_columns) \
	X(data_model_lineage) \
	X(data_model_sources) \
	X(data_model_specs) \
	X(data_model_tags) \
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
	X(workbook_lineage_nodes) \
	X(workbook_sources) \
	X(workbook_controls) \
	X(workbook_specs) \
	X(workbook_bookmarks) \
	X(workbook_tags) \
	X(workbook_tag_bookmarks) \
	X(workbook_version_history) \
	X(workbook_schedules) \
	X(workbook_materialization_schedules) \
	X(workbook_embeds) \
	X(tags) \
	X(tag_workbooks) \
	/* catalog_reports.c */ \
	X(reports) \
	X(report_pages) \
	X(report_elements) \
	X(report_columns) \
	X(report_queries) \
	X(report_lineage) \
	X(report_sources) \
	X(report_controls) \
	X(report_specs) \
	X(report_tags) \
	X(report_version_history) \
	X(report_schedules)

#define DECLARE_RESOURCE(name) extern const SigmaResource sigma_resource_##name;
SIGMA_RESOURCES(DECLARE_RESOURCE)

extern const SigmaNothing sigma_gone[];
extern const SigmaNothing sigma_no_lineage[];

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

/* What an element of a document is. */
#define ELEMENT_FIELDS(document) \
	ID("element_id", "elementId", "Identifier of the element within the " document), \
	READ("name", "name", TEXTOID, "Display name"), \
	READ("type", "type", TEXTOID, "Kind of element: table, visualization, control, text, ..."), \
	READ("vizualization_type", "vizualizationType", TEXTOID, "Kind of chart (the API's spelling)"), \
	READ("columns", "columns", JSONBOID, "Names of the element's columns, an array of strings"), \
	READ("error", "error", TEXTOID, "What is wrong with the element, if anything is")

/* A column of one, where all elements' columns are one list. */
#define COLUMN_FIELDS \
	ID("element_id", "elementId", "Element that has the column"), \
	ID("column_id", "columnId", "Identifier of the column within the element"), \
	READ("name", "name", TEXTOID, "Display name"), \
	READ("type", "type", JSONBOID, "Type of the values, an object"), \
	READ("formula", "formula", TEXTOID, "Formula that gives the values")

/* When a document is sent. */
#define SCHEDULE_FIELDS \
	READ("schedule", "schedule", JSONBOID, "When it is, an object: cronSpec, timezone"), \
	READ("config_v2", "configV2", JSONBOID, "What is exported, how and to whom, an object"), \
	READ("is_suspended", "isSuspended", BOOLOID, "Is the schedule suspended?"), \
	ID("owner_id", "ownerId", "Member who owns it"), \
	ID("last_updated_by_user", "lastUpdatedByUser", "Member who changed it last by hand"), \
	READ("disabled_at", "disabledAt", TIMESTAMPTZOID, "When it was switched off, if it was"), \
	ID("disabled_by", "disabledBy", "Who switched it off, if it was"), \
	CHANGE_FIELDS

/* A node of a document's lineage: an element, or what the data comes from. */
#define LINEAGE_FIELDS(data_model_column) \
	READ("type", "type", TEXTOID, "Kind of node: element, table, dataset, data-model, customSQL, csv-upload, ..."), \
	ID("element_id", "elementId", "Of an element: its identifier"), \
	READ("name", "name", TEXTOID, "Display name"), \
	READ("source_ids", "sourceIds", JSONBOID, "What the node reads from directly, an array of nodes' identifiers"), \
	READ("data_source_ids", "dataSourceIds", JSONBOID, "Where its data comes from in the end, an array of nodes' identifiers"), \
	INODE("connection_id", "connectionId", "Connection that has the data"), \
	INODE("inode_id", "inodeId", "Of a table or dataset: url_id of connection_paths, or dataset_id of datasets"), \
	INODE(data_model_column, "dataModelId", "Of a data model: its identifier (the entry's dataModelId)"), \
	READ("definition", "definition", TEXTOID, "Of custom SQL: the query"), \
	ID("csv_id", "csvId", "Of an uploaded file: its identifier"), \
	ID("semantic_view_id", "semanticViewId", "Of a semantic view: its identifier"), \
	READ("semantic_view_table", "semanticViewTable", TEXTOID, "Of a semantic view: the table within it"), \
	INODE("sql_document_id", "sqlDocumentId", "Of an SQL document: its identifier"), \
	INODE("worksheet_id", "worksheetId", "Of a worksheet: its identifier")

/* The code representation of a document, which is the whole reply. */
#define SPEC \
	{"spec", NULL, JSONBOID, SIGMA_FROM_ENTRY, SIGMA_WRITE_NOWHERE, false, NULL, \
	"The code representation, an object", SIGMA_PLAIN}

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

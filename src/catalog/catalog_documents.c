/*-------------------------------------------------------------------------
 *
 * catalog_documents.c
 *	  Entries of the catalogue: workspaces and files, who may see them, and
 *	  the documents other than workbooks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/catalog_fields.h"

/* -------------------------------------------------------------- workspaces */

static const SigmaField workspace_fields[] = {
	INODE("workspace_id", "workspaceId", "Identifier of the workspace"),
	READ("workspace_url_id", "workspaceUrlId", TEXTOID, "The identifier as it stands in URLs"),
	READ("name", "name", TEXTOID, "Display name"),
	CHANGE_FIELDS,
	ATTRS,
};

/* exact but for the case of letters */
static const SigmaFilter workspace_filters[] = {
	FILTER("name", "exactName"),
};

const SigmaResource sigma_resource_workspaces = {
	.name = "workspaces",
	.comment = "Workspaces: shared top-level folders",
	.path = "/v2.1/workspaces",
	.item_path = "/v2/workspaces/{workspace_id}",
	.other_path = "/v2/workspaces",
	.key = "workspace_id",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workspace_fields),
	FILTERS(workspace_filters),
};

static const SigmaField workspace_grant_fields[] = {
	INODE_KEY("workspace_id", "workspace_id", "Workspace that the permission is for"),
	GRANT_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workspace_grants = {
	.name = "workspace_grants",
	.comment = "Who may use each workspace",
	.path = "/v2/workspaces/{workspace_id}/grants",
	.key = "grant_id",
	.parent = "workspaces",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workspace_grant_fields),
};

/* ------------------------------------------------------------------- files
 * An entry may be an error object instead of a file.
 */
#define FILE_FIELDS \
	INODE("id", "id", "Identifier of the file; the workbook's, dataset's, ... own if it is one"), \
	READ("name", "name", TEXTOID, "Display name"), \
	READ("type", "type", TEXTOID, "Kind of file: folder, workbook, dataset, template, table, symlink, ..."), \
	READ("path", "path", TEXTOID, "Names of the folders that it is in"), \
	INODE("parent_id", "parentId", "Folder or workspace that it is in"), \
	READ("parent_url_id", "parentUrlId", TEXTOID, "The same, as it stands in URLs"), \
	READ("url_id", "urlId", TEXTOID, "The identifier as it stands in URLs"), \
	READ("parent_source_url_id", "parentSourceUrlId", TEXTOID, "Of a document that was deployed to this tenant: the source's url_id in the organization above"), \
	READ("permission", "permission", TEXTOID, "What the reader may do with it: view, explore, organize, edit, ..."), \
	READ("description", "description", TEXTOID, "Description"), \
	READ("badge", "badge", TEXTOID, "Badge that marks it, such as that of an endorsed file"), \
	READ("is_archived", "isArchived", BOOLOID, "Has it been archived?"), \
	ID("owner_id", "ownerId", "Member who owns it"), \
	CHANGE_FIELDS

#define FILE_ERROR_FIELDS \
	READ("code", "code", TEXTOID, "Of a file that Sigma could not show: the error's code"), \
	READ("message", "message", TEXTOID, "Of a file that Sigma could not show: what went wrong"), \
	READ("request_id", "requestId", TEXTOID, "Of a file that Sigma could not show: what Sigma Support asks for")

static const SigmaField file_fields[] = {
	FILE_FIELDS,
	FILE_ERROR_FIELDS,
	ATTRS,
};

/* Without typeFilters, the list is of these types. */
static const SigmaFilter file_filters[] = {
	FILTER("parent_id", "parentId"),
	FILTER_AMONG("type", "typeFilters", "folder", "workbook", "dataset", "data-model", "report"),
	FILTER("name", "name"),
};

/*
 * GET /v2/files/{inodeId} also knows files of types that the list leaves out:
 * were it used, the plan would decide which rows there are.
 */
const SigmaResource sigma_resource_files = {
	.name = "files",
	.comment = "Folders and documents that can be found by search",
	.path = "/v2/files",
	.key = "id",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(file_fields),
	FILTERS(file_filters),
};

static const SigmaField member_file_fields[] = {
	KEY("member_id", "member_id", "Member who can reach the file"),
	FILE_FIELDS,
	FILE_ERROR_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_member_files = {
	.name = "member_files",
	.comment = "Folders and documents that each member can reach",
	.path = "/v2/members/{member_id}/files",
	.key = "id",
	.parent = "members",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(member_file_fields),
	FILTERS(file_filters),
};

static const SigmaField favorite_fields[] = {
	KEY("member_id", "member_id", "Member whose favorite it is"),
	FILE_FIELDS,
	FILE_ERROR_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_member_favorites = {
	.name = "member_favorites",
	.comment = "Favorite documents of each member",
	.path = "/v2/members/{member_id}/files/favorites",
	.key = "id",
	.parent = "members",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(favorite_fields),
};

const SigmaResource sigma_resource_favorites = {
	.name = "favorites",
	.comment = "The same as member_favorites, from the API's other endpoint for it",
	.path = "/v2/favorites/member/{member_id}",
	.key = "id",
	.parent = "members",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(favorite_fields),
};

static const SigmaField member_recent_fields[] = {
	KEY("member_id", "member_id", "Member who has used the file"),
	READ("last_interaction_at", "lastInteractionAt", TIMESTAMPTZOID, "When the member used it last"),
	FILE_FIELDS,
	FILE_ERROR_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_member_recents = {
	.name = "member_recents",
	.comment = "Documents that each member has used recently, including data models but not explorations",
	.path = "/v2/members/{member_id}/files/recents",
	.key = "id",
	.parent = "members",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(member_recent_fields),
};

/* ------------------------------------------------------------------ grants */

static const SigmaField grant_fields[] = {
	GRANT_FIELDS,
	READ("inode_type", "inodeType", TEXTOID, "Kind of object that the permission is for"),
	ATTRS,
};

/* The narrowest stands first. */
static const SigmaFilter grant_filters[] = {
	FILTER("inode_id", "inodeId"),
	FILTER("member_id", "userId"),
	FILTER("team_id", "teamId"),
};

const SigmaResource sigma_resource_grants = {
	.name = "grants",
	.comment = "Permissions on objects of all kinds; faster with an object, a member or a team in the condition",
	.path = "/v2/grants",
	.item_path = "/v2/grants/{grant_id}",
	.key = "grant_id",
	.direct_query = "directGrantsOnly=true",
	.paging = SIGMA_PAGING_PAGE,
	.one_filter = true,
	FIELDS(grant_fields),
	FILTERS(grant_filters),
};

/* ---------------------------------------------------------------- datasets */

static const SigmaField dataset_fields[] = {
	INODE("dataset_id", "datasetId", "Identifier of the dataset"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("description", "description", TEXTOID, "Description"),
	READ("path", "path", TEXTOID, "Names of the folders that it is in"),
	READ("url", "url", TEXTOID, "Where to open it in Sigma"),
	ID("owner", "owner", "Member who owns it"),
	READ("reference_count", "referenceCount", INT8OID, "How many documents read from it"),
	READ("migration_status", "migrationStatus", TEXTOID, "Has it become a data model: migrated, not-migrated, not-required"),
	READ("migration_to_data_model", "migrationToDataModel", JSONBOID, "The data model that it has become, when and by whom, an object"),
	ARCHIVED_FIELD,
	CHANGE_FIELDS,
	ATTRS,
};

/* Sigma has announced that they can no longer be viewed since September 2026. */
const SigmaResource sigma_resource_datasets = {
	.name = "datasets",
	.comment = "Datasets",
	.path = "/v2/datasets",
	.item_path = "/v2/datasets/{dataset_id}",
	.key = "dataset_id",
	.archived_field = "isArchived",
	.unshared_query = "skipPermissionCheck=true",
	.nothing = sigma_gone,
	.optional = true,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(dataset_fields),
};

static const SigmaField dataset_source_fields[] = {
	INODE_KEY("dataset_id", "dataset_id", "Dataset that reads from the source"),
	READ("type", "type", TEXTOID, "Kind of source: table, dataset"),
	INODE("inode_id", "inodeId", "Source: url_id of connection_paths, or dataset_id of datasets"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_dataset_sources = {
	.name = "dataset_sources",
	.comment = "What each dataset reads from",
	.path = "/v2/datasets/{dataset_id}/sources",
	.key = "inode_id",
	.parent = "datasets",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_NONE,
	FIELDS(dataset_source_fields),
};

static const SigmaField dataset_grant_fields[] = {
	INODE_KEY("dataset_id", "dataset_id", "Dataset that the permission is for"),
	GRANT_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_dataset_grants = {
	.name = "dataset_grants",
	.comment = "Who may use each dataset",
	.path = "/v2/datasets/{dataset_id}/grants",
	.key = "grant_id",
	.parent = "datasets",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(dataset_grant_fields),
};

static const SigmaField dataset_materialization_fields[] = {
	INODE_KEY("dataset_id", "dataset_id", "Dataset that was materialized"),
	READ("status", "status", TEXTOID, "How it ended: success, failed, marked, swept"),
	READ("finished_at", "finishedAt", TIMESTAMPTZOID, "When it ended"),
	READ("runtime_secs", "runtimeSecs", FLOAT8OID, "How long it took, in seconds"),
	READ("num_rows", "numRows", INT8OID, "Rows of the result"),
	READ("num_bytes", "numBytes", INT8OID, "Size of the result"),
	READ("error", "error", JSONBOID, "What went wrong, if it failed"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_dataset_materializations = {
	.name = "dataset_materializations",
	.comment = "Runs of each dataset's materialization",
	.path = "/v2/datasets/{dataset_id}/materialization",
	.parent = "datasets",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(dataset_materialization_fields),
};

/* ------------------------------------------------------------- data models */

static const SigmaField data_model_fields[] = {
	INODE("data_model_id", "dataModelId", "Identifier of the data model"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("path", "path", TEXTOID, "Names of the folders that it is in"),
	READ("url", "url", TEXTOID, "Where to open it in Sigma"),
	READ("data_model_url_id", "dataModelUrlId", TEXTOID, "The identifier as it stands in URLs"),
	READ("latest_version", "latestVersion", INT4OID, "Number of the version that was published last"),
	READ("tags", "tags", JSONBOID, "Version tags that it has, an array of objects"),
	ID("owner_id", "ownerId", "Member who owns it"),
	ARCHIVED_FIELD,
	CHANGE_FIELDS,
	ATTRS,
};

const SigmaResource sigma_resource_data_models = {
	.name = "data_models",
	.comment = "Data models",
	.path = "/v2/dataModels",
	.item_path = "/v2/dataModels/{data_model_id}",
	.key = "data_model_id",
	.archived_field = "isArchived",
	.unshared_query = "skipPermissionCheck=true",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(data_model_fields),
};

static const SigmaField data_model_element_fields[] = {
	INODE_KEY("data_model_id", "data_model_id", "Data model that the element is in"),
	ELEMENT_FIELDS("data model"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_data_model_elements = {
	.name = "data_model_elements",
	.comment = "Elements of each data model",
	.path = "/v2/dataModels/{data_model_id}/elements",
	.key = "element_id",
	.parent = "data_models",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(data_model_element_fields),
};

static const SigmaField data_model_column_fields[] = {
	INODE_KEY("data_model_id", "data_model_id", "Data model that the element is in"),
	COLUMN_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

/* column_id repeats across elements, so it identifies no entry. */
const SigmaResource sigma_resource_data_model_columns = {
	.name = "data_model_columns",
	.comment = "Columns of the elements of each data model",
	.path = "/v2/dataModels/{data_model_id}/columns",
	.parent = "data_models",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(data_model_column_fields),
};

/* An entry's own dataModelId is another model than the one asked about. */
static const SigmaField data_model_lineage_fields[] = {
	INODE_KEY("data_model_id", "data_model_id", "Data model whose lineage it is"),
	LINEAGE_FIELDS("source_data_model_id"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_data_model_lineage = {
	.name = "data_model_lineage",
	.comment = "Elements of each data model and where their data comes from, one row for each node",
	.path = "/v2/dataModels/{data_model_id}/lineage",
	.parent = "data_models",
	.nothing = sigma_no_lineage,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(data_model_lineage_fields),
};

static const SigmaField data_model_source_fields[] = {
	INODE_KEY("data_model_id", "data_model_id", "Data model that reads from the source"),
	READ("type", "type", TEXTOID, "Kind of source: table, dataset, data-model, custom-sql"),
	INODE("table_id", "tableId", "Of a table: its url_id in connection_paths"),
	INODE("dataset_id", "datasetId", "Of a dataset: its identifier"),
	INODE("source_data_model_id", "dataModelId", "Of a data model: the identifier of the one that is read (the entry's dataModelId)"),
	READ("element_ids", "elementIds", JSONBOID, "Of a data model: the elements that are read, an array of strings"),
	ID("version_tag_id", "versionTagId", "Of a data model: the version tag that it is read at"),
	CUSTOM_SQL_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_data_model_sources = {
	.name = "data_model_sources",
	.comment = "What each data model reads from",
	.path = "/v2/dataModels/{data_model_id}/sources",
	.parent = "data_models",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	.max_page_size = 500,
	FIELDS(data_model_source_fields),
};

static const SigmaField data_model_spec_fields[] = {
	INODE_KEY("data_model_id", "data_model_id", "Data model that is represented"),
	SPEC,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_data_model_specs = {
	.name = "data_model_specs",
	.comment = "Each data model as code: its pages, elements, columns, formulas, sources",
	.path = "/v2/dataModels/{data_model_id}/spec",
	.parent = "data_models",
	.nothing = sigma_gone,
	.optional = true,
	.paging = SIGMA_PAGING_OBJECT,
	FIELDS(data_model_spec_fields),
};

static const SigmaField data_model_tag_fields[] = {
	INODE_KEY("data_model_id", "data_model_id", "Data model that has the tag"),
	ID("version_tag_id", "versionTagId", "Identifier of the tag"),
	READ("tag_name", "tagName", TEXTOID, "Name of the tag"),
	READ("source_version", "sourceVersion", INT4OID, "Version of the data model that the tag marks"),
	READ("tagged_at", "taggedAt", TIMESTAMPTZOID, "When the tag was set"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_data_model_tags = {
	.name = "data_model_tags",
	.comment = "Version tags of each data model",
	.path = "/v2/dataModels/{data_model_id}/tags",
	.key = "version_tag_id",
	.parent = "data_models",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(data_model_tag_fields),
};

static const SigmaField data_model_materialization_schedule_fields[] = {
	INODE_KEY("data_model_id", "data_model_id", "Data model that the element is in"),
	ID("sheet_id", "sheetId", "Identifier of the schedule of the element"),
	ID("element_id", "elementId", "Element that is materialized"),
	READ("element_name", "elementName", TEXTOID, "Name of the element that is materialized"),
	READ("schedule", "schedule", JSONBOID, "When it is, an object: cronSpec, timezone"),
	READ("paused", "paused", BOOLOID, "Is the schedule paused?"),
	READ("configured_at", "configuredAt", TIMESTAMPTZOID, "When the schedule was set"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_data_model_materialization_schedules = {
	.name = "data_model_materialization_schedules",
	.comment = "When elements of each data model are materialized",
	.path = "/v2/dataModels/{data_model_id}/materializationSchedules",
	.key = "sheet_id",
	.parent = "data_models",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	.max_page_size = 500,
	FIELDS(data_model_materialization_schedule_fields),
};

/* ------------------------------------------------ templates, translations */

static const SigmaField template_fields[] = {
	INODE("template_id", "templateId", "Identifier of the template"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("path", "path", TEXTOID, "Names of the folders that it is in"),
	READ("url", "url", TEXTOID, "Where to open it in Sigma"),
	READ("template_url_id", "templateUrlId", TEXTOID, "The identifier as it stands in URLs"),
	READ("latest_version", "latestVersion", INT4OID, "Number of the version that was published last"),
	READ("tags", "tags", JSONBOID, "Version tags that it has, an array of objects"),
	ARCHIVED_FIELD,
	CHANGE_FIELDS,
	ATTRS,
};

static const SigmaFilter template_filters[] = {
	FILTER("name", "search"),
};

const SigmaResource sigma_resource_templates = {
	.name = "templates",
	.comment = "Templates of workbooks",
	.path = "/v2/templates",
	.item_path = "/v2/templates/{template_id}",
	.key = "template_id",
	.archived_field = "isArchived",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(template_fields),
	FILTERS(template_filters),
};

static const SigmaField shared_template_fields[] = {
	ID("share_id", "shareId", "Identifier of the offer"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("description", "description", TEXTOID, "Description"),
	ID("provider_organization_id", "providerOrganizationId", "Organization that offers it"),
	READ("pending", "pending", BOOLOID, "Has it not been accepted yet?"),
	READ("created_at", "createdAt", TIMESTAMPTZOID, "When it was offered"),
	ATTRS,
};

const SigmaResource sigma_resource_shared_templates = {
	.name = "shared_templates",
	.comment = "Templates that other organizations offer to this one",
	.path = "/v2/shared_templates/shared_with_you",
	.key = "share_id",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(shared_template_fields),
};

static const SigmaField translation_fields[] = {
	READ("lng", "lng", TEXTOID, "Language as the translation was made for"),
	READ("locale", "locale", TEXTOID, "Language as URLs of embeds name it"),
	READ("lng_variant", "lng_variant", TEXTOID, "Name of the organization's own variant; or null"),
	CHANGE_FIELDS,
	ATTRS,
};

/* Neither field alone identifies an entry. */
const SigmaResource sigma_resource_translations = {
	.name = "translations",
	.comment = "Languages that the organization has translations for",
	.path = "/v2/translations/organization",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(translation_fields),
};

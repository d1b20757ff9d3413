/*-------------------------------------------------------------------------
 *
 * catalog_workbooks.c
 *	  Entries of the catalogue: workbooks, what is in them, and their tags.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/catalog_fields.h"

#define WORKBOOK_FIELDS \
	INODE("workbook_id", "workbookId", "Identifier of the workbook"), \
	READ("name", "name", TEXTOID, "Display name"), \
	READ("description", "description", TEXTOID, "Description"), \
	READ("path", "path", TEXTOID, "Names of the folders that it is in"), \
	READ("url", "url", TEXTOID, "Where to open it in Sigma"), \
	READ("workbook_url_id", "workbookUrlId", TEXTOID, "The identifier as it stands in URLs"), \
	READ("tagged_source_url_id", "taggedSourceUrlId", TEXTOID, "Of a tagged version that was deployed to this tenant: the source's url_id in the organization above, where Sigma tells it"), \
	READ("latest_version", "latestVersion", INT4OID, "Number of the version that was published last"), \
	READ("tags", "tags", JSONBOID, "Version tags that it has, an array of objects"), \
	ID("owner_id", "ownerId", "Member who owns it"), \
	ARCHIVED_FIELD, \
	CHANGE_FIELDS

static const SigmaField workbook_fields[] = {
	WORKBOOK_FIELDS,
	ATTRS,
};

/* isArchived=true shows archived workbooks instead of the others, so it adds none. */
const SigmaResource sigma_resource_workbooks = {
	.name = "workbooks",
	.comment = "Workbooks",
	.path = "/v2/workbooks",
	.item_path = "/v2/workbooks/{workbook_id}",
	.key = "workbook_id",
	.archived_field = "isArchived",
	.unshared_query = "skipPermissionCheck=true",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_fields),
};

/* ---------------------------------------------------- what is in a workbook */

static const SigmaField workbook_page_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that the page is in"),
	ID("page_id", "pageId", "Identifier of the page within the workbook"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("hidden", "hidden", BOOLOID, "Is the page hidden from viewers?"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_pages = {
	.name = "workbook_pages",
	.comment = "Pages of each workbook",
	.path = "/v2/workbooks/{workbook_id}/pages",
	.key = "page_id",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_page_fields),
};

static const SigmaField workbook_element_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that the element is in"),
	KEY("page_id", "page_id", "Page that the element is on"),
	ELEMENT_FIELDS("workbook"),
	ATTRS,
	ERROR_COLUMN,
};

/* One list of each workbook, which does not say what page an element is on. */
static const SigmaResource flat_workbook_elements = {
	.name = "workbook_elements",
	.path = "/v2/workbooks/{workbook_id}/elements",
	.key = "element_id",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_element_fields),
};

const SigmaResource sigma_resource_workbook_elements = {
	.name = "workbook_elements",
	.comment = "Elements on each page of each workbook",
	.path = "/v2/workbooks/{workbook_id}/pages/{page_id}/elements",
	.key = "element_id",
	.parent = "workbook_pages",
	.nothing = sigma_gone,
	.flat = &flat_workbook_elements,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_element_fields),
};

/* What the list of one element's columns calls "label", the list of all columns calls "name". */
static const SigmaField workbook_element_column_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that the element is in"),
	ID("element_id", "elementId", "Element that has the column"),
	ID("column_id", "columnId", "Identifier of the column within the element"),
	READ("label", "name", TEXTOID, "Display name"),
	READ("type", "type", JSONBOID, "Type of the values, an object"),
	READ("formula", "formula", TEXTOID, "Formula that gives the values"),
	ATTRS,
	ERROR_COLUMN,
};

/* column_id repeats across elements, so it identifies no entry. */
const SigmaResource sigma_resource_workbook_element_columns = {
	.name = "workbook_element_columns",
	.comment = "Columns of the elements of each workbook",
	.path = "/v2/workbooks/{workbook_id}/columns",
	.other_path = "/v2/workbooks/{workbook_id}/elements/{element_id}/columns",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_element_column_fields),
};

static const SigmaField workbook_query_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that the query belongs to"),
	ID("element_id", "elementId", "Element that the query is for"),
	READ("name", "name", TEXTOID, "Name of the element"),
	READ("sql", "sql", TEXTOID, "The query, in the warehouse's SQL"),
	READ("error", "error", TEXTOID, "Why there is no query, if there is none"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_queries = {
	.name = "workbook_queries",
	.comment = "SQL that the elements of each workbook send to the warehouse",
	.path = "/v2/workbooks/{workbook_id}/queries",
	.key = "element_id",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_query_fields),
};

static const SigmaField workbook_lineage_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that the element is in"),
	KEY("element_id", "element_id", "Element whose lineage it is"),
	READ("dependencies", "dependencies", JSONBOID, "What the element depends on, an object of nodes by their identifiers"),
	READ("edges", "edges", JSONBOID, "Which node feeds which, an array of objects: source, target, type"),
	ATTRS,
	ERROR_COLUMN,
};

/* Elements that have no lineage are answered so, besides. */
static const SigmaNothing no_lineage[] = {
	{404, NULL},
	{409, "inode_archived"},
	{400, NULL},
	{500, NULL},
	{0, NULL}
};

/*
 * The API refuses elements that show no data, such as controls and texts.  The
 * list of queries leaves those out, and the list of elements does not.
 */
const SigmaResource sigma_resource_workbook_lineage = {
	.name = "workbook_lineage",
	.comment = "Where the data of each element with a query comes from, one row for each element",
	.path = "/v2/workbooks/{workbook_id}/lineage/elements/{element_id}",
	.parent = "workbook_queries",
	.nothing = no_lineage,
	.paging = SIGMA_PAGING_OBJECT,
	FIELDS(workbook_lineage_fields),
};

static const SigmaField workbook_lineage_node_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook whose lineage it is"),
	LINEAGE_FIELDS("data_model_id"),
	ATTRS,
	ERROR_COLUMN,
};

/* A node's identifier is a field of another name for each kind of node. */
const SigmaResource sigma_resource_workbook_lineage_nodes = {
	.name = "workbook_lineage_nodes",
	.comment = "Elements of each workbook and where their data comes from, one row for each node",
	.path = "/v2/workbooks/{workbook_id}/lineage",
	.parent = "workbooks",
	.nothing = sigma_no_lineage,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_lineage_node_fields),
};

static const SigmaField workbook_source_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that reads from the source"),
	READ("type", "type", TEXTOID, "Kind of source: table, dataset, data-model, custom-sql"),
	INODE("inode_id", "inodeId", "Of a table or dataset: url_id of connection_paths, or dataset_id of datasets"),
	INODE("data_model_id", "dataModelId", "Of a data model: its identifier"),
	READ("element_ids", "elementIds", JSONBOID, "Of a data model: the elements that are read, an array of strings"),
	ID("version_tag_id", "versionTagId", "Of a data model: the version tag that it is read at"),
	READ("url", "url", TEXTOID, "Of a dataset: where to open it in Sigma"),
	CUSTOM_SQL_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_sources = {
	.name = "workbook_sources",
	.comment = "What each workbook reads from",
	.path = "/v2/workbooks/{workbook_id}/sources",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_NONE,
	FIELDS(workbook_source_fields),
};

static const SigmaField workbook_control_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that the control is in"),
	READ("name", "name", TEXTOID, "Name that URLs and the API set it by"),
	READ("value_type", "valueType", TEXTOID, "Type of its value: text, number, date, boolean, their lists and ranges"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_controls = {
	.name = "workbook_controls",
	.comment = "Controls of each workbook",
	.path = "/v2/workbooks/{workbook_id}/controls",
	.key = "name",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_control_fields),
};

static const SigmaField workbook_spec_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that is represented"),
	SPEC,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_specs = {
	.name = "workbook_specs",
	.comment = "Each workbook as code: its pages, elements, columns, formulas, sources",
	.path = "/v2/workbooks/{workbook_id}/spec",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.optional = true,
	.paging = SIGMA_PAGING_OBJECT,
	FIELDS(workbook_spec_fields),
};

/* ------------------------------------------------- bookmarks, tags, versions */

#define BOOKMARK_FIELDS \
	ID("bookmark_id", "bookmarkId", "Identifier of the bookmark"), \
	READ("name", "name", TEXTOID, "Display name"), \
	READ("is_shared", "isShared", BOOLOID, "Can others use the bookmark?"), \
	READ("is_default", "isDefault", BOOLOID, "Does the workbook open with it?"), \
	READ("explore_key", "exploreKey", TEXTOID, "Exploration that it brings back")

static const SigmaField workbook_bookmark_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that the bookmark belongs to"),
	BOOKMARK_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_bookmarks = {
	.name = "workbook_bookmarks",
	.comment = "Bookmarks of each workbook: your own, and those shared with you",
	.path = "/v2/workbooks/{workbook_id}/bookmarks",
	.key = "bookmark_id",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_bookmark_fields),
};

static const SigmaField workbook_tag_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that has the tag"),
	ID("version_tag_id", "versionTagId", "Identifier of the tag"),
	READ("name", "name", TEXTOID, "Name of the tag"),
	READ("source_workbook_version", "sourceWorkbookVersion", INT4OID, "Version of the workbook that the tag marks"),
	INODE("tagged_workbook_id", "taggedWorkbookId", "Workbook that holds the tagged version"),
	READ("workbook_tagged_at", "workbookTaggedAt", TIMESTAMPTZOID, "When the tag was set"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_tags = {
	.name = "workbook_tags",
	.comment = "Version tags of each workbook",
	.path = "/v2/workbooks/{workbook_id}/tags",
	.key = "version_tag_id",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_tag_fields),
};

static const SigmaField workbook_tag_bookmark_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that has the tag"),
	NAME_KEY("tag_name", "name", "Name of the tag: name of workbook_tags"),
	BOOKMARK_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_tag_bookmarks = {
	.name = "workbook_tag_bookmarks",
	.comment = "Bookmarks of each tagged version of each workbook",
	.path = "/v2/workbooks/{workbook_id}/tags/{tag_name}/bookmarks",
	.key = "bookmark_id",
	.parent = "workbook_tags",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_tag_bookmark_fields),
};

static const SigmaField workbook_version_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that has the version"),
	READ("version", "version", INT4OID, "Number of the version"),
	READ("published_at", "publishedAt", TIMESTAMPTZOID, "When it was published"),
	ID("published_by", "publishedBy", "Member who published it"),
	READ("tags", "tags", JSONBOID, "Version tags that it has, an array of objects"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_version_history = {
	.name = "workbook_version_history",
	.comment = "Published versions of each workbook",
	.path = "/v2/workbooks/{workbook_id}/version-history",
	.key = "version",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_version_fields),
};

/* ------------------------------------------------------- schedules, embeds */

/* An entry's workbookId is the key again. */
static const SigmaField workbook_schedule_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that is exported"),
	ID("scheduled_notification_id", "scheduledNotificationId", "Identifier of the schedule"),
	SCHEDULE_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_schedules = {
	.name = "workbook_schedules",
	.comment = "When each workbook is exported",
	.path = "/v2.1/workbooks/{workbook_id}/schedules",
	.other_path = "/v2/workbooks/{workbook_id}/schedules",
	.key = "scheduled_notification_id",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_schedule_fields),
};

static const SigmaField workbook_materialization_schedule_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that the element is in"),
	ID("sheet_id", "sheetId", "Identifier of the schedule of the element"),
	ID("element_id", "elementId", "Element that is materialized"),
	READ("element_name", "elementName", TEXTOID, "Name of the element that is materialized"),
	READ("schedule", "schedule", JSONBOID, "When it is, an object: cronSpec, timezone"),
	READ("paused", "paused", BOOLOID, "Is the schedule paused?"),
	READ("configured_at", "configuredAt", TIMESTAMPTZOID, "When the schedule was set"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_materialization_schedules = {
	.name = "workbook_materialization_schedules",
	.comment = "When elements of each workbook are materialized",
	.path = "/v2.1/workbooks/{workbook_id}/materialization-schedules",
	.other_path = "/v2/workbooks/{workbook_id}/materialization-schedules",
	.key = "sheet_id",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_materialization_schedule_fields),
};

static const SigmaField workbook_embed_fields[] = {
	INODE_KEY("workbook_id", "workbook_id", "Workbook that is embedded"),
	ID("embed_id", "embedId", "Identifier of the embed"),
	READ("embed_url", "embedUrl", TEXTOID, "URL to embed"),
	READ("public", "public", BOOLOID, "Can anybody open it?"),
	READ("source_type", "sourceType", TEXTOID, "What is embedded: workbook, page, element"),
	ID("source_id", "sourceId", "Page or element that is embedded; null for the whole workbook"),
	READ("source_name", "sourceName", TEXTOID, "Its name"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_workbook_embeds = {
	.name = "workbook_embeds",
	.comment = "Embeds of each workbook",
	.path = "/v2/workbooks/{workbook_id}/embeds",
	.key = "embed_id",
	.parent = "workbooks",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(workbook_embed_fields),
};

/* -------------------------------------------------------------------- tags */

static const SigmaField tag_fields[] = {
	ID("version_tag_id", "versionTagId", "Identifier of the tag"),
	READ("name", "name", TEXTOID, "Name of the tag"),
	READ("description", "description", TEXTOID, "Description"),
	READ("color", "color", TEXTOID, "Color that it is shown in: amber, bronze, cyan, grass, plum, violet"),
	ID("owner_id", "ownerId", "Member who owns it"),
	ARCHIVED_FIELD,
	CHANGE_FIELDS,
	ATTRS,
};

/* What "search" looks at is not published. */
const SigmaResource sigma_resource_tags = {
	.name = "tags",
	.comment = "Version tags",
	.path = "/v2/tags",
	.key = "version_tag_id",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(tag_fields),
};

static const SigmaField tag_workbook_fields[] = {
	KEY("version_tag_id", "version_tag_id", "Tag that the workbook has"),
	WORKBOOK_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_tag_workbooks = {
	.name = "tag_workbooks",
	.comment = "Workbooks that have each version tag",
	.path = "/v2/tags/{version_tag_id}/workbooks",
	.key = "workbook_id",
	.parent = "tags",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(tag_workbook_fields),
};

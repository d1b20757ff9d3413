/*-------------------------------------------------------------------------
 *
 * catalog_reports.c
 *	  Entries of the catalogue: reports, what is in them, and their tags.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/catalog_fields.h"

static const SigmaField report_fields[] = {
	INODE("report_id", "reportId", "Identifier of the report"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("description", "description", TEXTOID, "Description"),
	READ("path", "path", TEXTOID, "Names of the folders that it is in"),
	READ("url", "url", TEXTOID, "Where to open it in Sigma"),
	READ("report_url_id", "reportUrlId", TEXTOID, "The identifier as it stands in URLs"),
	READ("latest_version", "latestVersion", INT4OID, "Number of the version that was published last"),
	READ("tags", "tags", JSONBOID, "Version tags that it has, an array of objects"),
	ID("owner_id", "ownerId", "Member who owns it"),
	ARCHIVED_FIELD,
	CHANGE_FIELDS,
	ATTRS,
};

/* isArchived=true shows archived reports instead of the others, so it adds none. */
const SigmaResource sigma_resource_reports = {
	.name = "reports",
	.comment = "Reports",
	.path = "/v2/reports",
	.item_path = "/v2/reports/{report_id}",
	.key = "report_id",
	.archived_field = "isArchived",
	.unshared_query = "skipPermissionCheck=true",
	.nothing = sigma_gone,
	.optional = true,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(report_fields),
};

/* ------------------------------------------------------ what is in a report */

static const SigmaField report_page_fields[] = {
	INODE_KEY("report_id", "report_id", "Report that the page is in"),
	ID("page_id", "pageId", "Identifier of the page within the report"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("hidden", "hidden", BOOLOID, "Is the page hidden from viewers?"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_report_pages = {
	.name = "report_pages",
	.comment = "Pages of each report",
	.path = "/v2/reports/{report_id}/pages",
	.key = "page_id",
	.parent = "reports",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(report_page_fields),
};

static const SigmaField report_element_fields[] = {
	INODE_KEY("report_id", "report_id", "Report that the element is in"),
	KEY("page_id", "page_id", "Page that the element is on"),
	ELEMENT_FIELDS("report"),
	ATTRS,
	ERROR_COLUMN,
};

/* One list of each report, which does not say what page an element is on. */
static const SigmaResource flat_report_elements = {
	.name = "report_elements",
	.path = "/v2/reports/{report_id}/elements",
	.key = "element_id",
	.parent = "reports",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(report_element_fields),
};

const SigmaResource sigma_resource_report_elements = {
	.name = "report_elements",
	.comment = "Elements on each page of each report",
	.path = "/v2/reports/{report_id}/pages/{page_id}/elements",
	.key = "element_id",
	.parent = "report_pages",
	.nothing = sigma_gone,
	.flat = &flat_report_elements,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(report_element_fields),
};

static const SigmaField report_column_fields[] = {
	INODE_KEY("report_id", "report_id", "Report that the element is in"),
	COLUMN_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

/* column_id repeats across elements, so it identifies no entry. */
const SigmaResource sigma_resource_report_columns = {
	.name = "report_columns",
	.comment = "Columns of the elements of each report",
	.path = "/v2/reports/{report_id}/columns",
	.other_path = "/v2/reports/{report_id}/elements/{element_id}/columns",
	.parent = "reports",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(report_column_fields),
};

static const SigmaField report_query_fields[] = {
	INODE_KEY("report_id", "report_id", "Report that the query belongs to"),
	ID("element_id", "elementId", "Element that the query is for"),
	READ("name", "name", TEXTOID, "Name of the element"),
	READ("sql", "sql", TEXTOID, "The query, in the warehouse's SQL"),
	READ("error", "error", TEXTOID, "Why there is no query, if there is none"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_report_queries = {
	.name = "report_queries",
	.comment = "SQL that the elements of each report send to the warehouse",
	.path = "/v2/reports/{report_id}/queries",
	.key = "element_id",
	.parent = "reports",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(report_query_fields),
};

static const SigmaField report_lineage_fields[] = {
	INODE_KEY("report_id", "report_id", "Report whose lineage it is"),
	LINEAGE_FIELDS("data_model_id"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_report_lineage = {
	.name = "report_lineage",
	.comment = "Elements of each report and where their data comes from, one row for each node",
	.path = "/v2/reports/{report_id}/lineage",
	.parent = "reports",
	.nothing = sigma_no_lineage,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(report_lineage_fields),
};

static const SigmaField report_source_fields[] = {
	INODE_KEY("report_id", "report_id", "Report that reads from the source"),
	READ("type", "type", TEXTOID, "Kind of source: table, dataset, data-model, custom-sql"),
	INODE("inode_id", "inodeId", "Of a table or dataset: url_id of connection_paths, or dataset_id of datasets"),
	INODE("data_model_id", "dataModelId", "Of a data model: its identifier"),
	READ("element_ids", "elementIds", JSONBOID, "Of a data model: the elements that are read, an array of strings"),
	ID("version_tag_id", "versionTagId", "Of a data model: the version tag that it is read at"),
	CUSTOM_SQL_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_report_sources = {
	.name = "report_sources",
	.comment = "What each report reads from",
	.path = "/v2/reports/{report_id}/sources",
	.parent = "reports",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_NONE,
	FIELDS(report_source_fields),
};

static const SigmaField report_control_fields[] = {
	INODE_KEY("report_id", "report_id", "Report that the control is in"),
	READ("name", "name", TEXTOID, "Name that URLs and the API set it by"),
	READ("value_type", "valueType", TEXTOID, "Type of its value: text, number, date, boolean, their lists and ranges"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_report_controls = {
	.name = "report_controls",
	.comment = "Controls of each report",
	.path = "/v2/reports/{report_id}/controls",
	.key = "name",
	.parent = "reports",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(report_control_fields),
};

static const SigmaField report_spec_fields[] = {
	INODE_KEY("report_id", "report_id", "Report that is represented"),
	SPEC,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_report_specs = {
	.name = "report_specs",
	.comment = "Each report as code: its pages, elements, columns, formulas, sources",
	.path = "/v2/reports/{report_id}/spec",
	.parent = "reports",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_OBJECT,
	FIELDS(report_spec_fields),
};

/* ------------------------------------------------ tags, versions, schedules */

static const SigmaField report_tag_fields[] = {
	INODE_KEY("report_id", "report_id", "Report that has the tag"),
	ID("version_tag_id", "versionTagId", "Identifier of the tag"),
	READ("tag_name", "tagName", TEXTOID, "Name of the tag"),
	READ("source_version", "sourceVersion", INT4OID, "Version of the report that the tag marks"),
	INODE("tagged_report_id", "taggedReportId", "Report that holds the tagged version"),
	READ("tagged_at", "taggedAt", TIMESTAMPTZOID, "When the tag was set"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_report_tags = {
	.name = "report_tags",
	.comment = "Version tags of each report",
	.path = "/v2/reports/{report_id}/tags",
	.key = "version_tag_id",
	.parent = "reports",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(report_tag_fields),
};

static const SigmaField report_version_fields[] = {
	INODE_KEY("report_id", "report_id", "Report that has the version"),
	READ("version", "version", INT4OID, "Number of the version"),
	READ("published_at", "publishedAt", TIMESTAMPTZOID, "When it was published"),
	ID("published_by", "publishedBy", "Member who published it"),
	READ("tags", "tags", JSONBOID, "Version tags that it has, an array of objects"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_report_version_history = {
	.name = "report_version_history",
	.comment = "Published versions of each report",
	.path = "/v2/reports/{report_id}/version-history",
	.key = "version",
	.parent = "reports",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(report_version_fields),
};

/* An entry's reportId is the key again. */
static const SigmaField report_schedule_fields[] = {
	INODE_KEY("report_id", "report_id", "Report that is exported"),
	ID("scheduled_notification_id", "scheduledNotificationId", "Identifier of the schedule"),
	SCHEDULE_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_report_schedules = {
	.name = "report_schedules",
	.comment = "When each report is exported",
	.path = "/v2/reports/{report_id}/schedules",
	.key = "scheduled_notification_id",
	.parent = "reports",
	.nothing = sigma_gone,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(report_schedule_fields),
};

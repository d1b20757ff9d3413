/*-------------------------------------------------------------------------
 *
 * catalog_administration.c
 *	  Entries of the catalogue: what administrators set up. Deployments to
 *	  tenants, certificates, and the outside services that Sigma calls.
 *
 * An organization has most of it only if it has paid for it, or taken part in
 * a beta.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/catalog_fields.h"

/* -------------------------------------------------- deployments to tenants */

static const SigmaField deployable_tenant_fields[] = {
	ID("tenant_organization_id", "tenantOrganizationId", "Identifier of the tenant"),
	READ("tenant_organization_name", "tenantOrganizationName", TEXTOID, "Display name"),
	READ("tenant_organization_slug", "tenantOrganizationSlug", TEXTOID, "Name in the tenant's URLs"),
	ATTRS,
};

/* What "search" looks at is not published. */
const SigmaResource sigma_resource_deployable_tenants = {
	.name = "deployable_tenants",
	.comment = "Organizations that this one can deploy documents to",
	.path = "/v2/deploymentPolicies/tenants",
	.key = "tenant_organization_id",
	.optional = true,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(deployable_tenant_fields),
};

/* An entry's own tenantOrganizationId is another tenant than the one asked about. */
static const SigmaField tenant_deployment_capability_fields[] = {
	KEY("tenant_organization_id", "tenant_organization_id", "Tenant that can deploy documents"),
	ID("deployable_tenant_organization_id", "tenantOrganizationId", "Tenant that it can deploy them to (the entry's tenantOrganizationId)"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_tenant_deployment_capabilities = {
	.name = "tenant_deployment_capabilities",
	.comment = "The tenants that each tenant can deploy documents to",
	.path = "/v2/tenants/{tenant_organization_id}/capabilities/deployments",
	.key = "deployable_tenant_organization_id",
	.parent = "tenants",
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(tenant_deployment_capability_fields),
};

static const SigmaField deployment_policy_fields[] = {
	ID("deployment_policy_id", "deploymentPolicyId", "Identifier of the deployment policy"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("name_in_tenant", "nameInTenant", TEXTOID, "Name of the workspace that it makes in the tenant"),
	ID("version_tag_id", "versionTagId", "Version tag whose versions are deployed; null: the published ones"),
	READ("source_swap_policies", "sourceSwapPolicies", JSONBOID, "Source swap policies that change connections on the way, an array of identifiers"),
	READ("copy_input_table_data", "copyInputTableData", BOOLOID, "Is the data of input tables deployed, too?"),
	ATTRS,
};

const SigmaResource sigma_resource_deployment_policies = {
	.name = "deployment_policies",
	.comment = "Which documents are deployed to which tenants",
	.path = "/v2/deploymentPolicies",
	.item_path = "/v2/deploymentPolicies/{deployment_policy_id}",
	.key = "deployment_policy_id",
	.optional = true,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(deployment_policy_fields),
};

/* An entry's deploymentPolicyId is the key again. */
static const SigmaField deployment_policy_file_fields[] = {
	KEY("deployment_policy_id", "deployment_policy_id", "Deployment policy that deploys the document"),
	INODE("inode_id", "inodeId", "Identifier of the document"),
	READ("inode", "inode", JSONBOID, "The document, an object; null if it is gone"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_deployment_policy_files = {
	.name = "deployment_policy_files",
	.comment = "The documents that each deployment policy deploys",
	.path = "/v2/deploymentPolicies/{deployment_policy_id}/files",
	.key = "inode_id",
	.parent = "deployment_policies",
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(deployment_policy_file_fields),
};

static const SigmaField deployment_policy_tenant_fields[] = {
	KEY("deployment_policy_id", "deployment_policy_id", "Deployment policy that deploys to the tenant"),
	ID("tenant_organization_id", "tenantOrganizationId", "Tenant that it deploys to"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_deployment_policy_tenants = {
	.name = "deployment_policy_tenants",
	.comment = "The tenants that each deployment policy deploys to",
	.path = "/v2/deploymentPolicies/{deployment_policy_id}/tenants",
	.key = "tenant_organization_id",
	.parent = "deployment_policies",
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	.bare_field = "tenantOrganizationId",
	FIELDS(deployment_policy_tenant_fields),
};

static const SigmaField source_swap_policy_fields[] = {
	ID("policy_id", "policyId", "Identifier of the source swap policy"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("type", "type", TEXTOID, "What it is for: connection, deployment"),
	INODE("from_connection_id", "fromConnectionId", "Connection that is swapped for another"),
	READ("swaps", "swaps", JSONBOID, "What becomes of its sources, an object"),
	ATTRS,
};

const SigmaResource sigma_resource_source_swap_policies = {
	.name = "source_swap_policies",
	.comment = "How documents change connections when they are deployed (partly in beta)",
	.path = "/v2/sourceSwapPolicies",
	.item_path = "/v2/sourceSwapPolicies/{policy_id}",
	.key = "policy_id",
	.optional = true,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(source_swap_policy_fields),
};

/* -------------------------------------------------------------------- SAML */

static const SigmaField saml_service_provider_fields[] = {
	ID("saml_service_provider_id", "samlServiceProviderId", "Identifier of the service provider"),
	ATTRS,
};

const SigmaResource sigma_resource_saml_service_providers = {
	.name = "saml_service_providers",
	.comment = "SAML service providers of the organization (beta)",
	.path = "/v2/saml/service-providers",
	.key = "saml_service_provider_id",
	.optional = true,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(saml_service_provider_fields),
};

/* An entry's samlServiceProviderId is the key again. */
static const SigmaField saml_certificate_fields[] = {
	KEY("saml_service_provider_id", "saml_service_provider_id", "Service provider that has the certificate"),
	ID("saml_service_provider_certificate_id", "samlServiceProviderCertificateId", "Identifier of the certificate"),
	READ("purpose", "purpose", TEXTOID, "What it is for: signing, encryption"),
	READ("is_active", "isActive", BOOLOID, "Is it in use?"),
	READ("not_before", "notBefore", TIMESTAMPTZOID, "When it becomes valid"),
	READ("not_after", "notAfter", TIMESTAMPTZOID, "When it expires"),
	READ("public_key_certificate", "publicKeyCertificate", TEXTOID, "The certificate, in PEM"),
	CHANGE_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_saml_certificates = {
	.name = "saml_certificates",
	.comment = "Certificates of each SAML service provider, and when they expire (beta)",
	.path = "/v2/saml/service-providers/{saml_service_provider_id}/certificates",
	.key = "saml_service_provider_certificate_id",
	.parent = "saml_service_providers",
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(saml_certificate_fields),
};

/* -------------------------------------------------- services outside of Sigma */

static const SigmaField api_connector_fields[] = {
	ID("api_connector_id", "apiConnectorId", "Identifier of the connector"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("description", "description", TEXTOID, "Description"),
	ATTRS,
};

static const SigmaFilter api_filters[] = {
	FILTER("name", "name"),
};

/* A single connector has more than the list shows, so it is not looked up by its key. */
const SigmaResource sigma_resource_api_connectors = {
	.name = "api_connectors",
	.comment = "Calls of external APIs that actions can make",
	.path = "/v2/api-connectors",
	.key = "api_connector_id",
	.optional = true,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(api_connector_fields),
	FILTERS(api_filters),
};

static const SigmaField api_credential_fields[] = {
	ID("api_credential_id", "apiCredentialId", "Identifier of the credential"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("description", "description", TEXTOID, "Description"),
	READ("auth_method", "authMethod", TEXTOID, "How it signs in: basic, bearer, apiKey, oAuthClientCredentials, ..."),
	READ("allowlist", "allowlist", JSONBOID, "Hosts that it may be used for, an array of patterns"),
	ATTRS,
};

/* The same holds for a single credential. */
const SigmaResource sigma_resource_api_credentials = {
	.name = "api_credentials",
	.comment = "Credentials that API connectors sign in with; their secrets are not shown",
	.path = "/v2/api-credentials",
	.key = "api_credential_id",
	.optional = true,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(api_credential_fields),
	FILTERS(api_filters),
};

/* ------------------------------------------------------ what extends Sigma */

/* Newer than the API's description, as is what follows; in beta. */
static const SigmaField plugin_fields[] = {
	ID("plugin_id", "pluginId", "Identifier of the plugin"),
	READ("name", "name", TEXTOID, "Display name"),
	READ("description", "description", TEXTOID, "Description"),
	READ("type", "type", TEXTOID, "Kind of plugin"),
	READ("url", "url", TEXTOID, "Where it is hosted; empty if it is nowhere"),
	READ("dev_url", "devUrl", TEXTOID, "Where it is hosted while it is developed"),
	ATTRS,
};

const SigmaResource sigma_resource_plugins = {
	.name = "plugins",
	.comment = "Plugins of the organization (beta)",
	.path = "/v2/plugins",
	.key = "plugin_id",
	.optional = true,
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(plugin_fields),
};

static const SigmaField credential_fields[] = {
	ID("client_id", "clientId", "Identifier that the client signs in with"),
	ID("owner_id", "ownerId", "Member whom the client acts as"),
	READ("scopes", "scopes", JSONBOID, "What it may be used for, an array: api, embed"),
	ATTRS,
};

/* How its pages are linked is not published. */
const SigmaResource sigma_resource_credentials = {
	.name = "credentials",
	.comment = "API clients of the organization; their secrets are not shown",
	.path = "/v2/credentials",
	.key = "client_id",
	.optional = true,
	.paging = SIGMA_PAGING_FOUND,
	FIELDS(credential_fields),
};

/* ---------------------------------------------------------------- settings */

static const SigmaField organization_setting_fields[] = {
	NAME_KEY("name", "name", "Name of the setting: auditLogging, bulkCopy, comments, csvUpload, ..."),
	READ("enabled", "enabled", BOOLOID, "Is it switched on?"),
	READ("timezone", "timezone", TEXTOID, "Of the setting timezone: the time zone"),
	ATTRS,
	ERROR_COLUMN,
};

/* There is no list of them. */
static const char *const organization_setting_names[] = {
	"aiChatHistory", "auditLogging", "bulkCopy", "comments", "csvUpload", "emailBranding",
	"licenseUpgradeRequests", "publicEmbeds", "sampleConnections", "timezone", NULL
};

const SigmaResource sigma_resource_organization_settings = {
	.name = "organization_settings",
	.comment = "Settings of the organization, one request for each; attrs has the values of those that are more than a switch",
	.path = "/v2/organizations/settings/{name}",
	.key_values = organization_setting_names,
	.optional = true,
	.paging = SIGMA_PAGING_OBJECT,
	FIELDS(organization_setting_fields),
};

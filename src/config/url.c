/*-------------------------------------------------------------------------
 *
 * url.c
 *	  Regions, URLs, and who may name which.
 *
 * Where secrets may go is decided here: only a superuser may name a host that
 * is not one of the published ones.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/formatting.h"

#include "base/base.h"
#include "config/config_internal.h"

typedef struct Region
{
	const char *name;
	const char *base_url;
} Region;

/* Sigma's regions and their hosts, as published. */
static const Region regions[] = {
	{"gcp-us", "https://api.sigmacomputing.com"},
	{"gcp-ksa", "https://api.sa.gcp.sigmacomputing.com"},
	{"aws-us-west", "https://aws-api.sigmacomputing.com"},
	{"aws-us-east", "https://api.us-a.aws.sigmacomputing.com"},
	{"aws-ca", "https://api.ca.aws.sigmacomputing.com"},
	{"aws-eu", "https://api.eu.aws.sigmacomputing.com"},
	{"aws-au", "https://api.au.aws.sigmacomputing.com"},
	{"aws-uk", "https://api.uk.aws.sigmacomputing.com"},
	{"azure-us", "https://api.us.azure.sigmacomputing.com"},
	{"azure-eu", "https://api.eu.azure.sigmacomputing.com"},
	{"azure-ca", "https://api.ca.azure.sigmacomputing.com"},
	{"azure-uk", "https://api.uk.azure.sigmacomputing.com"},
	{"azure-au", "https://api.au.azure.sigmacomputing.com"},
};

typedef struct Url
{
	bool		https;
	char	   *host;			/* lower case, an IPv6 address without brackets */
	bool		has_port;
	bool		has_path;
} Url;

void
sigma_bad_value(const char *option, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\"", option),
			 hint ? errhint("%s", hint) : 0));
}

/*
 * Takes a URL apart.  It is strict: what is not plainly scheme, host, port and
 * path is refused, so that no two readers can disagree about the host.
 */
static bool
parse_url(const char *text, Url *url)
{
	static const char host_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	static const char path_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_~/";
	const char *p;
	size_t		length;

	if (strncmp(text, "https://", 8) == 0)
		url->https = true, p = text + 8;
	else if (strncmp(text, "http://", 7) == 0)
		url->https = false, p = text + 7;
	else
		return false;

	if (*p == '[')
	{
		length = strspn(p + 1, "0123456789abcdefABCDEF:");
		if (length < 2 || p[length + 1] != ']')
			return false;
		url->host = pnstrdup(p + 1, length);
		p += length + 2;
	}
	else
	{
		length = strspn(p, host_chars);
		if (length == 0 || *p == '.' || *p == '-')
			return false;
		url->host = pnstrdup(p, length);
		p += length;
	}
	for (char *c = url->host; *c; c++)
		*c = pg_tolower((unsigned char) *c);

	url->has_port = false;
	if (*p == ':')
	{
		long		port;

		length = strspn(p + 1, "0123456789");
		if (length == 0 || length > 5)
			return false;
		port = strtol(p + 1, NULL, 10);
		if (port < 1 || port > 65535)
			return false;
		url->has_port = true;
		p += length + 1;
	}
	url->has_path = *p != '\0' && strcmp(p, "/") != 0;
	if (*p != '\0' && *p != '/')
		return false;
	if (strstr(p, "//") || strstr(p, "/.") || p[strspn(p, path_chars)] != '\0')
		return false;
	return true;
}

/*
 * Does the host name mean this machine, without a DNS lookup?  An address
 * must be written as such everywhere: what only some take for one ("127.1", say,
 * or "127.09.0.1") is a name to others, and anybody may answer for it.
 */
static bool
is_loopback(const char *host)
{
	struct in_addr address;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* The region whose host it is, or NULL. */
static const char *
region_of_host(const char *host)
{
	for (int i = 0; i < (int) lengthof(regions); i++)
		if (strcmp(host, regions[i].base_url + strlen("https://")) == 0)
			return regions[i].name;
	return NULL;
}

static bool
is_published(const Url *url)
{
	return region_of_host(url->host) != NULL;
}

bool
sigma_url_is_loopback(const char *text)
{
	Url			url;

	return parse_url(text, &url) && is_loopback(url.host);
}

char *
sigma_url_origin(const char *url)
{
	size_t		host = strstr(url, "://") + strlen("://") - url;
	size_t		length = host + strcspn(url + host, "/");

	return asc_tolower(url, length);
}

static const char *
closest_region(const char *name)
{
	const char *names[lengthof(regions)];

	for (int i = 0; i < (int) lengthof(regions); i++)
		names[i] = regions[i].name;
	return sigma_closest(name, names, lengthof(names));
}

const char *
sigma_region_url(const char *name)
{
	for (int i = 0; i < (int) lengthof(regions); i++)
		if (strcmp(regions[i].name, name) == 0)
			return regions[i].base_url;
	return NULL;
}

char *
sigma_region_names(void)
{
	StringInfoData all;

	initStringInfo(&all);
	for (int i = 0; i < (int) lengthof(regions); i++)
		appendStringInfo(&all, "%s%s", i ? ", " : "", regions[i].name);
	return all.data;
}

void
sigma_check_region(const char *value)
{
	const char *closest;
	Url			url;

	if (sigma_region_url(value))
		return;
	/* what Sigma shows is the address, and not the region's name */
	closest = region_of_host(parse_url(value, &url) ? url.host : value);
	if (closest == NULL)
		closest = closest_region(value);
	if (closest)
		sigma_bad_value("region", psprintf("Perhaps you meant the region \"%s\".", closest));
	sigma_bad_value("region", psprintf("Valid regions are %s.", sigma_region_names()));
}

void
sigma_check_url(const char *option, const char *value, bool setting)
{
	Url			url;

	if (sigma_region_url(value))
		sigma_bad_value(option, "This is the name of a region, for which there is the option \"region\".");
	if (!parse_url(value, &url))
		sigma_bad_value(option, "It must look like https://host, https://host:port or https://host:port/path, without user, query or fragment.");
	if (!url.https && !is_loopback(url.host))
		sigma_bad_value(option, "It must begin with https://; plain http is only for a server on this machine (localhost, 127.0.0.1, [::1]).");
	/* a token URL has a path, a base URL of Sigma's has none */
	if (setting && (!url.https || !is_published(&url) || url.has_port ||
					(url.has_path && strcmp(option, "base_url") == 0)) &&
		!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set option \"%s\" to a host that is not one of Sigma's", option),
				 errhint("Only a superuser may do that; name a region instead.")));
}

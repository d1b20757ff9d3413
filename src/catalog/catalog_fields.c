/*-------------------------------------------------------------------------
 *
 * catalog_fields.c
 *	  What entries of several topics share.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/catalog_fields.h"

/*
 * How a document that is archived answers, or what stands below it: one that
 * has gone since the list of documents was read is not found.
 */
const SigmaNothing sigma_gone[] = {
	{404, NULL},
	{409, "inode_archived"},
	{400, "inode_archived"},
	{0, NULL}
};

/*
 * How a document answers that has no lineage, besides.  A 403 is not among
 * them: it may mean so, but also that the reader may not see it.
 */
const SigmaNothing sigma_no_lineage[] = {
	{404, NULL},
	{409, "inode_archived"},
	{400, NULL},
	{0, NULL}
};

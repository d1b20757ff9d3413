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

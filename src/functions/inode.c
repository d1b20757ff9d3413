/*-------------------------------------------------------------------------
 *
 * inode.c
 *	  The SQL function for the two spellings of an object's identifier, see
 *	  key.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "catalog/catalog.h"

PG_FUNCTION_INFO_V1(sigma_inode_id);

/*
 * sigma_inode_id(id) returns text: the identifier as a UUID, however it is
 * spelled; what is no such identifier comes back as it is.
 */
Datum
sigma_inode_id(PG_FUNCTION_ARGS)
{
	char	   *id = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(sigma_key_spelling(SIGMA_INODE, id)));
}

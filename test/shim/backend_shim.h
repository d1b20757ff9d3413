/*-------------------------------------------------------------------------
 *
 * backend_shim.h
 *	  As much of a backend as the files of src/ need that read replies.
 *
 * Memory: every palloc is a malloc of its own, so that AddressSanitizer sees
 * each byte too many and each use after a reset.  Errors: ereport(ERROR) runs
 * the context callbacks and jumps to the innermost PG_TRY, as in a backend;
 * without one the program aborts.  Encodings: UTF-8, LATIN1 and SQL_ASCII.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BACKEND_SHIM_H
#define BACKEND_SHIM_H

#include "postgres.h"

#include "utils/memutils.h"
#include "utils/palloc.h"

/* The last report, of any level. */
typedef struct ShimReport
{
	int			elevel;
	int			sqlstate;
	char		message[2048];
	char		detail[2048];
	char		hint[2048];
	char		context[2048];
} ShimReport;

extern ShimReport shim_report;
extern int	shim_warnings;		/* reports below ERROR so far */
extern int	shim_encoding;		/* of the database */

extern MemoryContext shim_context(void);

#endif							/* BACKEND_SHIM_H */

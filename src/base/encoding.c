/*-------------------------------------------------------------------------
 *
 * encoding.c
 *	  Text in the database's encoding, as the API wants it.
 *
 * PostgreSQL looks a conversion up in the catalogs each time, which cannot be
 * done once a transaction is being rolled back.  But a rollback may have to
 * sign in again, and credentials need not be ASCII.  So the conversion is
 * looked up while it can be, as PostgreSQL itself does for the client's
 * encoding.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "base/base.h"

/* From the database's encoding to UTF-8; fn_oid is not valid if there is none. */
static FmgrInfo conversion = {.fn_oid = InvalidOid};

void
sigma_prepare_conversion(void)
{
	Oid			proc;

	if (OidIsValid(conversion.fn_oid) || GetDatabaseEncoding() == PG_UTF8 ||
		GetDatabaseEncoding() == PG_SQL_ASCII)
		return;
	proc = FindDefaultConversionProc(GetDatabaseEncoding(), PG_UTF8);
	if (OidIsValid(proc))
		fmgr_info_cxt(proc, &conversion, TopMemoryContext);
}

char *
sigma_to_utf8(const char *text)
{
	int			length = (int) strlen(text);
	char	   *utf8;

	if (IsTransactionState() || !OidIsValid(conversion.fn_oid))
		return pg_server_to_any(text, length, PG_UTF8);
	utf8 = palloc((Size) length * MAX_CONVERSION_GROWTH + 1);
	(void) FunctionCall6(&conversion, Int32GetDatum(GetDatabaseEncoding()), Int32GetDatum(PG_UTF8),
						 CStringGetDatum(text), CStringGetDatum(utf8), Int32GetDatum(length),
						 BoolGetDatum(false));
	return utf8;
}

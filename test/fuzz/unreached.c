/*-------------------------------------------------------------------------
 *
 * unreached.c
 *	  What the files under test call, but not on the paths under test.
 *
 * The coverage tables of libFuzzer keep every function, so that the linker
 * asks for all that any of them calls.  If the linker misses another one, it
 * belongs here, or into ../shim/backend_shim.c if a target does reach it.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

/* without PostgreSQL's headers: the true types do not matter here */
#define UNREACHED(name) \
	extern void name(void); \
	void name(void) { abort(); }

UNREACHED(bms_next_member)
UNREACHED(bms_num_members)
UNREACHED(fmgr_info)
UNREACHED(getBaseType)
UNREACHED(getTypeInputInfo)
UNREACHED(geterrcode)
UNREACHED(jsonb_in)

UNREACHED(quote_identifier)
UNREACHED(sigma_column_control_option)
UNREACHED(sigma_column_field_option)
UNREACHED(varstr_levenshtein_less_equal)

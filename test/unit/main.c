/*-------------------------------------------------------------------------
 *
 * main.c
 *	  Runs the unit tests and writes what they find as TAP.
 *
 *-------------------------------------------------------------------------
 */
#include "tap.h"

int
main(void)
{
	test_retry();
	test_retry_after();
	test_jsontext();
	test_jsonwalk();
	test_report();
	test_json();
	test_path();
	test_key();
	test_jwt();
	test_pager();
	test_catalog();
	test_wire();
	test_openapi();
	test_naming();
	test_jsonsplit();
	test_visit();
	test_quick();
	return tap_finish();
}

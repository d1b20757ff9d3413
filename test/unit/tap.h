/*-------------------------------------------------------------------------
 *
 * tap.h
 *	  A minimum of the Test Anything Protocol.
 *
 * A case is one TAP line; it may hold any number of expectations, so that a
 * rule can be tried with thousands of inputs and still be one line.  A failed
 * expectation says what it was about, in a "#" line.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>

extern void tap_begin(const char *name);
extern bool tap_expect(bool ok, const char *file, int line, const char *format,...)
			__attribute__((format(__printf__, 4, 5)));
extern void tap_end(void);
extern int	tap_finish(void);

#define EXPECT(condition, ...) \
	tap_expect((condition), __FILE__, __LINE__, __VA_ARGS__)

/* What each file of tests offers to main.c. */
extern void test_retry(void);
extern void test_retry_after(void);
extern void test_jsontext(void);
extern void test_jsonwalk(void);
extern void test_report(void);
extern void test_json(void);
extern void test_path(void);
extern void test_key(void);
extern void test_jwt(void);
extern void test_pager(void);
extern void test_catalog(void);
extern void test_wire(void);
extern void test_openapi(void);
extern void test_naming(void);
extern void test_jsonsplit(void);
extern void test_visit(void);
extern void test_quick(void);

#endif							/* TAP_H */

/*-------------------------------------------------------------------------
 *
 * tap.c
 *	  A minimum of the Test Anything Protocol.
 *
 *-------------------------------------------------------------------------
 */
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>

/* So many failed expectations of one case are shown; the rest is counted. */
#define SHOWN 5

static const char *current;
static int	failed_here;
static int	passed;
static int	failed;

void
tap_begin(const char *name)
{
	current = name;
	failed_here = 0;
}

bool
tap_expect(bool ok, const char *file, int line, const char *format,...)
{
	va_list		args;

	if (ok || ++failed_here > SHOWN)
		return ok;
	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	return false;
}

void
tap_end(void)
{
	if (failed_here > SHOWN)
		printf("# and %d more\n", failed_here - SHOWN);
	printf("%sok %d - %s\n", failed_here ? "not " : "", passed + failed + 1, current);
	if (failed_here)
		failed++;
	else
		passed++;
	/* a crash in the next case must not swallow this line */
	fflush(stdout);
}

/* The plan and the closing line; the program's exit status. */
int
tap_finish(void)
{
	printf("1..%d\n", passed + failed);
	printf("%d passed, %d failed\n", passed, failed);
	return failed ? 1 : 0;
}

/*
 * Preloaded, with libasan, into a server that is built without it.
 *
 * With libasan in front of a program that is not linked with it, glibc's locks
 * of locales and message catalogues may be out of balance before main()
 * begins, and the first function that needs one for writing never returns.
 * The tests read untranslated messages, so the functions that the server calls
 * need not do anything.  And what the server executes, as curl, is spared it.
 */
#include <libintl.h>
#include <stddef.h>
#include <stdlib.h>

__attribute__((constructor)) static void
spare_other_programs(void)
{
	unsetenv("LD_PRELOAD");
}

char *
textdomain(const char *domain)
{
	return (char *) (domain ? domain : "messages");
}

char *
bindtextdomain(const char *domain, const char *directory)
{
	(void) domain;
	return (char *) directory;
}

char *
bind_textdomain_codeset(const char *domain, const char *codeset)
{
	(void) domain;
	return (char *) codeset;
}

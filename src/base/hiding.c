/*-------------------------------------------------------------------------
 *
 * hiding.c
 *	  Keeps statements that may hold secrets out of the log.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"

/* Keeps statement and context out of the log: for errors of others, too. */
static void
hide_statement(void *arg UNUSED)
{
	errhidestmt(true);
	errhidecontext(true);
}

void
sigma_hide_statement(SigmaHiding *hiding)
{
	hiding->saved = error_context_stack;
	hiding->callback.callback = hide_statement;
	hiding->callback.arg = NULL;
	/* the end of the chain: nobody further out adds a word */
	hiding->callback.previous = NULL;
	error_context_stack = &hiding->callback;
}

void
sigma_show_statement(const SigmaHiding *hiding)
{
	/* hidden and shown in pairs, as brackets are */
	Assert(error_context_stack == &hiding->callback);
	error_context_stack = hiding->saved;
}

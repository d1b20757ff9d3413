/*-------------------------------------------------------------------------
 *
 * replies.h
 *	  A session whose server is a text: the pages that it will answer with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLIES_H
#define REPLIES_H

#include "postgres.h"

#include "base/base.h"
#include "session/session.h"

/* Between two pages; it has no place in JSON. */
#define PAGE_END 0x1E

/*
 * Pages are given out in the order of the requests.  One that begins with "!"
 * is a request that failed, one that begins with "?" is a 404; so is each
 * behind the last, as a failure.
 */
typedef struct Replies
{
	const char *data;
	size_t		length;
	int			concurrency;
	int			requests;		/* made */
	int			waited;			/* whose reply was waited for, whatever it was */
	void		(*on_page) (SigmaSpan body);	/* called when a page is waited for */
} Replies;

extern SigmaSession *replies_session(Replies *replies);

#endif							/* REPLIES_H */

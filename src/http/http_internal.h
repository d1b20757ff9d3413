/*-------------------------------------------------------------------------
 *
 * http_internal.h
 *	  What only the files of http/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_HTTP_INTERNAL_H
#define SIGMA_HTTP_INTERNAL_H

#include "http/http.h"

/* ---------------------------------------------------------- watchdog.c */

extern void sigma_watch_socket(int fd);
extern void sigma_unwatch_socket(int fd);
extern int	sigma_watchdog_signal(void);
extern void sigma_watchdog_begin(int limit_ms);
extern bool sigma_watchdog_end(void);

/* ----------------------------------------------------------- inflate.c */

extern SigmaInflater *sigma_inflate_begin(const char *body, size_t length, size_t max);
extern SigmaInflateResult sigma_inflate_step(SigmaInflater *inflater);
extern char *sigma_inflate_take(SigmaInflater *inflater, size_t *length);
extern void sigma_inflate_feed(SigmaInflater *inflater, const char *data, size_t length);
extern size_t sigma_inflate_unused(const SigmaInflater *inflater);
extern bool sigma_inflate_is_whole(const SigmaInflater *inflater);
extern SigmaSpan sigma_inflate_decoded(const SigmaInflater *inflater);
extern void sigma_inflate_drop(SigmaInflater *inflater, size_t n);
extern void sigma_inflate_end(SigmaInflater *inflater);

/* -------------------------------------------------------------- limit.c */

extern double sigma_transport_lend(SigmaTransport *t, double timeout_ms);

/* ------------------------------------------------------------- socket.c */

extern bool sigma_transport_socket(const SigmaTransport *t, int i, int *fd, bool *to_read,
								   bool *to_write);

#endif							/* SIGMA_HTTP_INTERNAL_H */

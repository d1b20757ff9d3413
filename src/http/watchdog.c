/*-------------------------------------------------------------------------
 *
 * watchdog.c
 *	  Ends a stay in libcurl that takes too long.
 *
 * While libcurl runs, signals are blocked and nobody looks for a cancel.  It
 * works on sockets that do not block, so a stay takes microseconds; but it
 * goes on for as long as a peer keeps its sockets full with something that it
 * reads over, and then nothing of PostgreSQL's could end it.  The ways to do
 * that which are known are closed elsewhere (no HTTP/2, no decoding inside of
 * libcurl, bounded heads).  This is for those that are not.
 *
 * A timer looks at the stay now and then.  If somebody wants to end the session
 * or the statement, or if the stay has taken too much processor time, the
 * sockets are shut down: the next read finds the end of the stream, the
 * transfer fails, and libcurl returns.  Processor time rather than the clock,
 * so that a machine that is busy or asleep, or a debugger, harms nobody.
 *
 * The timer's signal is a real-time one, which PostgreSQL does not use; its
 * handler is there only during a stay.  It is sent to this very thread, since
 * libcurl's resolver threads must not take it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "base/base.h"
#include "http/http_internal.h"

#if defined(__linux__) && defined(SYS_gettid) && defined(SIGEV_THREAD_ID)
#define HAVE_WATCHDOG 1
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
#endif

/* How often a stay is looked at, in ms of the clock: a cancel is to act within 250. */
#define LOOK_MS 100

/* More sockets than that are not watched: max_concurrency allows 64 a session. */
#define MAX_WATCHED 512

/* The sockets that are open, or -1; the handler reads it at any moment. */
static volatile int watched[MAX_WATCHED];
static volatile int nwatched = 0;	/* no more places than these are in use */

/* A socket is open from now on. */
void
sigma_watch_socket(int fd)
{
	int			i;

	for (i = 0; i < nwatched && watched[i] != -1; i++)
		;
	if (i == MAX_WATCHED)
		return;
	watched[i] = fd;
	if (i == nwatched)
		nwatched = i + 1;
}

/* It is about to be closed. */
void
sigma_unwatch_socket(int fd)
{
	for (int i = 0; i < nwatched; i++)
		if (watched[i] == fd)
			watched[i] = -1;
}

#ifdef HAVE_WATCHDOG

static volatile sig_atomic_t struck;
static timer_t timer;
static pid_t timer_owner = 0;	/* the process that has made it; a fork has none */
static struct sigaction previous;
static int64 end_ms;			/* of the stay, in this thread's processor time */

/* The signal, which must not be among those that are blocked meanwhile. */
int
sigma_watchdog_signal(void)
{
	return SIGRTMIN + 7;
}

static int64
processor_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Does a signal wait that is to end what this session does? */
static bool
is_end_wanted(void)
{
	sigset_t	pending;

	return sigpending(&pending) == 0 &&
		(sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
	/* PostgreSQL has this one for many a purpose */
		 (sigismember(&pending, SIGALRM) && get_timeout_active(STATEMENT_TIMEOUT) &&
		  get_timeout_finish_time(STATEMENT_TIMEOUT) <= GetCurrentTimestamp()));
}

static void
strike(int signo UNUSED)
{
	int			saved_errno = errno;

	if (processor_ms() < end_ms && !is_end_wanted())
		return;
	struck = true;
	for (int i = 0; i < nwatched; i++)
		if (watched[i] != -1)
			(void) shutdown(watched[i], SHUT_RDWR);
	errno = saved_errno;
}

/* A stay begins, which may take so much processor time, in ms. */
void
sigma_watchdog_begin(int limit_ms)
{
	struct sigaction action = {.sa_handler = strike, .sa_flags = SA_RESTART};

	/* also after it has struck: that may have been between two connections */
	struct itimerspec looks = {.it_value = {0, LOOK_MS * 1000000L}, .it_interval = {0, LOOK_MS * 1000000L}};

	struck = false;
	end_ms = processor_ms() + limit_ms;
	if (timer_owner != getpid())
	{
		struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID};

		event.sigev_signo = sigma_watchdog_signal();
		event.sigev_notify_thread_id = (pid_t) syscall(SYS_gettid);
		if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
			return;
		timer_owner = getpid();
	}
	sigemptyset(&action.sa_mask);
	sigaction(sigma_watchdog_signal(), &action, &previous);
	timer_settime(timer, 0, &looks, NULL);
}

/* It has ended: did it take longer? */
bool
sigma_watchdog_end(void)
{
	struct itimerspec never = {{0, 0}, {0, 0}};

	if (timer_owner != getpid())
		return false;
	timer_settime(timer, 0, &never, NULL);
	sigaction(sigma_watchdog_signal(), &previous, NULL);
	return struck;
}

#else							/* !HAVE_WATCHDOG */

int
sigma_watchdog_signal(void)
{
	return 0;
}

void
sigma_watchdog_begin(int limit_ms UNUSED)
{
}

bool
sigma_watchdog_end(void)
{
	return false;
}

#endif							/* HAVE_WATCHDOG */

/*-------------------------------------------------------------------------
 *
 * callback.c
 *	  What happens when a transaction or a subtransaction ends, and in which
 *	  order.
 *
 * There is one callback for each, registered when the library is loaded.
 * PostgreSQL calls callbacks in the reverse order of their registration; were
 * there one for each file, the order would depend on what a session did first.
 *
 * Before the commit, the queue is sent: it may raise, and then all ends as in a
 * rollback.  Before PREPARE, a transaction that has written is refused, since
 * what it has yet to do or to undo cannot outlive the process.
 *
 * At the end, after the commit or the rollback:
 *
 *	  1. The queue is emptied.  What was not sent never will be, this cannot
 *		 fail, and its bodies, which may hold secrets, are wiped before
 *		 anything waits.
 *	  2. Effects are undone or named, if it is a rollback.  That makes
 *		 requests, over sessions that the effects have pinned, and waits for
 *		 them.
 *	  3. Sessions are swept: none is pinned any more, so that one that has
 *		 become stale meanwhile can go.
 *
 * Nothing raises at the end.  A subtransaction has the first two steps, and its
 * commit hands what it has on to its parent.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"

#include "base/base.h"
#include "session/session.h"
#include "txn/txn_internal.h"

static void
on_transaction_event(XactEvent event, void *arg UNUSED)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			sigma_queue_send();
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (sigma_queue_any(InvalidOid) || sigma_effects_any())
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has written to Sigma")));
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
			sigma_queue_forget();
			if (event == XACT_EVENT_ABORT)
				sigma_effects_roll_back(1);
			sigma_effects_forget();
			sigma_session_sweep();
			break;
		default:
			break;
	}
}

static void
on_subtransaction_event(SubXactEvent event, SubTransactionId subid UNUSED,
						SubTransactionId parent UNUSED, void *arg UNUSED)
{
	int			level = GetCurrentTransactionNestLevel();

	switch (event)
	{
		case SUBXACT_EVENT_ABORT_SUB:
			sigma_queue_take_back(level);
			sigma_effects_roll_back(level);
			break;
		case SUBXACT_EVENT_COMMIT_SUB:
			sigma_queue_hand_on(level);
			sigma_effects_hand_on(level);
			break;
		default:
			break;
	}
}

void
sigma_txn_init(void)
{
	RegisterXactCallback(on_transaction_event, NULL);
	RegisterSubXactCallback(on_subtransaction_event, NULL);
}

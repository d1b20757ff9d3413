/*-------------------------------------------------------------------------
 *
 * kept.c
 *	  Rows of a scan that are kept, since they may be wanted again, or must be
 *	  read before something else happens.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "fdw/fdw_internal.h"

static void
begin(SigmaKept *kept)
{
	MemoryContext old = MemoryContextSwitchTo(kept->context);

	kept->store = tuplestore_begin_heap(false, false, work_mem);
	tuplestore_set_eflags(kept->store, EXEC_FLAG_REWIND);
	/* another place to append from while the reader stands at its own */
	(void) tuplestore_alloc_read_pointer(kept->store, EXEC_FLAG_REWIND);
	if (kept->slot == NULL)
		kept->slot = MakeSingleTupleTableSlot(kept->desc, &TTSOpsMinimalTuple);
	kept->complete = false;
	MemoryContextSwitchTo(old);
}

void
sigma_end_kept(SigmaKept *kept)
{
	if (kept->store)
		tuplestore_end(kept->store);
	kept->store = NULL;
	kept->complete = false;
}

void
sigma_complete_kept(SigmaKept *kept)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(kept->desc, &TTSOpsVirtual);

	if (kept->store == NULL)
		begin(kept);
	tuplestore_select_read_pointer(kept->store, 1);
	for (;;)
	{
		kept->fetch(kept->arg, slot);
		if (TupIsNull(slot))
			break;
		tuplestore_puttupleslot(kept->store, slot);
	}
	tuplestore_select_read_pointer(kept->store, 0);
	kept->complete = true;
	ExecDropSingleTupleTableSlot(slot);
}

TupleTableSlot *
sigma_next_kept(SigmaKept *kept, TupleTableSlot *slot)
{
	if (kept->store == NULL)
		begin(kept);
	if (tuplestore_gettupleslot(kept->store, true, false, kept->slot))
	{
		ExecCopySlot(slot, kept->slot);
		/* what comes from a file is allocated in the row's context, and must not be freed after it */
		ExecClearTuple(kept->slot);
		return slot;
	}
	if (kept->complete)
		return ExecClearTuple(slot);
	kept->fetch(kept->arg, slot);
	if (TupIsNull(slot))
		kept->complete = true;
	else
		tuplestore_puttupleslot(kept->store, slot);
	return slot;
}

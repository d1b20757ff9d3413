/*-------------------------------------------------------------------------
 *
 * connection_store.c
 *	  The organization's connections.
 *
 * A connection lives in a slot, and its id tells the slot.  The slot of a
 * generated connection holds nothing until something changes it, so that a
 * million of them cost eight bytes each.
 *
 * The caller holds the organization lock.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "simulator.h"

static Connection **slots;
static int64_t nslots;
static int64_t slots_size;
static int64_t ngenerated;		/* the first slots are generated ones */
static int64_t narchived;
static int64_t ncreated;

static void
connection_free(Connection *conn)
{
	if (conn == NULL)
		return;
	free(conn->name);
	free(conn->type);
	free(conn->text);
	cJSON_Delete(conn->entry);
	cJSON_Delete(conn->details);
	free(conn);
}

void
store_free(void)
{
	for (int64_t i = 0; i < nslots; i++)
		connection_free(slots[i]);
	free(slots);
	slots = NULL;
	nslots = slots_size = ngenerated = narchived = ncreated = 0;
}

/* Begin anew with what the command line asked for. */
void
store_init(void)
{
	store_free();
	if (options.connections < 0)
	{
		seed_connections();
		return;
	}
	ngenerated = nslots = slots_size = options.connections;
	if (nslots > 0)
		slots = xmalloc((size_t) nslots * sizeof(Connection *));
}

int64_t
store_count(void)
{
	return nslots;
}

/* How many were created by requests. */
int64_t
store_created(void)
{
	return ncreated;
}

bool
store_all_live(void)
{
	return narchived == 0;
}

void
store_id(int64_t slot, char *id)
{
	make_id("connection", slot, id);
}

/* The slot of a connection, or -1. */
int64_t
store_find(const char *id)
{
	char		expected[UUID_SIZE];
	int64_t		slot;

	if (strlen(id) != UUID_SIZE - 1)
		return -1;
	slot = strtoll(id + UUID_SIZE - 1 - 12, NULL, 16);
	if (slot < 0 || slot >= nslots)
		return -1;
	store_id(slot, expected);
	return strcmp(id, expected) == 0 ? slot : -1;
}

static char *
copy_string(const cJSON *object, const char *key)
{
	const char *value = json_string(object, key);

	return xstrdup(value ? value : "");
}

/* Takes entry and details over. */
static Connection *
connection_new(cJSON *entry, cJSON *details)
{
	Connection *conn = xmalloc(sizeof(Connection));

	conn->entry = entry;
	conn->details = details;
	conn->name = copy_string(entry, "name");
	conn->type = copy_string(entry, "type");
	conn->archived = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "isArchived"));
	conn->text = json_print(entry);
	conn->text_len = strlen(conn->text);
	return conn;
}

/*
 * The connection in a slot.  A generated one takes shape, so this is only for
 * those who may write.
 */
Connection *
store_get(int64_t slot)
{
	if (slots[slot] == NULL)
	{
		Buffer		text = {0};

		seed_generated(slot, &text);
		slots[slot] = connection_new(json_parse(text.data, text.len), NULL);
		buffer_free(&text);
	}
	return slots[slot];
}

const char *
store_type(int64_t slot)
{
	return slots[slot] ? slots[slot]->type : seed_generated_type(slot);
}

const char *
store_name(int64_t slot, char *scratch, size_t size)
{
	if (slots[slot])
		return slots[slot]->name;
	seed_generated_name(slot, scratch, size);
	return scratch;
}

bool
store_archived(int64_t slot)
{
	return slots[slot] && slots[slot]->archived;
}

void
store_render(int64_t slot, Buffer *into)
{
	if (slots[slot])
		buffer_append(into, slots[slot]->text, slots[slot]->text_len);
	else
		seed_generated(slot, into);
}

/* Takes entry and details over; returns the slot. */
int64_t
store_add(cJSON *entry, cJSON *details, bool by_request)
{
	if (nslots == slots_size)
	{
		slots_size = slots_size ? slots_size * 2 : 64;
		slots = xrealloc(slots, (size_t) slots_size * sizeof(Connection *));
	}
	slots[nslots] = connection_new(entry, details);
	if (slots[nslots]->archived)
		narchived++;
	if (by_request)
		ncreated++;
	return nslots++;
}

/* Takes entry and details over; details of NULL leave the old ones. */
void
store_replace(int64_t slot, cJSON *entry, cJSON *details)
{
	Connection *old = slots[slot];

	if (old && details == NULL)
	{
		details = old->details;
		old->details = NULL;
	}
	if (old && old->archived)
		narchived--;
	slots[slot] = connection_new(entry, details);
	if (slots[slot]->archived)
		narchived++;
	connection_free(old);
}

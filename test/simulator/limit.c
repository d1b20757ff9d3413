/*-------------------------------------------------------------------------
 *
 * limit.c
 *	  A limiter as stands before the API: a bucket of requests that is filled
 *	  up evenly.  Who asks when it is empty is refused for a while, and with
 *	  him all others.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>

#include "simulator.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static double burst;			/* what the bucket holds; 0: there is no limit */
static double per_second;		/* that are filled in */
static int64_t block_ms;		/* for so long all are refused */

static double bucket;
static int64_t filled_ms;		/* when it was looked at last */
static int64_t blocked_ms;		/* until then */

void
limit_reset(void)
{
	pthread_mutex_lock(&mutex);
	burst = 0;
	blocked_ms = 0;
	pthread_mutex_unlock(&mutex);
}

/* Takes the setting "limiter"; returns what is wrong with it, or NULL. */
const char *
limit_configure(const cJSON *config)
{
	const cJSON *limiter = cJSON_GetObjectItemCaseSensitive(config, "limiter");
	const cJSON *size = cJSON_GetObjectItemCaseSensitive(limiter, "burst");
	const cJSON *rate = cJSON_GetObjectItemCaseSensitive(limiter, "per_second");
	const cJSON *block = cJSON_GetObjectItemCaseSensitive(limiter, "block_ms");

	if (limiter == NULL)
		return NULL;
	if (cJSON_IsNull(limiter))
	{
		limit_reset();
		return NULL;
	}
	if (!json_is_int(size, 1, 1e9) || !cJSON_IsNumber(rate) || rate->valuedouble <= 0 || !json_is_int(block, 0, 1e9))
		return "limiter must be null, or have burst, per_second and block_ms";
	pthread_mutex_lock(&mutex);
	burst = bucket = size->valuedouble;
	per_second = rate->valuedouble;
	block_ms = (int64_t) block->valuedouble;
	filled_ms = monotonic_ms();
	blocked_ms = 0;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

/* May a request pass?  It takes its part of what may. */
bool
limit_passes(void)
{
	int64_t		now = monotonic_ms();
	bool		passes = true;

	pthread_mutex_lock(&mutex);
	if (burst > 0)
	{
		bucket += (double) (now - filled_ms) * per_second / 1000;
		if (bucket > burst)
			bucket = burst;
		filled_ms = now;
		passes = now >= blocked_ms && bucket >= 1;
		if (passes)
			bucket--;
		else if (now >= blocked_ms)
			blocked_ms = now + block_ms;
	}
	pthread_mutex_unlock(&mutex);
	return passes;
}

/*-------------------------------------------------------------------------
 *
 * util.c
 *	  Memory, text, JSON and time.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#include "simulator.h"

/* There is nothing sensible to do without memory. */
static void
out_of_memory(void)
{
	fputs("sigma-simulator: out of memory\n", stderr);
	abort();
}

void *
xmalloc(size_t size)
{
	void	   *p = calloc(1, size);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
xrealloc(void *old, size_t size)
{
	void	   *p = realloc(old, size);

	if (p == NULL)
		out_of_memory();
	return p;
}

char *
xstrdup(const char *s)
{
	char	   *p = strdup(s);

	if (p == NULL)
		out_of_memory();
	return p;
}

static void
buffer_reserve(Buffer *buf, size_t more)
{
	size_t		need = buf->len + more + 1;

	if (need <= buf->size)
		return;
	if (buf->size == 0)
		buf->size = 256;
	while (buf->size < need)
		buf->size *= 2;
	buf->data = xrealloc(buf->data, buf->size);
}

void
buffer_append(Buffer *buf, const void *data, size_t len)
{
	buffer_reserve(buf, len);
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buffer_string(Buffer *buf, const char *s)
{
	buffer_append(buf, s, strlen(s));
}

void
buffer_printf(Buffer *buf, const char *fmt,...)
{
	va_list		args;
	int			len;

	buffer_reserve(buf, 1024);
	va_start(args, fmt);
	len = vsnprintf(buf->data + buf->len, buf->size - buf->len, fmt, args);
	va_end(args);
	if ((size_t) len >= buf->size - buf->len)
	{
		buffer_reserve(buf, (size_t) len);
		va_start(args, fmt);
		vsnprintf(buf->data + buf->len, buf->size - buf->len, fmt, args);
		va_end(args);
	}
	buf->len += (size_t) len;
}

void
buffer_free(Buffer *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

/*
 * cJSON keeps the place of the last parse error in a global variable, so only
 * one thread may parse at a time.  Anything after the value is an error.
 */
cJSON *
json_parse(const char *text, size_t len)
{
	static pthread_mutex_t parse_lock = PTHREAD_MUTEX_INITIALIZER;
	const char *end = NULL;
	cJSON	   *json;

	pthread_mutex_lock(&parse_lock);
	json = cJSON_ParseWithLengthOpts(text, len, &end, false);
	pthread_mutex_unlock(&parse_lock);
	if (json == NULL)
		return NULL;
	while (end < text + len && strchr(" \t\r\n", *end) != NULL && *end != '\0')
		end++;
	if (end != text + len)
	{
		cJSON_Delete(json);
		return NULL;
	}
	return json;
}

char *
json_print(const cJSON *json)
{
	char	   *text = cJSON_PrintUnformatted(json);

	if (text == NULL)
		out_of_memory();
	return text;
}

/* The string under a key, or NULL if there is none or it is something else. */
const char *
json_string(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

bool
json_is_int(const cJSON *item, double low, double high)
{
	return cJSON_IsNumber(item) && item->valuedouble >= low &&
		item->valuedouble <= high && item->valuedouble == (double) (int64_t) item->valuedouble;
}

/* Set a key, in its old place if the object has it. */
void
json_set(cJSON *object, const char *key, cJSON *value)
{
	if (cJSON_GetObjectItemCaseSensitive(object, key) != NULL)
		cJSON_ReplaceItemInObjectCaseSensitive(object, key, value);
	else
		cJSON_AddItemToObject(object, key, value);
}

static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * The identifier of the n-th thing of a kind: the same on every run.  It looks
 * like any other UUID, but ends in n, so that a thing is found by its id
 * without a search.
 */
void
make_id(const char *kind, int64_t n, char *id)
{
	uint64_t	hash = 0;
	uint64_t	tail = (uint64_t) n & UINT64_C(0xffffffffffff);

	for (const char *p = kind; *p; p++)
		hash = mix(hash ^ (unsigned char) *p);
	hash = mix(hash ^ (uint64_t) n);
	snprintf(id, UUID_SIZE, "%08x-%04x-4%03x-8%03x-%012llx",
			 (unsigned int) (hash >> 32),
			 (unsigned int) (hash >> 16) & 0xffff,
			 (unsigned int) (hash >> 4) & 0xfff,
			 (unsigned int) mix(hash) & 0xfff,
			 (unsigned long long) tail);
}

void
random_hex(char *dst, size_t nbytes)
{
	unsigned char bytes[64];

	if (nbytes > sizeof(bytes) || getrandom(bytes, nbytes, 0) != (ssize_t) nbytes)
		abort();
	for (size_t i = 0; i < nbytes; i++)
		snprintf(dst + 2 * i, 3, "%02x", bytes[i]);
}

int64_t
realtime_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The time now, as the API writes it; dst has TIMESTAMP_SIZE bytes. */
void
timestamp_now(char *dst)
{
	timestamp_ago(0, dst);
}

/* The time so many days ago. */
void
timestamp_ago(int64_t days, char *dst)
{
	int64_t		now = realtime_ms() - days * 86400 * 1000;
	time_t		seconds = (time_t) (now / 1000);
	struct tm	tm;
	char		text[TIMESTAMP_SIZE];

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(dst, TIMESTAMP_SIZE, "%.19s.%03dZ", text, (int) (now % 1000));
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Undo percent-encoding; a broken escape stays as it is. */
char *
url_decode(const char *s, size_t len, bool plus_is_space)
{
	char	   *out = xmalloc(len + 1);
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
	{
		if (s[i] == '%' && i + 2 < len && hex_digit(s[i + 1]) >= 0 &&
			hex_digit(s[i + 2]) >= 0)
		{
			out[n++] = (char) (hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
			i += 2;
		}
		else if (s[i] == '+' && plus_is_space)
			out[n++] = ' ';
		else
			out[n++] = s[i];
	}
	out[n] = '\0';
	return out;
}

static bool
is_ascii(const char *s)
{
	for (; *s; s++)
	{
		if ((unsigned char) *s >= 0x80)
			return false;
	}
	return true;
}

/* Lower-case copy as wide characters; NULL if it is not valid UTF-8. */
static wchar_t *
fold_case(const char *s)
{
	size_t		size = strlen(s) + 1;
	wchar_t    *wide = xmalloc(size * sizeof(wchar_t));

	if (mbstowcs(wide, s, size) == (size_t) -1)
	{
		free(wide);
		return NULL;
	}
	for (wchar_t *p = wide; *p; p++)
		*p = (wchar_t) towlower((wint_t) *p);
	return wide;
}

bool
contains_ignoring_case(const char *text, const char *part)
{
	wchar_t    *wide_text;
	wchar_t    *wide_part;
	bool		found;

	/* A part of plain letters is found the quick way in any text. */
	if (is_ascii(part))
		return strcasestr(text, part) != NULL;
	wide_text = fold_case(text);
	wide_part = fold_case(part);
	found = wide_text && wide_part && wcsstr(wide_text, wide_part) != NULL;
	free(wide_text);
	free(wide_part);
	return found;
}

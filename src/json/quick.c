/*-------------------------------------------------------------------------
 *
 * quick.c
 *	  Values of the commonest types, without their input functions.
 *
 * A list is full of times of one form, short ASCII texts, booleans and small
 * whole numbers.  What can be told of these at a glance is made here, just as the
 * type's input function would make it; whatever is not quite as expected is left
 * to that function, which takes more, and knows how to refuse.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "datatype/timestamp.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "json/json.h"

/* "2026-01-15T12:00:00.000Z" */
#define TIME_LENGTH 24

/* An integer of so many digits is in range of int8, and of int4. */
#define INT8_DIGITS 18
#define INT4_DIGITS 9
#define INT2_DIGITS 4

/* The number of n digits at p, or -1. */
static int
take_digits(const char *p, int n)
{
	int			number = 0;

	for (int i = 0; i < n; i++)
	{
		unsigned	digit = (unsigned char) p[i] - (unsigned) '0';

		if (digit > 9)
			return -1;
		number = number * 10 + (int) digit;
	}
	return number;
}

static int
days_of_month(int year, int month)
{
	static const uint8 days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Days from 2000-01-01 to a date of our calendar, of the year 1 or later. */
static int
days_since_2000(int year, int month, int day)
{
	/* years that begin in March end with their leap day */
	int			y = month > 2 ? year : year - 1;
	int			m = month > 2 ? month - 3 : month + 9;

	/* and (153 * m + 2) / 5 days before the month; 730425 up to 2000-01-01 */
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 730425;
}

/* A time of the API's one form in UTC, to the millisecond; false if it is anything else. */
static bool
take_time(const char *p, size_t length, TimestampTz *time)
{
	int			year,
				month,
				day,
				hour,
				minute,
				second,
				millisecond;

	if (length != TIME_LENGTH || p[4] != '-' || p[7] != '-' || p[10] != 'T' || p[13] != ':' || p[16] != ':' ||
		p[19] != '.' || p[23] != 'Z')
		return false;
	year = take_digits(p, 4);
	month = take_digits(p + 5, 2);
	day = take_digits(p + 8, 2);
	hour = take_digits(p + 11, 2);
	minute = take_digits(p + 14, 2);
	second = take_digits(p + 17, 2);
	millisecond = take_digits(p + 20, 3);
	/* 24:00 and a second 60 are times, too, but not worth a thought here */
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || millisecond < 0)
		return false;
	*time = days_since_2000(year, month, day) * USECS_PER_DAY + hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE +
		second * USECS_PER_SEC + millisecond * INT64CONST(1000);
	return true;
}

/* An integer of at most so many digits; false if it is anything else. */
static bool
take_integer(const char *p, size_t length, int digits, int64 *number)
{
	bool		minus = *p == '-';

	if (minus)
	{
		p++;
		length--;
	}
	if (length > (size_t) digits)
		return false;
	*number = 0;
	for (size_t i = 0; i < length; i++)
	{
		/* the text is checked: what is no digit belongs to a fraction or an exponent */
		if (p[i] < '0' || p[i] > '9')
			return false;
		*number = *number * 10 + (p[i] - '0');
	}
	if (minus)
		*number = -*number;
	return true;
}

bool
sigma_json_quick(Oid type, const SigmaJsonValue *value, Datum *datum)
{
	bool		plain = value->kind == SIGMA_JSON_STRING && value->ascii && !value->escaped;
	int64		number;
	TimestampTz time;

	switch (type)
	{
		case TEXTOID:
			if (!plain)
				return false;
			*datum = PointerGetDatum(cstring_to_text_with_len(value->text.data + 1, (int) value->text.length - 2));
			return true;
		case TIMESTAMPTZOID:
			if (!plain || !take_time(value->text.data + 1, value->text.length - 2, &time))
				return false;
			*datum = TimestampTzGetDatum(time);
			return true;
		case BOOLOID:
			*datum = BoolGetDatum(value->kind == SIGMA_JSON_TRUE);
			return value->kind == SIGMA_JSON_TRUE || value->kind == SIGMA_JSON_FALSE;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			if (value->kind != SIGMA_JSON_NUMBER ||
				!take_integer(value->text.data, value->text.length,
							  type == INT2OID ? INT2_DIGITS : type == INT4OID ? INT4_DIGITS : INT8_DIGITS, &number))
				return false;
			*datum = type == INT2OID ? Int16GetDatum((int16) number) :
				type == INT4OID ? Int32GetDatum((int32) number) : Int64GetDatum(number);
			return true;
		default:
			return false;
	}
}

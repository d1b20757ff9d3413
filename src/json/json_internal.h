/*-------------------------------------------------------------------------
 *
 * json_internal.h
 *	  What only the files of json/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_JSON_INTERNAL_H
#define SIGMA_JSON_INTERNAL_H

#include "json/json.h"

/* ---------------------------------------------------------- jsontext.c */

extern SigmaEscape sigma_json_unescape(const SigmaJsonValue *string, char *out, size_t *length);

#endif							/* SIGMA_JSON_INTERNAL_H */

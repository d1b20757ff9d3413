/*-------------------------------------------------------------------------
 *
 * functions.h
 *	  The SQL functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_FUNCTIONS_H
#define SIGMA_FUNCTIONS_H



#endif							/* SIGMA_FUNCTIONS_H */

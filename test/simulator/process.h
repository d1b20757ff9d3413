/*-------------------------------------------------------------------------
 *
 * process.h
 *	  Start and end of the two server programs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>

extern bool parse_int(const char *text, long low, long high, long *value);
extern void process_block_signals(void);
extern void process_wait_for_end(int exit_with);
extern bool write_port_file(const char *file, int port);

#endif							/* PROCESS_H */

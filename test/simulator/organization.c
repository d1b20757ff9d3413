/*-------------------------------------------------------------------------
 *
 * organization.c
 *	  The text of organization.json, as part of the program.
 *
 *-------------------------------------------------------------------------
 */
#include "simulator.h"

__asm__(
		".section .rodata\n"
		".global organization_json\n"
		".global organization_json_end\n"
		"organization_json:\n"
		".incbin \"organization.json\"\n"
		"organization_json_end:\n"
		".byte 0\n"
		".text\n");

/*-------------------------------------------------------------------------
 *
 * organization.c
 *	  The texts of organization.json, elements.json and elements.jsonl, as parts
 *	  of the program.
 *
 *-------------------------------------------------------------------------
 */
#include "simulator.h"

#define EMBED(name, file) \
	__asm__( \
			".section .rodata\n" \
			".global " name "\n" \
			".global " name "_end\n" \
			name ":\n" \
			".incbin \"" file "\"\n" \
			name "_end:\n" \
			".byte 0\n" \
			".text\n")

EMBED("organization_json", "organization.json");
EMBED("elements_json", "elements.json");
EMBED("elements_jsonl", "elements.jsonl");

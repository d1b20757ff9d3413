/*-------------------------------------------------------------------------
 *
 * replay.c
 *	  Gives a fuzz target the inputs of files, in place of libFuzzer, so that any
 *	  compiler can build the targets and run what is known to be of interest.
 *
 *	  replay_TARGET FILE...
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static int
replay(const char *path)
{
	FILE	   *file = fopen(path, "rb");
	long		size;
	uint8_t    *data;
	int			ok;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
	{
		perror(path);
		return 0;
	}
	/* of just this size, so that a sanitizer sees what is read behind it */
	data = malloc(size > 0 ? (size_t) size : 1);
	ok = data != NULL && fread(data, 1, (size_t) size, file) == (size_t) size;
	if (ok)
		LLVMFuzzerTestOneInput(data, (size_t) size);
	else
		fprintf(stderr, "%s: could not be read\n", path);
	free(data);
	fclose(file);
	return ok;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!replay(argv[i]))
			return 1;
	printf("%d inputs\n", argc - 1);
	return argc > 1 ? 0 : 1;
}

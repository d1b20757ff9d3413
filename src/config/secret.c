/*-------------------------------------------------------------------------
 *
 * secret.c
 *	  Reads a client secret from a file, as carefully as PostgreSQL reads a
 *	  private key.
 *
 * Nothing is raised here: a secret is read in the middle of a sign-in, and
 * what is wrong with its file is what the calls that wait for the sign-in
 * fail with.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mb/pg_wchar.h"
#include "storage/fd.h"

#include "config/config.h"

/* A larger file is surely not the right one. */
#define SECRET_LIMIT (64 * 1024)

/*
 * What is wrong with the file itself, as a clause; NULL if nothing is.  The
 * rules for owner and permissions are PostgreSQL's own for a private key.
 */
static const char *
distrust(const struct stat *file)
{
	if (!S_ISREG(file->st_mode))
		return "is not a regular file";
	if (file->st_uid != geteuid() && file->st_uid != 0)
		return "is owned neither by the server's user nor by root";
	if (file->st_uid == geteuid() ? (file->st_mode & (S_IRWXG | S_IRWXO))
		: (file->st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)))
		return "has group or world access";
	if (file->st_size > SECRET_LIMIT)
		return "is larger than 64 kB";
	return NULL;
}

ssize_t
sigma_read_all(int fd, char *buffer, size_t limit)
{
	size_t		length = 0;

	while (length <= limit)
	{
		ssize_t		n = read(fd, buffer + length, limit + 1 - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		length += (size_t) n;
	}
	return (ssize_t) length;
}

/*
 * Makes a secret of a file's content, in place: without the newline at its
 * end.  What is wrong with it, as a clause; NULL if nothing is.
 */
static const char *
trim(char *content, size_t length)
{
	/* it has grown since its size was looked at */
	if (length > SECRET_LIMIT)
		return "is larger than 64 kB";
	if (length > 0 && content[length - 1] == '\n')
	{
		length--;
		if (length > 0 && content[length - 1] == '\r')
			length--;
	}
	content[length] = '\0';
	if (length == 0)
		return "is empty";
	for (size_t i = 0; i < length; i++)
		if ((unsigned char) content[i] < 0x20 || content[i] == 0x7F)
			return "holds control characters, or more than one line";
	if (!pg_verify_mbstr(GetDatabaseEncoding(), content, (int) length, true))
		return "holds what is no text in the database's encoding";
	return NULL;
}

const char *
sigma_read_secret(const char *path, char **secret)
{
	char	   *content = palloc(SECRET_LIMIT + 2);
	const char *problem;
	struct stat file;
	ssize_t		length = 0;
	int			fd;

	*secret = NULL;
	/* to open a pipe must not take until somebody writes into it */
	fd = BasicOpenFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | PG_BINARY);
	if (fd < 0)
		problem = psprintf("could not be opened: %s", strerror(errno));
	else
	{
		if (fstat(fd, &file) != 0 ||
			((problem = distrust(&file)) == NULL && (length = sigma_read_all(fd, content, SECRET_LIMIT)) < 0))
			problem = psprintf("could not be read: %s", strerror(errno));
		close(fd);
	}
	if (problem == NULL)
		problem = trim(content, (size_t) length);
	if (problem == NULL)
		*secret = pstrdup(content);
	explicit_bzero(content, SECRET_LIMIT + 2);
	pfree(content);
	return problem;
}

/*
 * page-server.c
 *	  Serves recorded replies from memory, as fast as a server can.
 *
 * The simulator makes each page anew, which takes longer than anything that is
 * to be measured.  This one is given the pages:
 *
 *	  page-server --manifest FILE --port-file FILE [--latency MS] [--exit-with PID]
 *
 * A line of the manifest is a path with its query, a tab, and the file with the
 * reply.  A path that is not there is 404.  Prints nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct Page
{
	char	   *target;
	struct MHD_Response *response;
} Page;

static Page *pages;
static size_t npages;
static struct MHD_Response *nothing;

/* As Sigma says it: of another 404, a look-up does not take that there is no such entry. */
static const char not_found[] = "{\"code\": \"not_found\", \"message\": \"Not found\"}";
static long latency_ms;

static void
die(const char *what)
{
	fprintf(stderr, "page-server: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const Page *) a)->target, ((const Page *) b)->target);
}

/* A file as a reply; it stays mapped. */
static struct MHD_Response *
file_response(const char *name)
{
	struct stat st;
	int			fd = open(name, O_RDONLY);
	void	   *text;
	struct MHD_Response *response;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(name);
	text = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (text == MAP_FAILED)
		die(name);
	close(fd);
	response = MHD_create_response_from_buffer((size_t) st.st_size, text, MHD_RESPMEM_PERSISTENT);
	if (response == NULL || MHD_add_response_header(response, "Content-Type", "application/json") != MHD_YES)
		die(name);
	return response;
}

static void
read_manifest(const char *name)
{
	FILE	   *f = fopen(name, "r");
	char	   *line = NULL;
	size_t		room = 0;
	ssize_t		length;

	if (f == NULL)
		die(name);
	while ((length = getline(&line, &room, f)) > 0)
	{
		char	   *tab = strchr(line, '\t');

		if (tab == NULL)
			continue;
		*tab = '\0';
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		pages = realloc(pages, (npages + 1) * sizeof(Page));
		if (pages == NULL)
			die("memory");
		pages[npages].target = strdup(line);
		pages[npages++].response = file_response(tab + 1);
	}
	free(line);
	fclose(f);
	qsort(pages, npages, sizeof(Page), compare);
}

/* A request under way. */
typedef struct Request
{
	char	   *target;			/* path and query */
	bool		begun;			/* on_request() has seen its head */
} Request;

static void *
on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	Request    *request = calloc(1, sizeof(Request));

	(void) cls;
	(void) connection;
	if (request == NULL || (request->target = strdup(uri)) == NULL)
		die("memory");
	return request;
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **data,
			 enum MHD_RequestTerminationCode code)
{
	Request    *request = *data;

	(void) cls;
	(void) connection;
	(void) code;
	if (request == NULL)
		return;
	free(request->target);
	free(request);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
		   const char *version, const char *body, size_t *body_size, void **data)
{
	Request    *request = *data;
	Page		wanted = {.target = request->target};
	struct timespec pause = {latency_ms / 1000, latency_ms % 1000 * 1000000};
	Page	   *page;

	(void) cls;
	(void) url;
	(void) method;
	(void) version;
	(void) body;
	/* an answer to the head alone would close the connection under a body */
	if (!request->begun || *body_size > 0)
	{
		request->begun = true;
		*body_size = 0;
		return MHD_YES;
	}
	while (latency_ms > 0 && nanosleep(&pause, &pause) < 0 && errno == EINTR)
		;
	page = bsearch(&wanted, pages, npages, sizeof(Page), compare);
	return MHD_queue_response(connection, page ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND,
							  page ? page->response : nothing);
}

int
main(int argc, char **argv)
{
	const char *port_file = NULL;
	char		part[4096];
	pid_t		parent = 0;
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct MHD_Daemon *daemon;
	FILE	   *f;

	for (int i = 1; i + 1 < argc; i += 2)
	{
		if (strcmp(argv[i], "--manifest") == 0)
			read_manifest(argv[i + 1]);
		else if (strcmp(argv[i], "--port-file") == 0)
			port_file = argv[i + 1];
		else if (strcmp(argv[i], "--latency") == 0)
			latency_ms = atol(argv[i + 1]);
		else if (strcmp(argv[i], "--exit-with") == 0)
			parent = (pid_t) atol(argv[i + 1]);
	}
	if (pages == NULL || port_file == NULL)
	{
		fprintf(stderr, "usage: page-server --manifest FILE --port-file FILE [--latency MS] [--exit-with PID]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	nothing = MHD_create_response_from_buffer(sizeof(not_found) - 1, (void *) not_found, MHD_RESPMEM_PERSISTENT);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* a thread for each connection, since they sleep */
	daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, 0,
							  NULL, NULL, on_request, NULL,
							  MHD_OPTION_SOCK_ADDR, (struct sockaddr *) &address,
							  MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL,
							  MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
							  MHD_OPTION_END);
	if (daemon == NULL)
		die("could not listen");

	/* the file appears whole or not at all */
	snprintf(part, sizeof(part), "%s.part", port_file);
	f = fopen(part, "w");
	if (f == NULL)
		die(part);
	fprintf(f, "%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	if (fclose(f) != 0 || rename(part, port_file) < 0)
		die(port_file);
	while (parent == 0 || kill(parent, 0) == 0 || errno == EPERM)
		sleep(1);
	return 0;
}

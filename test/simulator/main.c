/*-------------------------------------------------------------------------
 *
 * main.c
 *	  Command line of the Sigma API simulator.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "simulator.h"

#define DEFAULT_CLIENT_ID		"simulator-client"
#define DEFAULT_CLIENT_SECRET	"simulator-secret"

Options		options = {
	.api = API_2026_08,
	.connections = -1,
	.element_rows = -1,
	.token_lifetime = 3600,
};

static const struct option long_options[] = {
	{"port", required_argument, NULL, 'p'},
	{"port-file", required_argument, NULL, 'f'},
	{"connections", required_argument, NULL, 'c'},
	{"element-rows", required_argument, NULL, 'e'},
	{"latency", required_argument, NULL, 'l'},
	{"token-lifetime", required_argument, NULL, 't'},
	{"token-rate", required_argument, NULL, 'r'},
	{"client-id", required_argument, NULL, 'i'},
	{"client-secret", required_argument, NULL, 's'},
	{"api", required_argument, NULL, 'a'},
	{"exit-with", required_argument, NULL, 'x'},
	{"tls-cert", required_argument, NULL, 'C'},
	{"tls-key", required_argument, NULL, 'K'},
	{"log", required_argument, NULL, 'L'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0}
};

static void
usage(FILE *out)
{
	fputs("sigma-simulator plays a Sigma organization on 127.0.0.1.\n\n"
		  "Usage: sigma-simulator [OPTION]...\n\n"
		  "  --port N               port to listen on (default 0: any free one)\n"
		  "  --port-file FILE       write the port number to FILE\n"
		  "  --connections N        N generated connections instead of the small organization\n"
		  "  --element-rows N       adds workbooks whose elements have data, one of them N rows\n"
		  "  --latency MS           delay before each API reply\n"
		  "  --token-lifetime S     seconds that a token is valid (default 3600)\n"
		  "  --token-rate N         at most N token requests a second (default 0: any)\n"
		  "  --client-id ID         client credentials; repeat both for a further member\n"
		  "  --client-secret TEXT   (default " DEFAULT_CLIENT_ID " / " DEFAULT_CLIENT_SECRET ")\n"
		  "  --api VERSION          2026-08 (default) or 2025-11: the API as it was described then\n"
		  "  --exit-with PID        exit when this process is gone\n"
		  "  --tls-cert FILE        serve https with this certificate ...\n"
		  "  --tls-key FILE         ... and this key\n"
		  "  --log FILE             append the request log to FILE as JSON lines\n"
		  "  --help                 show this help\n", out);
}

static void __attribute__((noreturn))
usage_error(const char *problem, const char *what)
{
	fprintf(stderr, "sigma-simulator: %s%s\n\n", problem, what);
	usage(stderr);
	exit(2);
}

static long
number(const char *name, long high)
{
	long		value;

	if (!parse_int(optarg, 0, high, &value))
		usage_error("not a valid number for --", name);
	return value;
}

static ApiVersion
api_version(void)
{
	if (strcmp(optarg, "2026-08") == 0)
		return API_2026_08;
	if (strcmp(optarg, "2025-11") == 0)
		return API_2025_11;
	usage_error("no such version of the API: ", optarg);
}

static void
take_option(int letter, const char *name, int *nsecrets)
{
	switch (letter)
	{
		case 'p':
			options.port = (int) number(name, 65535);
			break;
		case 'f':
			options.port_file = optarg;
			break;
		case 'c':
			options.connections = number(name, 1000000);
			break;
		case 'e':
			options.element_rows = number(name, 100000000);
			break;
		case 'l':
			options.latency_ms = (int) number(name, 3600000);
			break;
		case 't':
			options.token_lifetime = (int) number(name, 1000000000);
			break;
		case 'r':
			options.token_rate = (int) number(name, MAX_TOKEN_RATE);
			break;
		case 'a':
			options.api = api_version();
			break;
		case 'x':
			options.exit_with = (int) number(name, 0x7fffffff);
			break;
		case 'C':
			options.tls_cert = optarg;
			break;
		case 'K':
			options.tls_key = optarg;
			break;
		case 'L':
			options.log_file = optarg;
			break;
		case 'i':
			if (options.nclients == MAX_CLIENTS)
				usage_error("too many clients", "");
			options.client_id[options.nclients++] = optarg;
			break;
		case 's':
			if (*nsecrets == MAX_CLIENTS)
				usage_error("too many clients", "");
			options.client_secret[(*nsecrets)++] = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			/* getopt has already said what is wrong */
			usage(stderr);
			exit(2);
	}
}

static void
parse_command_line(int argc, char **argv)
{
	int			nsecrets = 0;
	int			letter;
	int			which = 0;

	while ((letter = getopt_long(argc, argv, "", long_options, &which)) != -1)
		take_option(letter, long_options[which].name, &nsecrets);
	if (optind < argc)
		usage_error("unexpected argument ", argv[optind]);
	if (options.nclients != nsecrets)
		usage_error("--client-id and --client-secret must come in pairs", "");
	if ((options.tls_cert == NULL) != (options.tls_key == NULL))
		usage_error("--tls-cert and --tls-key must come together", "");
	if (options.nclients == 0)
	{
		options.client_id[0] = DEFAULT_CLIENT_ID;
		options.client_secret[0] = DEFAULT_CLIENT_SECRET;
		options.nclients = 1;
	}
}

/* The whole of a file; exits if it cannot be read. */
static char *
read_file(const char *name)
{
	FILE	   *f = fopen(name, "r");
	Buffer		buf = {0};
	char		chunk[4096];
	size_t		n;

	if (f == NULL)
	{
		fprintf(stderr, "sigma-simulator: could not open \"%s\": %s\n", name, strerror(errno));
		exit(1);
	}
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buffer_append(&buf, chunk, n);
	fclose(f);
	return buf.data ? buf.data : xstrdup("");
}

int
main(int argc, char **argv)
{
	char	   *cert;
	char	   *key;

	/* Names are compared without regard to case in any alphabet. */
	setlocale(LC_CTYPE, "C.UTF-8");
	parse_command_line(argc, argv);
	process_block_signals();
	cert = options.tls_cert ? read_file(options.tls_cert) : NULL;
	key = options.tls_key ? read_file(options.tls_key) : NULL;
	log_open(options.log_file);
	auth_init();
	store_init();
	catalogue_init();
	export_init();

	if (!server_start(cert, key))
	{
		fprintf(stderr, "sigma-simulator: could not listen on 127.0.0.1, port %d\n", options.port);
		return 1;
	}
	if (options.port_file && !write_port_file(options.port_file, server_port()))
	{
		fprintf(stderr, "sigma-simulator: could not write \"%s\": %s\n",
				options.port_file, strerror(errno));
		server_stop();
		return 1;
	}
	printf("listening on %s://127.0.0.1:%d\n", cert ? "https" : "http", server_port());
	fflush(stdout);

	process_wait_for_end(options.exit_with);

	server_stop();
	catalogue_free();
	export_free();
	store_free();
	auth_reset();
	shape_reset();
	auth_revoke_tokens();
	fault_clear();
	log_close();
	free(cert);
	free(key);
	return 0;
}

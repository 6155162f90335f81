/* See command.h. */
#include "sim/lib/command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* X(letter, name, has a value, help) */
#define OPTIONS(X)                                                         \
	X('m', "members", true,                                            \
	  "N       members of the cluster; else the "                      \
	  "seed's")                                                        \
	X('s', "seconds", true,                                            \
	  "N       of virtual time with faults; "                          \
	  "else the seed's")                                               \
	X('c', "calm", false, "           no faults")                      \
	X('g', "guards-off", true,                                         \
	  "HEX  switch off guards of lib/repl, "                           \
	  "by bit")                                                        \
	X('j', "jobs", true, "N          seeds at once; else one a core")  \
	X('l', "limit", true, "N         seconds of real time for a seed") \
	X('f', "stop-at-first", false, "  end with the first violation")   \
	X('n', "counters", false, "       print what was seen")            \
	X('v', "verbose", false, "        say what happens")               \
	X('h', "help", false, "           this")

static const struct option long_options[] = {
#define X(letter, name, value, help) \
	{ name, (value) ? required_argument : no_argument, NULL, letter },
	OPTIONS(X)
#undef X
		{ 0 },
};

void command_usage(void)
{
	printf("sim [options] [seed | from-to]   (default 1-8)\n");
#define X(letter, name, value, help) printf("  --%s %s\n", name, help);
	OPTIONS(X)
#undef X
}

static bool set_option(struct command *c, int letter, const char *value)
{
	struct options *o = &c->options;

	switch (letter) {
	case 'm':
		o->members = (unsigned)strtoul(value, NULL, 10);
		return o->members <= MACHINES_MAX;
	case 's':
		o->chaos_us = strtoull(value, NULL, 10) * 1000000;
		return true;
	case 'c':
		return o->calm = true;
	case 'g':
		o->guards_off = (uint32_t)strtoul(value, NULL, 16);
		return true;
	case 'j':
		c->jobs = (unsigned)strtoul(value, NULL, 10);
		return c->jobs > 0;
	case 'l':
		c->limit_s = (unsigned)strtoul(value, NULL, 10);
		return c->limit_s > 0;
	case 'f':
		return c->stop_at_first = true;
	case 'n':
		return c->counters = true;
	case 'v':
		return o->verbose = true;
	default:
		return false;
	}
}

bool command_parse(struct command *c, int argc, char **argv)
{
	int letter;

	optind = 0; /* begin anew: lines are parsed too */
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!set_option(c, letter, optarg))
			return false;
	if (optind < argc) {
		char *end;
		c->from = c->to = strtoull(argv[optind], &end, 10);
		if (*end == '-')
			c->to = strtoull(end + 1, &end, 10);
		if (*end)
			return false;
	}
	return optind + 1 >= argc && c->from <= c->to;
}

bool command_parse_line(struct command *c, char *line)
{
	char *words[COMMAND_WORDS_MAX + 1] = { "sim" }, *rest = line;
	int n = 1;

	for (char *word; (word = strsep(&rest, " \t\n"));) {
		if (!*word)
			continue;
		if (n == COMMAND_WORDS_MAX)
			return false;
		words[n++] = word;
	}
	return command_parse(c, n, words);
}

void command_print(FILE *to, const struct options *o)
{
	if (o->members)
		fprintf(to, "--members %u ", o->members);
	if (o->chaos_us)
		fprintf(to, "--seconds %llu ",
			(unsigned long long)(o->chaos_us / 1000000));
	if (o->calm)
		fprintf(to, "--calm ");
	if (o->guards_off)
		fprintf(to, "--guards-off %x ", o->guards_off);
	fprintf(to, "%llu", (unsigned long long)o->seed);
}

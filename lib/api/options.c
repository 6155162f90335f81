/* Options of hf_open: what is wrong is said with the option's name, its value
 * and what would be right. */
#include "api/api.h"

#include "host/address.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MIN_MS 500
#define TTL_MAX_MS 86400000
#define TTL_DEFAULT_MS 10000
#define ELECTION_MIN_MS 100
#define ELECTION_MAX_MS 60000
#define ELECTION_DEFAULT_MS 300
#define DRIFT_MAX_PPM 100000
#define DRIFT_DEFAULT_PPM 1000
#define CLUSTER_MAX 255
#define ADDRESS_MAX 79

__attribute__((format(printf, 2, 3))) static int wrong(char *error,
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, HF_ERROR_TEXT, format, args);
	va_end(args);
	return HF_EINVAL;
}

/* A caller that was built with a newer header may set fields that we don't
 * know: only zero is harmless. */
static int copy_options(const struct hf_options *given, struct hf_options *o,
			char *error)
{
	const uint8_t *bytes = (const uint8_t *)given;
	size_t own = sizeof(*o);

	if (!given)
		return wrong(error, "options: NULL; give at least `dir`");
	if (given->size < offsetof(struct hf_options, cluster) ||
	    given->size > 65536)
		return wrong(error,
			     "option size: %zu is not the size of a struct "
			     "hf_options; set it to sizeof(struct hf_options)",
			     given->size);
	for (size_t i = own; i < given->size; i++)
		if (bytes[i])
			return wrong(error,
				     "options: a field is set that this "
				     "library (%s) doesn't know; it is "
				     "older than the header",
				     hf_version());
	memset(o, 0, own);
	memcpy(o, given, given->size < own ? given->size : own);
	return 0;
}

static int range(const char *name, uint64_t value, uint64_t least,
		 uint64_t most, char *error)
{
	if (value >= least && value <= most)
		return 0;
	return wrong(error, "option %s: %llu is out of range; %llu to %llu",
		     name, (unsigned long long)value, (unsigned long long)least,
		     (unsigned long long)most);
}

static int check_times(struct hf_options *o, char *error)
{
	if (!o->ttl_ms)
		o->ttl_ms = TTL_DEFAULT_MS;
	if (range("ttl_ms", o->ttl_ms, TTL_MIN_MS, TTL_MAX_MS, error))
		return HF_EINVAL;
	if (!o->renew_ms)
		o->renew_ms = o->ttl_ms / 4;
	if (!o->margin_ms)
		o->margin_ms = o->ttl_ms / 20 + 10;
	if (!o->drift_ppm)
		o->drift_ppm = DRIFT_DEFAULT_PPM;
	if (!o->election_ms)
		o->election_ms = ELECTION_DEFAULT_MS;
	if (range("renew_ms", o->renew_ms, 1, o->ttl_ms / 3, error) ||
	    range("margin_ms", o->margin_ms, 1, o->ttl_ms / 4, error) ||
	    range("drift_ppm", o->drift_ppm, 1, DRIFT_MAX_PPM, error) ||
	    range("election_ms", o->election_ms, ELECTION_MIN_MS,
		  ELECTION_MAX_MS, error))
		return HF_EINVAL;
	return 0;
}

/* As whoever listens and dials will read it; but a port can't be 0. */
static bool parse_address(struct address *a, const char *text)
{
	return strlen(text) <= ADDRESS_MAX && address_parse(a, text) &&
	       strtol(a->port, NULL, 10) > 0;
}

static bool is_loopback(const struct address *a)
{
	return a->numeric ? address_is_loopback((const void *)&a->at)
			  : strcmp(a->host, "localhost") == 0;
}

static int check_member(const struct hf_options *o, size_t i, char *error)
{
	const struct hf_member *m = &o->members[i];
	struct address address;

	if (m->id == 0)
		return wrong(error,
			     "option members[%zu].id: 0; ids are 1 or "
			     "more",
			     i);
	if (!m->address || !parse_address(&address, m->address))
		return wrong(error,
			     "option members[%zu].address: \"%.80s\" is not "
			     "\"host:port\" or \"[v6]:port\" with a port from "
			     "1 to 65535, at most %d characters",
			     i, m->address ? m->address : "(NULL)",
			     ADDRESS_MAX);
	if (!o->plain_tcp && !is_loopback(&address))
		return wrong(error,
			     "option members[%zu].address: \"%.80s\" is not on "
			     "loopback, where links are plain TCP; set "
			     "plain_tcp if the network may be trusted",
			     i, m->address);
	for (size_t k = 0; k < i; k++)
		if (o->members[k].id == m->id ||
		    strcmp(o->members[k].address, m->address) == 0)
			return wrong(error,
				     "option members[%zu]: has the id or the "
				     "address of members[%zu]; each must be "
				     "unique",
				     i, k);
	return 0;
}

static int check_members(struct hf_options *o, char *error)
{
	bool found = o->members_len == 0;

	if (o->members_len > HF_MEMBERS_MAX)
		return wrong(error, "option members_len: %zu; at most %d",
			     o->members_len, HF_MEMBERS_MAX);
	if (o->members_len > 0 && !o->members)
		return wrong(error,
			     "option members: NULL, but members_len is "
			     "%zu",
			     o->members_len);
	if (o->members_len == 0 && !o->id)
		o->id = 1;
	for (size_t i = 0; i < o->members_len; i++) {
		if (check_member(o, i, error))
			return HF_EINVAL;
		found = found || o->members[i].id == o->id;
	}
	if (!found)
		return wrong(error,
			     "option id: %llu is not among `members`; it says "
			     "which of them this node is",
			     (unsigned long long)o->id);
	return 0;
}

int options_check(const struct hf_options *given, struct hf_options *o,
		  char *error)
{
	if (copy_options(given, o, error))
		return HF_EINVAL;
	if (!o->dir || !*o->dir)
		return wrong(error, "option dir: none given; it must name a "
				    "directory of its own on a local file "
				    "system");
	if (!o->cluster)
		o->cluster = "holdfast";
	if (!*o->cluster || strlen(o->cluster) > CLUSTER_MAX)
		return wrong(error, "option cluster: %zu characters; 1 to %d",
			     strlen(o->cluster), CLUSTER_MAX);
	if (o->loop && o->dispatch)
		return wrong(error, "option dispatch: set, and so is loop, in "
				    "which callbacks run; choose one");
	if (check_times(o, error))
		return HF_EINVAL;
	return check_members(o, error);
}

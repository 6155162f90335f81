/* What a user writes: addresses, and options of hf_open.
 *
 * An address that parses is taken apart so that the parts give it again.
 * Options are filled in within their bounds, with addresses that parse, or
 * refused with a text that says why. */
#include "api/api.h"
#include "fuzz/lib/choices.h"
#include "fuzz/lib/target.h"
#include "host/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (ADDRESS_HOST_MAX + ADDRESS_PORT_MAX + 3) /* "[]:" */
#define PREFIX 8 /* bytes of choices before the text */

static void check_numeric(const struct address *a)
{
	const struct sockaddr_in *v4 = (const void *)&a->at;
	const struct sockaddr_in6 *v6 = (const void *)&a->at;
	const bool four = a->at.ss_family == AF_INET;
	const void *at = four ? (const void *)&v4->sin_addr : &v6->sin6_addr;
	const size_t len = four ? sizeof(v4->sin_addr) : sizeof(v6->sin6_addr);
	struct in6_addr again;

	must(four || a->at.ss_family == AF_INET6);
	must(ntohs(four ? v4->sin_port : v6->sin6_port) ==
	     strtol(a->port, NULL, 10));
	must(inet_pton(a->at.ss_family, a->host, &again) == 1);
	must(memcmp(&again, at, len) == 0);
}

static void try_address(const char *text)
{
	char again[TEXT_MAX + 1];
	struct address a;

	if (!address_parse(&a, text))
		return;
	must(a.host[0] && a.port[0]);
	must(strtol(a.port, NULL, 10) <= UINT16_MAX);
	snprintf(again, sizeof(again), *text == '[' ? "[%s]:%s" : "%s:%s",
		 a.host, a.port);
	must(strcmp(again, text) == 0);
	if (a.numeric)
		check_numeric(&a);
}

/* 0 is the default; the rest is around the bounds. */
static uint32_t choose_number(struct reader *c)
{
	static const uint32_t numbers[] = { 0,   1,     500,      2500,
					    100, 60000, 86400000, UINT32_MAX };

	return numbers[choose(c, sizeof(numbers) / sizeof(*numbers))];
}

static void check_options(const struct hf_options *o)
{
	struct address a;

	must(o->dir && *o->cluster && o->id > 0 && o->ttl_ms >= 500);
	must(o->renew_ms > 0 && o->renew_ms <= o->ttl_ms / 3);
	must(o->margin_ms > 0 && o->margin_ms <= o->ttl_ms / 4);
	must(o->drift_ppm > 0 && o->election_ms >= 100);
	for (size_t i = 0; i < o->members_len; i++) {
		must(address_parse(&a, o->members[i].address));
		must(strtol(a.port, NULL, 10) > 0);
		must(!a.numeric || o->plain_tcp ||
		     address_is_loopback((const struct sockaddr *)&a.at));
	}
}

static void try_options(struct reader *c, const char *text)
{
	struct hf_member members[] = { { 1, text },
				       { choose(c, 3), "[::1]:7401" } };
	struct hf_options given = { .size = sizeof(given),
				    .dir = "/here",
				    .members = members,
				    .members_len = choose(c, 3),
				    .id = choose(c, 3),
				    .ttl_ms = choose_number(c),
				    .renew_ms = choose_number(c),
				    .margin_ms = choose_number(c),
				    .election_ms = choose_number(c),
				    .plain_tcp = choose(c, 2) };
	struct hf_options checked;
	char error[HF_ERROR_TEXT] = "";
	int rc = options_check(&given, &checked, error);

	must(rc == 0 ||
	     (rc == HF_EINVAL && error[0] && memchr(error, 0, sizeof(error))));
	if (rc == 0)
		check_options(&checked);
	given.cluster = text;
	given.members_len = 0;
	rc = options_check(&given, &checked, error);
	must(rc == 0 || rc == HF_EINVAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader c = reader_of(bytes, len < PREFIX ? len : PREFIX);
	size_t text_len = len - reader_left(&c);
	char *text = calloc(text_len + 1, 1);

	must(text);
	if (text_len > 0)
		memcpy(text, bytes + len - text_len, text_len);
	try_address(text);
	try_options(&c, text);
	free(text);
	return 0;
}

void fuzz_sample(struct buf *b, struct random *r)
{
	static const char *const hosts[] = {
		"10.0.0.1",
		"[::1]",
		"[::ffff:127.0.0.1]",
		"node-1.example.net",
		"localhost",
		"[fe80::1]",
		"127.1",
		"::1",
		"127.0.0.1",
		"",
	};
	static const uint8_t choices[PREFIX] = { 2, 2, 1, 0, 0, 0, 0, 1 };
	const char *host =
		hosts[random_below(r, sizeof(hosts) / sizeof(*hosts))];
	char port[24];

	snprintf(port, sizeof(port), ":%ju", (uintmax_t)random_width(r) >> 46);
	if (random_below(r, 4))
		buf_put(b, choices, sizeof(choices));
	else
		buf_put64(b, random_next(r));
	buf_put(b, host, strlen(host));
	if (random_below(r, 8))
		buf_put(b, port, strlen(port));
}

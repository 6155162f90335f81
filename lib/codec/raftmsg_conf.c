/* The bytes of a Raft configuration, checked before libraft decodes them: its
 * decoder takes lengths on trust.
 *
 * A format byte, the number of servers in eight bytes, each server's id in
 * eight, its address and a zero, its role in one; zeros up to a multiple of
 * eight. */
#include "codec/field.h"
#include "codec/raftmsg.h"

#define CONF_FORMAT 1

struct server {
	uint64_t id;
	const uint8_t *address;
	size_t address_len;
};

static bool get_server(struct reader *r, struct server *s)
{
	s->id = reader_get64(r);
	s->address = r->at;
	const uint8_t *zero = memchr(r->at, 0, reader_left(r));
	if (s->id == 0 || !zero)
		return false;
	s->address_len = (size_t)(zero - r->at);
	reader_take(r, s->address_len + 1);
	uint8_t role = reader_get8(r);
	return !r->failed && s->address_len <= RAFTMSG_ADDRESS_MAX &&
	       role <= RAFT_SPARE;
}

static bool same(const struct server *a, const struct server *b)
{
	return a->id == b->id ||
	       (a->address_len == b->address_len &&
		memcmp(a->address, b->address, a->address_len) == 0);
}

static bool get_servers(struct reader *r, size_t n)
{
	struct server servers[RAFTMSG_SERVERS_MAX];

	for (size_t i = 0; i < n; i++) {
		if (!get_server(r, &servers[i]))
			return false;
		for (size_t k = 0; k < i; k++)
			if (same(&servers[i], &servers[k]))
				return false;
	}
	return true;
}

bool raftmsg_configuration_valid(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	uint8_t format = reader_get8(&r);
	uint64_t n = reader_get64(&r);

	if (r.failed || format != CONF_FORMAT || len % 8 != 0)
		return false;
	if (n == 0 || n > RAFTMSG_SERVERS_MAX || !get_servers(&r, n))
		return false;
	if (reader_left(&r) >= 8)
		return false;
	for (; r.at < r.end; r.at++)
		if (*r.at != 0)
			return false;
	return true;
}

#include "packet.h"

#include "shared.h"

#define IP_HEADER_MIN 20
#define TCP_HEADER_MIN 20
#define PROTOCOL_TCP 6
#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_ACK 0x10

struct view { /* offsets in the packet */
	size_t tcp, payload, end;
};

static size_t get16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static bool find(struct view *v, const uint8_t *bytes, size_t len)
{
	if (len < IP_HEADER_MIN || bytes[0] >> 4 != 4 ||
	    bytes[9] != PROTOCOL_TCP)
		return false;
	v->tcp = (bytes[0] & 15u) * 4;
	v->end = get16(bytes + 2);
	if (v->tcp < IP_HEADER_MIN || v->end > len ||
	    v->tcp + TCP_HEADER_MIN > v->end)
		return false;
	v->payload = v->tcp + (size_t)(bytes[v->tcp + 12] >> 4) * 4;
	return v->payload >= v->tcp + TCP_HEADER_MIN && v->payload <= v->end;
}

/* The sum of the internet's checksums, RFC 1071. */
static uint32_t sum(uint32_t so_far, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		so_far += (uint32_t)get16(p + i);
	if (len % 2)
		so_far += (uint32_t)p[len - 1] << 8;
	while (so_far >> 16)
		so_far = (so_far & 0xffff) + (so_far >> 16);
	return so_far;
}

static void seal_tcp(uint8_t *bytes, const struct view *v)
{
	size_t len = v->end - v->tcp;
	uint8_t *checksum = bytes + v->tcp + 16;
	uint32_t pseudo = PROTOCOL_TCP + (uint32_t)len;

	put16(checksum, 0);
	pseudo = sum(pseudo, bytes + 12, 8);
	put16(checksum, ~sum(pseudo, bytes + v->tcp, len) & 0xffff);
}

static void seal_ip(uint8_t *bytes, size_t header_len)
{
	put16(bytes + 10, 0);
	put16(bytes + 10, ~sum(0, bytes, header_len) & 0xffff);
}

int packet_target(const uint8_t *bytes, size_t len)
{
	if (len < IP_HEADER_MIN || bytes[0] >> 4 != 4 || bytes[16] != 10 ||
	    bytes[17] != 77 || bytes[18] != 0 || bytes[19] < 1 ||
	    bytes[19] > MEMBERS_MAX)
		return -1;
	return bytes[19] - 1;
}

bool packet_has_payload(const uint8_t *bytes, size_t len)
{
	struct view v;

	return find(&v, bytes, len) && v.payload < v.end;
}

bool packet_corrupt(uint8_t *bytes, size_t len, uint64_t draw, bool mend)
{
	struct view v;

	if (!find(&v, bytes, len) || v.payload == v.end)
		return false;
	size_t at = v.payload + (size_t)(draw >> 3) % (v.end - v.payload);
	bytes[at] = (uint8_t)(bytes[at] ^ 1u << (draw & 7));
	if (mend)
		seal_tcp(bytes, &v);
	return true;
}

size_t packet_reset(uint8_t *bytes, size_t len)
{
	struct view v;

	if (!find(&v, bytes, len))
		return 0;
	uint8_t *tcp = bytes + v.tcp;
	if (tcp[13] & (FLAG_SYN | FLAG_RST))
		return 0;
	v.end = v.payload = v.tcp + TCP_HEADER_MIN;
	put16(bytes + 2, v.end);
	tcp[12] = TCP_HEADER_MIN / 4 << 4;
	tcp[13] = FLAG_RST | FLAG_ACK;
	seal_tcp(bytes, &v);
	seal_ip(bytes, v.tcp);
	return v.end;
}

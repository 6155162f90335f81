/* What a link says first and last: HELLO and REFUSE; see frame.h. */
#include "codec/field.h"
#include "codec/frame.h"

#include "holdfast.h"

#include <assert.h>

#define HELLO_BYTES 48
#define HELLO_MEMBER 1

static bool refusal_valid(int rc)
{
	return rc < 0 && rc >= STATUS_LEAST;
}

void hello_encode(struct buf *b, const struct hello *h)
{
	assert(h->node > 0);
	buf_put32(b, h->protocol);
	buf_put32(b, h->member ? HELLO_MEMBER : 0);
	buf_put64(b, h->cluster);
	buf_put64(b, h->incarnation);
	buf_put64(b, h->node);
	buf_put64(b, h->to);
	buf_put64(b, h->boot);
}

int hello_decode(const uint8_t *bytes, size_t len, struct hello *h)
{
	struct reader r = reader_of(bytes, len);

	*h = (struct hello){ .protocol = reader_get32(&r) };
	if (!r.failed && h->protocol != PROTOCOL_VERSION)
		return 0;
	uint32_t flags = reader_get32(&r);
	h->member = flags == HELLO_MEMBER;
	h->cluster = reader_get64(&r);
	h->incarnation = reader_get64(&r);
	h->node = reader_get64(&r);
	h->to = reader_get64(&r);
	h->boot = reader_get64(&r);
	if (r.failed || reader_left(&r) > 0 || flags > HELLO_MEMBER ||
	    h->node == 0)
		return HF_ECORRUPT;
	return 0;
}

static char printable(uint8_t c)
{
	return c >= ' ' && c <= '~' ? (char)c : '?';
}

void refuse_encode(struct buf *b, int rc, const char *text)
{
	size_t len = strlen(text);

	assert(refusal_valid(rc));
	if (len > REFUSE_TEXT_MAX)
		len = REFUSE_TEXT_MAX;
	buf_put32(b, (uint32_t)rc);
	for (size_t i = 0; i < len; i++)
		buf_put8(b, (uint8_t)printable((uint8_t)text[i]));
}

int refuse_decode(const uint8_t *bytes, size_t len, int *rc, char *text)
{
	struct reader r = reader_of(bytes, len);

	*rc = (int)reader_get32(&r);
	len = reader_left(&r);
	if (r.failed || !refusal_valid(*rc) || len > REFUSE_TEXT_MAX)
		return HF_ECORRUPT;
	for (size_t i = 0; i < len; i++)
		text[i] = printable(r.at[i]);
	text[len] = '\0';
	return 0;
}

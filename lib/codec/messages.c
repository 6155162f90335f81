/* Small messages of a fixed length: ATTACH, QUERY, REPLY, NOTLEADER; see
 * frame.h. */
#include "codec/field.h"
#include "codec/frame.h"

#include "holdfast.h"

#include <assert.h>

/* 0 where all of a message and no more has been read. */
static int ended(const struct reader *r, bool valid)
{
	return valid && !r->failed && reader_left(r) == 0 ? 0 : HF_ECORRUPT;
}

static bool id_valid(uint64_t id)
{
	return id > 0 && id <= NUMBER_MAX;
}

void attach_encode(struct buf *b, const struct attach *a)
{
	assert(id_valid(a->session));
	buf_put64(b, a->session);
	buf_put64(b, a->nonce);
}

int attach_decode(const uint8_t *m, size_t len, struct attach *a)
{
	struct reader r = reader_of(m, len);

	a->session = reader_get64(&r);
	a->nonce = reader_get64(&r);
	return ended(&r, id_valid(a->session));
}

static bool query_valid(const struct query *q)
{
	return q->kind == QUERY_VALIDATE && id_valid(q->session) &&
	       id_valid(q->token);
}

void query_encode(struct buf *b, const struct query *q)
{
	assert(query_valid(q));
	buf_put32(b, (uint32_t)q->kind);
	buf_put64(b, q->id);
	buf_put64(b, q->session);
	buf_put64(b, q->token);
}

int query_decode(const uint8_t *m, size_t len, struct query *q)
{
	struct reader r = reader_of(m, len);

	q->kind = (enum query_kind)reader_get32(&r);
	q->id = reader_get64(&r);
	q->session = reader_get64(&r);
	q->token = reader_get64(&r);
	return ended(&r, query_valid(q));
}

void reply_encode(struct buf *b, const struct reply *y)
{
	assert(status_valid(y->status));
	buf_put64(b, y->id);
	buf_put32(b, (uint32_t)y->status);
}

int reply_decode(const uint8_t *m, size_t len, struct reply *y)
{
	struct reader r = reader_of(m, len);

	y->id = reader_get64(&r);
	y->status = (int32_t)reader_get32(&r);
	return ended(&r, status_valid(y->status));
}

void notleader_encode(struct buf *b, const struct notleader *n)
{
	buf_put64(b, n->leader);
	buf_put64(b, n->term);
}

int notleader_decode(const uint8_t *m, size_t len, struct notleader *n)
{
	struct reader r = reader_of(m, len);

	n->leader = reader_get64(&r);
	n->term = reader_get64(&r);
	return ended(&r, true);
}

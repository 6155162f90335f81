/* Messages of one thing each: ATTACH, QUERY, REPLY, NOTLEADER; see frame.h. */
#include "codec/field.h"
#include "codec/frame.h"

#include "holdfast.h"

#include <assert.h>

/* 0 where all of a message and no more has been read. */
static int ended(const struct reader *r, bool valid)
{
	return valid && !r->failed && reader_left(r) == 0 ? 0 : HF_ECORRUPT;
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
	if (q->kind == QUERY_VALIDATE)
		return id_valid(q->session) && id_valid(q->token) &&
		       q->name_len == 0;
	return q->kind == QUERY_VALUE && q->session == 0 && q->token == 0 &&
	       name_valid(q->name_len);
}

void query_encode(struct buf *b, const struct query *q)
{
	assert(query_valid(q));
	buf_put32(b, (uint32_t)q->kind);
	buf_put64(b, q->id);
	if (q->kind == QUERY_VALIDATE) {
		buf_put64(b, q->session);
		buf_put64(b, q->token);
	} else {
		buf_put32(b, (uint32_t)q->name_len);
		buf_put(b, q->name, q->name_len);
	}
}

int query_decode(const uint8_t *m, size_t len, struct query *q)
{
	struct reader r = reader_of(m, len);

	*q = (struct query){ .kind = (enum query_kind)reader_get32(&r) };
	q->id = reader_get64(&r);
	if (q->kind == QUERY_VALIDATE) {
		q->session = reader_get64(&r);
		q->token = reader_get64(&r);
	} else {
		q->name_len = reader_get32(&r);
		q->name = reader_take(&r, q->name_len);
	}
	return ended(&r, query_valid(q));
}

/* What a reply tells besides its status. */
enum tale {
	TALE_NOTHING = 0,
	TALE_ABSENT = 1, /* there is no such value */
	TALE_BYTES = 2,
	TALE_COUNTER = 3
};

static enum tale tale_of(const struct reply *y)
{
	if (y->version > 0)
		return y->counter ? TALE_COUNTER : TALE_BYTES;
	return y->index > 0 ? TALE_ABSENT : TALE_NOTHING;
}

static bool reply_valid(const struct reply *y)
{
	bool counter = y->version > 0 && y->counter;
	bool bytes = y->version > 0 && !y->counter;

	return status_valid(y->status) && (y->index > 0 || y->version == 0) &&
	       y->version <= NUMBER_MAX && y->session <= NUMBER_MAX &&
	       (y->version > 0 || y->session == 0) && y->counter == counter &&
	       (counter ? count_valid(y->number) : y->number == 0) &&
	       y->bytes_len <= (bytes ? VALUE_MAX : 0);
}

void reply_encode(struct buf *b, const struct reply *y)
{
	enum tale tale = tale_of(y);

	assert(reply_valid(y));
	buf_put64(b, y->id);
	buf_put32(b, (uint32_t)y->status);
	buf_put8(b, (uint8_t)tale);
	if (tale != TALE_NOTHING)
		buf_put64(b, y->index);
	if (tale == TALE_BYTES || tale == TALE_COUNTER) {
		buf_put64(b, y->version);
		buf_put64(b, y->session);
	}
	if (tale == TALE_COUNTER)
		buf_put64(b, (uint64_t)y->number);
	if (tale == TALE_BYTES) {
		buf_put32(b, (uint32_t)y->bytes_len);
		buf_put(b, y->bytes, y->bytes_len);
	}
}

int reply_decode(const uint8_t *m, size_t len, struct reply *y)
{
	struct reader r = reader_of(m, len);

	*y = (struct reply){ .id = reader_get64(&r) };
	y->status = (int32_t)reader_get32(&r);
	unsigned tale = reader_get8(&r);
	if (tale != TALE_NOTHING)
		y->index = reader_get64(&r);
	if (tale == TALE_BYTES || tale == TALE_COUNTER) {
		y->version = reader_get64(&r);
		y->session = reader_get64(&r);
	}
	if (tale == TALE_COUNTER) {
		y->counter = true;
		y->number = (int64_t)reader_get64(&r);
	}
	if (tale == TALE_BYTES) {
		y->bytes_len = reader_get32(&r);
		y->bytes =
			y->bytes_len > 0 ? reader_take(&r, y->bytes_len) : NULL;
	}
	return ended(&r, tale == tale_of(y) && reply_valid(y));
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

/* Messages that are lists, with the count first: REQUESTS, OUTPUTS, and the
 * items of a RESYNC; see frame.h. */
#include "codec/entry.h"
#include "codec/field.h"
#include "codec/frame.h"

#include "holdfast.h"

#include <assert.h>

#define OUTPUT_BYTES_MAX 96
#define ITEM_BYTES_MAX 32
#define RESYNC_HEAD 36
/* The least that one of them takes: a count above what fits is a lie. */
#define OP_BYTES_MIN 4
#define OUTPUT_BYTES_MIN 10
#define ITEM_BYTES_MIN 3

static void count_up(struct buf *b, size_t at)
{
	if (!b->failed)
		put32(b->base + at, load32(b->base + at) + 1);
}

static int list_open(struct reader *r, size_t item_min, size_t *left)
{
	*left = reader_get32(r);
	return r->failed || *left > reader_left(r) / item_min ? HF_ECORRUPT : 0;
}

/* 1: there is one more; 0: no more, and nothing behind the last. */
static int list_next(struct reader *r, size_t *left)
{
	if (*left == 0)
		return r->failed || reader_left(r) > 0 ? HF_ECORRUPT : 0;
	--*left;
	return 1;
}

static void list_begin(struct buf *b)
{
	buf_clear(b);
	buf_put32(b, 0);
}

void requests_begin(struct buf *b)
{
	list_begin(b);
}

void requests_add(struct buf *b, const struct op *op)
{
	op_encode(b, op);
	count_up(b, 0);
}

size_t requests_count(const struct buf *b)
{
	return b->len < 4 ? 0 : load32(b->base);
}

int requests_open(struct requests_reader *it, const uint8_t *m, size_t len)
{
	it->r = reader_of(m, len);
	return list_open(&it->r, OP_BYTES_MIN, &it->left);
}

int requests_next(struct requests_reader *it, struct op *op,
		  const uint8_t **op_bytes, size_t *op_len)
{
	int rc = list_next(&it->r, &it->left);

	if (rc <= 0)
		return rc;
	*op_bytes = it->r.at;
	rc = op_decode(&it->r, op);
	*op_len = (size_t)(it->r.at - *op_bytes);
	return rc == 0 ? 1 : rc;
}

static bool output_valid(const struct output *o)
{
	unsigned kind = (unsigned)o->kind, op = (unsigned)o->op;

	return kind >= OUTPUT_ANSWER && kind <= OUTPUT_SESSION_ENDED &&
	       op <= OP_LIMITS && (op > 0 || kind != OUTPUT_ANSWER) &&
	       status_valid(o->status) && o->node > 0 &&
	       o->session <= NUMBER_MAX && o->token <= NUMBER_MAX &&
	       o->stamp <= NUMBER_MAX && o->deadline <= NUMBER_MAX;
}

void outputs_begin(struct buf *b)
{
	list_begin(b);
}

void outputs_add(struct buf *b, const struct output *o)
{
	uint8_t *to = buf_reserve(b, OUTPUT_BYTES_MAX);

	assert(output_valid(o));
	if (!to)
		return;
	*to++ = (uint8_t)o->kind;
	*to++ = (uint8_t)o->op;
	to = put_status(to, o->status);
	to = put_varint(to, o->node);
	to = put_varint(to, o->session);
	to = put_varint(to, o->seq);
	to = put_varint(to, o->token);
	to = put_varint(to, o->stamp);
	to = put_varint(to, o->deadline);
	to = put_varint(to, o->index);
	b->len = (size_t)(to - b->base);
	count_up(b, 0);
}

size_t outputs_count(const struct buf *b)
{
	return requests_count(b);
}

int outputs_open(struct outputs_reader *it, const uint8_t *m, size_t len)
{
	it->r = reader_of(m, len);
	return list_open(&it->r, OUTPUT_BYTES_MIN, &it->left);
}

int outputs_next(struct outputs_reader *it, struct output *o)
{
	struct reader *r = &it->r;
	int rc = list_next(r, &it->left);

	if (rc <= 0)
		return rc;
	o->kind = (enum output_kind)reader_get8(r);
	o->op = (enum op_kind)reader_get8(r);
	o->status = get_status(r);
	o->node = get_varint(r);
	o->session = get_varint(r);
	o->seq = get_varint(r);
	o->token = get_varint(r);
	o->stamp = get_varint(r);
	o->deadline = get_varint(r);
	o->index = get_varint(r);
	return !r->failed && output_valid(o) ? 1 : HF_ECORRUPT;
}

static bool resync_valid(const struct resync *s)
{
	return s->session > 0 && s->session <= NUMBER_MAX;
}

void resync_begin(struct buf *b, const struct resync *s)
{
	assert(resync_valid(s));
	buf_clear(b);
	buf_put32(b, s->alive);
	buf_put64(b, s->session);
	buf_put64(b, s->nonce);
	buf_put64(b, s->index);
	buf_put64(b, s->term);
	buf_put32(b, 0);
}

static bool item_valid(const struct resync_item *item)
{
	return item->seq > 0 && item->token <= NUMBER_MAX &&
	       status_valid(item->status);
}

void resync_add(struct buf *b, const struct resync_item *item)
{
	uint8_t *to = buf_reserve(b, ITEM_BYTES_MAX);

	assert(item_valid(item));
	if (!to)
		return;
	to = put_varint(to, item->seq);
	to = put_varint(to, item->token);
	to = put_status(to, item->status);
	b->len = (size_t)(to - b->base);
	count_up(b, RESYNC_HEAD);
}

int resync_open(struct resync_reader *it, const uint8_t *m, size_t len,
		struct resync *s)
{
	struct reader *r = &it->r;

	*r = reader_of(m, len);
	uint32_t alive = reader_get32(r);
	*s = (struct resync){ .alive = alive == 1 };
	s->session = reader_get64(r);
	s->nonce = reader_get64(r);
	s->index = reader_get64(r);
	s->term = reader_get64(r);
	if (r->failed || alive > 1 || !resync_valid(s))
		return HF_ECORRUPT;
	return list_open(r, ITEM_BYTES_MIN, &it->left);
}

int resync_next(struct resync_reader *it, struct resync_item *item)
{
	struct reader *r = &it->r;
	int rc = list_next(r, &it->left);

	if (rc <= 0)
		return rc;
	item->seq = get_varint(r);
	item->token = get_varint(r);
	item->status = get_status(r);
	return !r->failed && item_valid(item) ? 1 : HF_ECORRUPT;
}

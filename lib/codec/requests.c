/* Messages that are lists, with the count first: REQUESTS, OUTPUTS, and the
 * items of a RESYNC; see frame.h. */
#include "codec/entry.h"
#include "codec/field.h"
#include "codec/frame.h"

#include "holdfast.h"

#include <assert.h>

/* Of one of them, but for names and bytes. */
#define OUTPUT_FIXED_MAX 128
#define ITEM_FIXED_MAX 96
#define OUTPUT_BYTES_MAX (OUTPUT_FIXED_MAX + LOCK_NAME_MAX + REASON_MAX)
#define RESYNC_HEAD 36
/* The least that one of them takes: a count above what fits is a lie. */
#define OP_BYTES_MIN 4
#define OUTPUT_BYTES_MIN 10
#define ITEM_BYTES_MIN 4

static_assert(OP_BYTES_MAX < MESSAGE_REQUEST_MAX / 2 &&
		      OUTPUT_BYTES_MAX < MESSAGE_REQUEST_MAX / 2,
	      "a message that is sent once it is half full takes any other");

/* What an output mostly doesn't have, by bit. */
enum {
	OUTPUT_HAS_DEADLINE = 1,
	OUTPUT_HAS_BY = 2,
	OUTPUT_HAS_NUMBER = 4,
	OUTPUT_HAS_NAME = 8,
	OUTPUT_HAS_BYTES = 16,
	OUTPUT_HAS_ALL = 31
};

/* And an item of a resync. */
enum {
	ITEM_HAS_DEADLINE = 1,
	ITEM_HAS_STAMP = 2,
	ITEM_HAS_REVOKED = 4,
	ITEM_HAS_NOTED = 8,
	ITEM_HAS_BY = 16,
	ITEM_HAS_REASON = 32,
	ITEM_HAS_ALL = 63
};

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
	rc = op_decode(&it->r, it->room, op);
	*op_len = (size_t)(it->r.at - *op_bytes);
	return rc == 0 ? 1 : rc;
}

/* What watches show is for the member itself: it never travels. */
static bool output_valid(const struct output *o)
{
	unsigned kind = (unsigned)o->kind, op = (unsigned)o->op;

	return kind >= OUTPUT_ANSWER && kind <= OUTPUT_DEADLOCK &&
	       op <= OP_ANNOUNCE && (op > 0 || kind != OUTPUT_ANSWER) &&
	       o->change == 0 && status_valid(o->status) && o->node > 0 &&
	       o->session <= NUMBER_MAX && o->token <= NUMBER_MAX &&
	       o->stamp <= NUMBER_MAX && o->deadline <= NUMBER_MAX &&
	       /* A node, or else a time. */
	       (o->number <= NUMBER_MAX || kind == OUTPUT_DEADLOCK) &&
	       o->name_len <= LOCK_NAME_MAX && o->bytes_len <= REASON_MAX;
}

static uint8_t output_extras(const struct output *o)
{
	unsigned mask = 0;

	mask |= o->deadline > 0 ? OUTPUT_HAS_DEADLINE : 0;
	mask |= o->by > 0 ? OUTPUT_HAS_BY : 0;
	mask |= o->number > 0 ? OUTPUT_HAS_NUMBER : 0;
	mask |= o->name_len > 0 ? OUTPUT_HAS_NAME : 0;
	mask |= o->bytes_len > 0 ? OUTPUT_HAS_BYTES : 0;
	return (uint8_t)mask;
}

void outputs_begin(struct buf *b)
{
	list_begin(b);
}

void outputs_add(struct buf *b, const struct output *o)
{
	assert(output_valid(o));
	uint8_t *to =
		buf_reserve(b, OUTPUT_FIXED_MAX + o->name_len + o->bytes_len);
	if (!to)
		return;
	*to++ = (uint8_t)o->kind;
	*to++ = (uint8_t)o->op;
	*to++ = output_extras(o);
	to = put_status(to, o->status);
	to = put_varint(to, o->node);
	to = put_varint(to, o->session);
	to = put_varint(to, o->seq);
	to = put_varint(to, o->token);
	to = put_varint(to, o->stamp);
	to = put_varint(to, o->index);
	to = put_present(to, o->deadline);
	to = put_present(to, o->by);
	to = put_present(to, o->number);
	to = put_present_block(to, o->name, o->name_len);
	to = put_present_block(to, o->bytes, o->bytes_len);
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
	*o = (struct output){ .kind = (enum output_kind)reader_get8(r) };
	o->op = (enum op_kind)reader_get8(r);
	uint64_t has = get_bounded(r, OUTPUT_HAS_ALL);
	o->status = get_status(r);
	o->node = get_varint(r);
	o->session = get_varint(r);
	o->seq = get_varint(r);
	o->token = get_varint(r);
	o->stamp = get_varint(r);
	o->index = get_varint(r);
	o->deadline = get_present(r, has & OUTPUT_HAS_DEADLINE, NUMBER_MAX);
	o->by = get_present(r, has & OUTPUT_HAS_BY, UINT64_MAX);
	o->number = get_present(r, has & OUTPUT_HAS_NUMBER, UINT64_MAX);
	o->name = get_present_block(r, has & OUTPUT_HAS_NAME, LOCK_NAME_MAX,
				    &o->name_len);
	o->bytes = get_present_block(r, has & OUTPUT_HAS_BYTES, REASON_MAX,
				     &o->bytes_len);
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

static uint8_t item_extras(const struct resync_item *item)
{
	unsigned mask = 0;

	mask |= item->deadline > 0 ? ITEM_HAS_DEADLINE : 0;
	mask |= item->stamp > 0 ? ITEM_HAS_STAMP : 0;
	mask |= item->revoked_at > 0 ? ITEM_HAS_REVOKED : 0;
	mask |= item->noted_at > 0 ? ITEM_HAS_NOTED : 0;
	mask |= item->by > 0 ? ITEM_HAS_BY : 0;
	mask |= item->reason_len > 0 ? ITEM_HAS_REASON : 0;
	return (uint8_t)mask;
}

/* Only a hold has more than its number, token and status; only a revoked one
 * has what the revocation says. */
static bool item_valid(const struct resync_item *item)
{
	unsigned has = item_extras(item);
	bool held = item->token > 0 && item->status == 0;

	return item->seq > 0 && item->token <= NUMBER_MAX &&
	       status_valid(item->status) && (held || has == 0) &&
	       (has & ITEM_HAS_REVOKED || has < ITEM_HAS_REVOKED) &&
	       item->deadline <= NUMBER_MAX && item->stamp <= NUMBER_MAX &&
	       item->revoked_at <= NUMBER_MAX && item->noted_at <= NUMBER_MAX &&
	       item->reason_len <= REASON_MAX;
}

void resync_add(struct buf *b, const struct resync_item *item)
{
	assert(item_valid(item));
	uint8_t *to = buf_reserve(b, ITEM_FIXED_MAX + item->reason_len);
	if (!to)
		return;
	to = put_varint(to, item->seq);
	to = put_varint(to, item->token);
	to = put_status(to, item->status);
	*to++ = item_extras(item);
	to = put_present(to, item->deadline);
	to = put_present(to, item->stamp);
	to = put_present(to, item->revoked_at);
	to = put_present(to, item->noted_at);
	to = put_present(to, item->by);
	to = put_present_block(to, item->reason, item->reason_len);
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
	uint64_t has = get_bounded(r, ITEM_HAS_ALL);
	item->deadline = get_present(r, has & ITEM_HAS_DEADLINE, NUMBER_MAX);
	item->stamp = get_present(r, has & ITEM_HAS_STAMP, NUMBER_MAX);
	item->revoked_at = get_present(r, has & ITEM_HAS_REVOKED, NUMBER_MAX);
	item->noted_at = get_present(r, has & ITEM_HAS_NOTED, NUMBER_MAX);
	item->by = get_present(r, has & ITEM_HAS_BY, UINT64_MAX);
	item->reason = get_present_block(r, has & ITEM_HAS_REASON, REASON_MAX,
					 &item->reason_len);
	return !r->failed && item_valid(item) ? 1 : HF_ECORRUPT;
}

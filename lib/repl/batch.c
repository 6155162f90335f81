/* Operations that wait for the next entry: batch.h. */
#include "repl/batch.h"

#include "holdfast.h"
#include "repl/limits.h"

static void chunk_free(const struct mem *mem, struct chunk *c)
{
	if (!c)
		return;
	buf_free(&c->bytes);
	mem_free(mem, c->renewals);
	mem_free(mem, c);
}

static struct chunk *chunk_new(const struct mem *mem, bool renewals)
{
	struct chunk *c = mem_zalloc(mem, sizeof(*c));

	if (c)
		c->bytes.mem = mem;
	if (!c || !renewals)
		return c;
	c->ready = UINT64_MAX;
	c->renewals = mem_alloc(mem, CHUNK_OPS_MAX * sizeof(*c->renewals));
	if (c->renewals)
		return c;
	chunk_free(mem, c);
	return NULL;
}

static bool fits(const struct chunk *c, size_t len)
{
	return c && c->ops < CHUNK_OPS_MAX &&
	       c->bytes.len + len <= CHUNK_BYTES_MAX;
}

/* A chunk with room for `len` more bytes. */
static struct chunk *room(struct batch *b, struct line *line, size_t max,
			  size_t len)
{
	if (fits(line->tail, len))
		return line->tail;
	if (line->chunks >= max)
		return NULL;
	struct chunk *c = chunk_new(b->mem, line == &b->renewals);
	if (!c)
		return NULL;
	if (line->tail)
		line->tail->next = c;
	else
		line->head = c;
	line->tail = c;
	line->chunks++;
	return c;
}

static size_t chunks_max(enum op_kind kind)
{
	switch (kind) {
	case OP_RENEW:
		return CHUNKS_RENEW_MAX;
	case OP_ACQUIRE:
	case OP_OPEN:
	case OP_PUT:
	case OP_ADD:
	case OP_AWAIT:
		return CHUNKS_ACQUIRE_MAX;
	default:
		return CHUNKS_OTHER_MAX;
	}
}

/* Acquires have a limit of their own below that of the line: it holds for a
 * chunk that the others have begun as well. */
static bool crowded(const struct batch *b, enum op_kind kind)
{
	return kind != OP_RENEW && b->others.chunks > chunks_max(kind);
}

int batch_add(struct batch *b, const struct op *op, const uint8_t *bytes,
	      size_t len, uint64_t ready)
{
	struct line *line = op->kind == OP_RENEW ? &b->renewals : &b->others;

	if (len > CHUNK_BYTES_MAX)
		return HF_EINVAL;
	struct chunk *c = crowded(b, op->kind)
				  ? NULL
				  : room(b, line, chunks_max(op->kind), len);
	if (!c)
		return HF_EBUSY;
	uint8_t *to = buf_reserve(&c->bytes, len);
	if (!to) {
		c->bytes.failed = false; /* nothing was put */
		return HF_EBUSY;
	}
	buf_put(&c->bytes, bytes, len);
	if (op->kind == OP_RENEW) {
		c->renewals[c->ops] = (struct renewal){ op->session, op->node };
		c->ready = ready < c->ready ? ready : c->ready;
	}
	c->ops++;
	return 0;
}

bool batch_empty(const struct batch *b)
{
	return !b->renewals.head && !b->others.head;
}

uint64_t batch_ready(const struct batch *b)
{
	if (b->others.head || b->renewals.chunks > 1)
		return 0;
	return b->renewals.head ? b->renewals.head->ready : UINT64_MAX;
}

static struct chunk *pop(struct line *line)
{
	struct chunk *c = line->head;

	if (!c)
		return NULL;
	line->head = c->next;
	if (!line->head)
		line->tail = NULL;
	line->chunks--;
	c->next = NULL;
	return c;
}

bool batch_seal(struct batch *b, struct sealed *s)
{
	struct chunk *first = b->renewals.head, *second = b->others.head;

	*s = (struct sealed){ 0 };
	if (first && second && !buf_reserve(&first->bytes, second->bytes.len)) {
		first->bytes.failed = false;
		return false;
	}
	first = pop(&b->renewals);
	second = pop(&b->others);
	s->chunk = first ? first : second;
	s->renewals = first ? first->ops : 0;
	s->ops = (first ? first->ops : 0) + (second ? second->ops : 0);
	if (!first || !second)
		return true;
	buf_put(&first->bytes, second->bytes.base, second->bytes.len);
	chunk_free(b->mem, second);
	return true;
}

void sealed_free(const struct batch *b, struct sealed *s)
{
	chunk_free(b->mem, s->chunk);
	*s = (struct sealed){ 0 };
}

void batch_renewals(const struct batch *b, renewal_visit visit, void *ctx)
{
	for (const struct chunk *c = b->renewals.head; c; c = c->next)
		for (size_t i = 0; i < c->ops; i++)
			visit(ctx, &c->renewals[i]);
}

void sealed_renewals(const struct sealed *s, renewal_visit visit, void *ctx)
{
	for (size_t i = 0; i < s->renewals; i++)
		visit(ctx, &s->chunk->renewals[i]);
}

void batch_clear(struct batch *b)
{
	struct chunk *c;

	while ((c = pop(&b->renewals)) || (c = pop(&b->others)))
		chunk_free(b->mem, c);
}

/* What an acquisition asks for: its options, and its operation. */
#include "node/internal.h"

#include <assert.h>
#include <string.h>

static bool lock_valid(size_t name_len, enum hf_mode mode, uint32_t permits,
		       uint32_t limit)
{
	if (name_len < 1 || name_len > LOCK_NAME_MAX)
		return false;
	switch (mode) {
	case HF_EXCLUSIVE:
	case HF_SHARED:
		return permits == 0 && limit == 0;
	case HF_PERMITS:
		return permits >= 1 && (limit == 0 || permits <= limit);
	case HF_BARRIER:
		return permits == 0 && limit >= 1;
	default:
		return false;
	}
}

static struct op_part part_of(const struct acquire_options *o, size_t i)
{
	if (i > 0)
		return o->more[i - 1];
	return (struct op_part){ .name = (const uint8_t *)o->name,
				 .name_len = o->name_len,
				 .mode = (enum mode)o->mode };
}

static bool name_twice(const struct acquire_options *o)
{
	for (size_t i = 1; i <= o->more_len; i++) {
		struct op_part a = part_of(o, i);

		for (size_t j = 0; j < i; j++) {
			struct op_part b = part_of(o, j);

			if (a.name_len == b.name_len &&
			    memcmp(a.name, b.name, a.name_len) == 0)
				return true;
		}
	}
	return false;
}

static bool more_valid(const struct acquire_options *o)
{
	if (o->more_len > PARTS_MAX - 1 ||
	    (o->more_len > 0 && o->mode == HF_BARRIER))
		return false;
	for (size_t i = 0; i < o->more_len; i++) {
		const struct op_part *p = &o->more[i];

		if (p->mode == MODE_BARRIER ||
		    !lock_valid(p->name_len, (enum hf_mode)p->mode, p->permits,
				p->limit))
			return false;
	}
	return !name_twice(o);
}

static bool options_valid(const struct acquire_options *o)
{
	return lock_valid(o->name_len, o->mode, o->permits, o->limit) &&
	       more_valid(o) && o->delay_us <= DURATION_MAX &&
	       o->hold_us <= DURATION_MAX && o->lease_us <= DURATION_MAX &&
	       o->priority >= INT8_MIN && o->priority <= INT8_MAX &&
	       o->shown_len <= SHOWN_MAX;
}

size_t node_options_bytes(const struct acquire_options *o)
{
	size_t len = o->name_len + o->shown_len;

	for (size_t i = 0; i < o->more_len; i++)
		len += o->more[i].name_len + sizeof(*o->more);
	return len;
}

static const uint8_t *copy(uint8_t **to, const void *bytes, size_t len)
{
	uint8_t *at = *to;

	if (len > 0)
		memcpy(at, bytes, len);
	*to += len;
	return at;
}

/* The further locks first, then names and bytes. */
void node_options_copy(struct acquire_options *o,
		       const struct acquire_options *from, void *room)
{
	struct op_part *more = (struct op_part *)room;
	uint8_t *at = (uint8_t *)(more + from->more_len);

	*o = *from;
	o->more = more;
	o->name = copy(&at, from->name, from->name_len);
	o->shown = copy(&at, from->shown, from->shown_len);
	for (size_t i = 0; i < from->more_len; i++) {
		more[i] = from->more[i];
		more[i].name = copy(&at, more[i].name, more[i].name_len);
	}
}

uint64_t wait_until(const struct node *n, uint64_t give_up_at)
{
	uint64_t left;

	if (give_up_at == UINT64_MAX)
		return WAIT_FOREVER;
	left = give_up_at > n->now.monotonic ? give_up_at - n->now.monotonic
					     : 0;
	left += WAIT_SLACK_US;
	return left < DURATION_MAX ? left : DURATION_MAX;
}

static void acquire_describe(struct node *n, const struct call *call,
			     struct op *op)
{
	const struct claim *c = container_of(call, struct claim, acquire);
	const struct acquire_options *o = &c->options;

	op->acquire.owner = o->owner;
	op->acquire.name = (const uint8_t *)o->name;
	op->acquire.name_len = o->name_len;
	op->acquire.mode = (enum mode)o->mode;
	op->acquire.permits = o->permits;
	op->acquire.limit = o->limit;
	op->acquire.wait = o->timeout_us ? wait_until(n, c->give_up_at) : 0;
	op->acquire.delay = o->delay_us;
	op->acquire.more = o->more;
	op->acquire.more_len = o->more_len;
	op->acquire.priority = o->priority;
	op->acquire.line = o->line_max;
	op->acquire.hold = o->hold_us;
	op->acquire.lease = o->lease_us;
	op->acquire.shown = (const uint8_t *)o->shown;
	op->acquire.shown_len = o->shown_len;
}

static void acquire_numbered(struct node *n, struct call *call)
{
	struct claim *c = container_of(call, struct claim, acquire);

	c->session = n->keeper.id;
	c->state = CLAIM_ASKED;
}

const struct call_kind acquire_kind = { .op = OP_ACQUIRE,
					.request = true,
					.describe = acquire_describe,
					.numbered = acquire_numbered,
					.output = acquire_output,
					.lost = acquire_lost };

int why_too_late(const struct node *n, const struct call *call)
{
	return call->busy && n->route.attached ? HF_EBUSY : node_why_late(n);
}

static void acquire_too_late(struct node *n, struct timer *t)
{
	struct claim *c = container_of(t, struct claim, deadline);
	int rc = why_too_late(n, &c->acquire);

	if (c->state == CLAIM_QUEUED)
		claim_finish(c, rc);
	else
		claim_undo(c, rc);
}

static int may_acquire(const struct node *n, const struct acquire_options *o)
{
	if (!options_valid(o))
		return HF_EINVAL;
	if (n->closing)
		return HF_ECLOSED;
	if (n->failed)
		return HF_EFAILED;
	return rank_judge(n, o);
}

int node_acquire(struct node *n, const struct acquire_options *options,
		 claim_cb cb, void *arg, struct claim **claim)
{
	uint64_t patience = options->timeout_us ? options->timeout_us : TRY_US;
	int rc = may_acquire(n, options);
	struct claim *c;

	*claim = NULL;
	if (rc)
		return rc;
	c = (struct claim *)mem_alloc(&n->mem,
				      sizeof(*c) + node_options_bytes(options));
	if (!c)
		return HF_ENOMEM;
	*c = (struct claim){
		.owner = n, .state = CLAIM_QUEUED, .cb = cb, .arg = arg
	};
	node_options_copy(&c->options, options, c + 1);
	if (options->deadlock)
		options->deadlock->len = 0;
	if (rank_enter(c)) {
		mem_free(&n->mem, c);
		return HF_ENOMEM;
	}
	certain_begin(c);
	env_clocks(n->env, &n->now);
	c->give_up_at = later(n->now.monotonic, patience);
	list_push(&n->claims, &c->all);
	list_init(&c->due_node);
	list_init(&c->loss_node);
	list_init(&c->errands);
	call_queue(n, &c->acquire, &acquire_kind);
	timer_set(n, &c->deadline, c->give_up_at, acquire_too_late);
	*claim = c;
	return 0;
}

int node_cancel(struct node *n, struct claim *c)
{
	env_clocks(n->env, &n->now);
	if (c->state == CLAIM_QUEUED)
		claim_finish(c, HF_ECANCELED);
	else if (c->state == CLAIM_ASKED || c->state == CLAIM_WAITING)
		claim_undo(c, HF_ECANCELED);
	else
		return HF_ENOTHELD;
	return 0;
}

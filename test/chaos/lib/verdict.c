#include "verdict.h"

#include "lib/history.h"

#include <inttypes.h>
#include <stdlib.h>

static void add(struct history *h, const struct member_memory *m,
		unsigned number, const struct hold *hold)
{
	struct hold_record *r = history_add(h);

	r->name = hold->name;
	r->machine = number;
	r->mode = (enum hf_mode)hold->mode;
	r->permits = hold->permits;
	r->limit = r->mode == HF_PERMITS ? PERMITS_LIMIT : 0;
	r->token = hold->token;
	r->called = hold->called;
	r->granted = hold->granted;
	r->held_until = hold_certain_until(m, hold);
	if (!hold->release_called)
		return;
	r->release_called = hold->release_called;
	if (hold->release_rc == 0)
		r->release_confirmed = hold->release_answered;
}

/* A grant whose token was written was told; a process may have died between. */
static void collect(struct history *h, const struct shared *shared,
		    unsigned members)
{
	for (unsigned i = 0; i < members; i++) {
		const struct member_memory *m = &shared->members[i];
		uint32_t len = shared_holds(m);
		for (uint32_t k = 0; k < len; k++)
			if (m->holds[k].token > 0)
				add(h, m, i, &m->holds[k]);
	}
}

static void check_order(struct history *h, struct shared *shared)
{
	const struct hold_record *at;
	const char *wrong = history_check(h, NAMES, &at);

	if (wrong)
		violation(shared,
			  "lock %u, token %" PRIu64 " of member %u, asked at "
			  "%" PRIu64 ", granted at %" PRIu64 ": %s",
			  at->name, at->token, at->machine + 1, at->called,
			  at->granted, wrong);
}

static int by_grant(const void *a, const void *b)
{
	const struct hold_record *x = *(struct hold_record *const *)a;
	const struct hold_record *y = *(struct hold_record *const *)b;

	return x->granted < y->granted ? -1 : x->granted > y->granted;
}

/* Of each name, what was certain so far. */
struct certain {
	uint64_t until, exclusive_until;
	const struct hold_record *by, *exclusive_by;
};

static void check_one(struct certain *c, const struct hold_record *r,
		      struct shared *shared)
{
	const struct hold_record *other =
		r->mode == HF_EXCLUSIVE ? c->by : c->exclusive_by;

	if (r->held_until <= r->granted || r->mode == HF_PERMITS)
		return;
	if (other && other->held_until > r->granted)
		violation(shared,
			  "lock %u: tokens %" PRIu64 " of member %u and "
			  "%" PRIu64 " of member %u were certain at once",
			  r->name, other->token, other->machine + 1, r->token,
			  r->machine + 1);
	if (r->held_until > c->until) {
		c->until = r->held_until;
		c->by = r;
	}
	if (r->mode == HF_EXCLUSIVE && r->held_until > c->exclusive_until) {
		c->exclusive_until = r->held_until;
		c->exclusive_by = r;
	}
}

/* By the order of the grants, not that of the tokens: it owes nothing to
 * lib/history.c. */
static void check_certain(struct history *h, struct shared *shared)
{
	struct certain certain[NAMES] = { 0 };

	for (size_t i = 0; i < h->len; i++)
		check_one(&certain[h->records[i]->name], h->records[i], shared);
}

void verdict_reach(struct verdict *verdict, struct shared *shared,
		   unsigned members)
{
	struct history h = { 0 };

	*verdict = (struct verdict){ 0 };
	collect(&h, shared, members);
	check_order(&h, shared);
	if (h.len)
		qsort(h.records, h.len, sizeof(*h.records), by_grant);
	check_certain(&h, shared);
	verdict->grants = h.len;
	for (size_t i = 1; i < h.len; i++) {
		uint64_t gap =
			h.records[i]->granted - h.records[i - 1]->granted;
		if (gap > verdict->longest_gap_us)
			verdict->longest_gap_us = gap;
	}
	history_free(&h);
}

#include "resource.h"

#include <inttypes.h>

#define POLL_US 500

/* The guard's rule once more: an older token than an exclusive one that was let
 * in isn't, and an exclusive one not if it is older than any. */
static void check_newest(struct resource *r, const struct hold *hold,
			 uint64_t token)
{
	struct newest *n = &r->newest[hold->name];
	bool exclusive = hold->mode == HF_EXCLUSIVE;

	if (token < n->exclusive || (exclusive && token < n->any))
		violation(r->shared,
			  "lock %u: a stale write with token %" PRIu64
			  " is let in (newest %" PRIu64 ", exclusive %" PRIu64
			  ")",
			  hold->name, token, n->any, n->exclusive);
	if (token > n->any)
		n->any = token;
	if (exclusive && token > n->exclusive)
		n->exclusive = token;
}

static void take(struct resource *r, unsigned number, const struct write *write)
{
	struct member_memory *m = &r->shared->members[number];
	struct hold *hold = &m->holds[write->hold];
	enum hf_mode mode = (enum hf_mode)hold->mode;
	struct hf_guard *guard = &r->guards[hold->name];

	if (hf_guard_check(guard, mode, write->token) == 0) {
		check_newest(r, hold, write->token);
		r->accepted++;
		return;
	}
	uint64_t now = now_us();
	/* What ended it is read after the clock: an end before that counts. */
	uint64_t certain_until = hold_certain_until(m, hold);
	if (certain_until < write->sent)
		r->stale++;
	else
		r->overtaken++;
	if (certain_until > now)
		violation(r->shared,
			  "lock %u: a write of member %u with token %" PRIu64
			  " is refused (newest %" PRIu64 ", exclusive %" PRIu64
			  "), but certain",
			  hold->name, number + 1, write->token, guard->newest,
			  guard->newest_exclusive);
}

static bool take_all(struct resource *r, unsigned number)
{
	struct member_memory *m = &r->shared->members[number];
	uint32_t tail = m->writes_tail, head = m->writes_head;

	if (tail == head)
		return false;
	for (; tail != head; tail++)
		take(r, number, &m->writes[tail % WRITES_MAX]);
	m->writes_tail = tail;
	return true;
}

static void *run(void *arg)
{
	struct resource *r = arg;
	bool last = false;

	while (!last) {
		bool any = false;
		last = r->stopping;
		for (unsigned i = 0; i < r->members; i++)
			any |= take_all(r, i);
		if (!any)
			nap_us(POLL_US);
	}
	return NULL;
}

bool resource_start(struct resource *resource)
{
	return pthread_create(&resource->thread, NULL, run, resource) == 0;
}

void resource_stop(struct resource *resource)
{
	resource->stopping = true;
	pthread_join(resource->thread, NULL);
}

#include "belief.h"

#include "place.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct belief *belief_add(struct beliefs *b, uint32_t name, uint32_t member,
			  const struct hf_lock *lock)
{
	uint32_t place = atomic_fetch_add(&b->len, 1);

	if (place >= BELIEFS_MAX)
		return NULL;
	b->all[place].name = name;
	b->all[place].member = member;
	b->all[place].granted = now_us();
	b->all[place].token = hf_lock_token(lock);
	return &b->all[place];
}

/* The answer was right at some moment between the two readings of the clock:
 * the hold was certain at the later one, for as long as the earlier says. */
uint32_t belief_look(struct belief *belief, const struct hf_lock *lock)
{
	uint64_t before = now_us();
	uint32_t safe_ms = hf_lock_safe_ms(lock);
	uint64_t after = now_us();

	if (!belief || safe_ms == 0)
		return safe_ms;
	uint64_t until = before + safe_ms * UINT64_C(1000);
	if (until > belief->until)
		belief->until = until;
	if (belief->from == 0)
		belief->from = after;
	return safe_ms;
}

void belief_release(struct belief *belief)
{
	if (belief)
		belief->released = now_us();
}

uint64_t belief_end(const struct belief *belief)
{
	uint64_t until = belief->until, released = belief->released;

	return released && released < until ? released : until;
}

static int compare(const void *a, const void *b)
{
	const struct belief *x = a, *y = b;

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return (x->token > y->token) - (x->token < y->token);
}

static bool overlap(const struct belief *first, const struct belief *second)
{
	if (first->token == second->token)
		return true;
	return first->from && second->from && second->from < belief_end(first);
}

unsigned beliefs_audit(struct beliefs *b)
{
	size_t len = b->len < BELIEFS_MAX ? b->len : BELIEFS_MAX;
	unsigned found = 0;
	/* The latest of the same name that was ever certain. */
	const struct belief *last = NULL;

	if (b->len > BELIEFS_MAX) {
		fprintf(stderr, "%u holds weren't written down\n",
			b->len - BELIEFS_MAX);
		found++;
	}
	qsort(b->all, len, sizeof(*b->all), compare);
	for (size_t i = 0; i < len; i++) {
		const struct belief *one = &b->all[i];

		if (one->token == 0)
			continue;
		if (last && last->name == one->name && overlap(last, one)) {
			fprintf(stderr,
				"lock %u: member %u was certain of token "
				"%" PRIu64 " and member %u of %" PRIu64
				" at one time\n",
				one->name, last->member, last->token,
				one->member, one->token);
			found++;
		}
		if (one->from)
			last = one;
	}
	return found;
}

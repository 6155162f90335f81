/* Deadlocks: one is refused, and says who is involved; ranks don't let any
 * arise.
 *
 * Owner 1 has the order and wants the stock; owner 2 has the stock and wants
 * the order: who asks last is refused, HF_EDEADLK, lets go and begins again.
 * Owners are threads by default; here they have numbers, to be read. With
 * ranks, who takes locks in a falling order is refused without a question to
 * the cluster, HF_ERANK: also on the lucky days on which nobody is in the way.
 */
#include "alone.h"

#include <pthread.h>

struct scene {
	struct hf_node *node;
	struct hf_guard stock; /* the resource's; a real one is stored there */
	struct hf_lock order1, stock1, order2, stock2;
	int rc;
};

static int lock(struct scene *s, struct hf_lock *held, const char *name,
		uint64_t owner, struct hf_deadlock *deadlock)
{
	struct hf_lock_options options = { .size = sizeof(options),
					   .owner = owner,
					   .deadlock = deadlock };

	return hf_lock(s->node, held, name, &options, WAIT_MS);
}

/* Owner 1 waits here for what owner 2 has. */
static void *first_owner(void *arg)
{
	struct scene *s = arg;

	s->rc = lock(s, &s->stock1, "stock", 1, NULL);
	if (s->rc == 0) /* what is written carries the token */
		s->rc = hf_guard_check(&s->stock, HF_EXCLUSIVE,
				       hf_lock_token(&s->stock1));
	return NULL;
}

static bool print_wait(void *arg, const struct hf_wait *wait)
{
	(void)arg;
	printf("owner %" PRIu64 " waits for '%.*s', which owner %" PRIu64
	       " has under token %" PRIu64 "\n",
	       wait->waiter.owner, (int)wait->name_len,
	       (const char *)wait->name, wait->blocker.owner, wait->token);
	return true;
}

static void print_deadlock(const struct hf_deadlock *d)
{
	for (size_t i = 0; i < d->len && i < HF_DEADLOCK_MAX; i++)
		printf("  owner %" PRIu64 " of node %" PRIu64
		       " waits for '%.*s'\n",
		       d->waits[i].owner.owner, d->waits[i].owner.node,
		       (int)d->waits[i].name_len, d->waits[i].name);
}

/* Owner 2: its second request would close the circle. */
static bool second_owner(struct scene *s)
{
	struct hf_deadlock deadlock = { 0 };
	int rc = lock(s, &s->order2, "order", 2, &deadlock);
	bool well = expect(rc, HF_EDEADLK, "owner 2 wants 'order'");

	print_deadlock(&deadlock);
	well = say(deadlock.len == 1 && deadlock.waits[0].owner.owner == 1,
		   "owner 1 is in the way, and waits itself") &&
	       well;
	return expect(hf_unlock(&s->stock2, WAIT_MS), 0,
		      "owner 2 lets go of 'stock'") &&
	       well;
}

static bool meet(struct scene *s)
{
	pthread_t thread;

	if (lock(s, &s->order1, "order", 1, NULL) != 0 ||
	    lock(s, &s->stock2, "stock", 2, NULL) != 0 ||
	    pthread_create(&thread, NULL, first_owner, s) != 0)
		return false;
	bool well = wait_for_claims(s->node, "stock", 2) &&
		    hf_waits(s->node, print_wait, NULL) == 0 && second_owner(s);
	pthread_join(thread, NULL);
	return well && expect(s->rc, 0, "owner 1 has both, and writes") &&
	       hf_unlock(&s->stock1, WAIT_MS) == 0 &&
	       hf_unlock(&s->order1, WAIT_MS) == 0;
}

/* The order is of rank 1, the stock of rank 2, everywhere in the program. */
static bool rank(struct scene *s)
{
	struct hf_lock_options options = { .size = sizeof(options),
					   .owner = 3,
					   .rank = 2 };
	struct hf_lock held, wrong;

	if (hf_lock(s->node, &held, "stock", &options, WAIT_MS) != 0)
		return false;
	options.rank = 1;
	int rc = hf_lock(s->node, &wrong, "order", &options, WAIT_MS);
	return expect(rc, HF_ERANK, "owner 3 has 'stock' and wants 'order'") &&
	       hf_unlock(&held, WAIT_MS) == 0;
}

int main(void)
{
	struct scene s = { 0 };
	char dir[DIR_LEN];

	s.node = alone_open(dir);
	bool well = s.node && meet(&s) && rank(&s);
	alone_close(s.node, dir);
	say(well, "deadlock: refused, and explained");
	return well ? 0 : 1;
}

/* A work queue in the cluster: three processes put items in and work on them;
 * one is killed in the middle of an item.
 *
 * Producers number their items with a counter, which adds exactly once: no two
 * have the same number and none is left out. A worker claims an item by its
 * lock, without waiting; says so by an ephemeral marker, which goes when it
 * does; and writes the result by a put that takes effect only if it still has
 * the lock (`guard`) and there is no result yet (version 0). So the item of a
 * worker that died is done by another, and each result is written once, also if
 * a worker that was paused beyond its lease comes back.
 *
 * ./work-queue ends by itself; each process checks what it was told of the
 * results. */
#include "cluster.h"

#define OWN_ITEMS 4 /* of each producer */
#define ITEMS (MEMBERS * OWN_ITEMS)
#define FATAL_ITEM 7 /* who works on it first is killed */
#define WORK_MS 10
#define LOOK_MS 500 /* then look for new items */

struct board {
	atomic_uint inside; /* who works on FATAL_ITEM */
	atomic_uint killed; /* that one is dead */
};

/* What this process was told of the results. */
struct results {
	atomic_uint count, twice, wrong;
	bool seen[ITEMS + 1];
};

struct worker {
	struct hf_node *node;
	unsigned id;
	struct board *board;
	struct results results;
};

struct result {
	uint64_t square;
	uint64_t worker;
};

static const char *name_of(char *name, size_t size, const char *what,
			   unsigned item)
{
	snprintf(name, size, "%s/%u", what, item);
	return name;
}

/* A watcher that is slow, or one of a member that was down, meets HF_CHANGE_GAP
 * and has to look at all results again; so few don't make one. */
static void on_result(struct hf_watch *watch, const struct hf_change *change)
{
	struct results *r = watch->data;
	struct result result = { 0 };
	unsigned item = 0;
	char name[32] = "";

	if (change->type != HF_CHANGE_PUT || change->name_len >= sizeof(name))
		return;
	memcpy(name, change->name, change->name_len);
	memcpy(&result, change->bytes,
	       change->bytes_len < sizeof(result) ? change->bytes_len
						  : sizeof(result));
	if (sscanf(name, "result/%u", &item) != 1 || item == 0 || item > ITEMS)
		return;
	r->twice += r->seen[item];
	r->wrong += result.square != (uint64_t)item * item;
	r->seen[item] = true;
	r->count++;
}

/* --- producing */

static int produce(struct hf_node *node)
{
	char name[32], work[16];
	int64_t number;

	for (int i = 0; i < OWN_ITEMS; i++) {
		int rc = hf_add(node, "items", 1, NULL, &number, WAIT_MS);
		if (rc != 0)
			return rc;
		int len = snprintf(work, sizeof(work), "%" PRId64, number);
		name_of(name, sizeof(name), "item", (unsigned)number);
		rc = hf_put(node, name, work, (size_t)len, NULL, NULL, WAIT_MS);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* --- working */

static void work(struct worker *w, unsigned item)
{
	if (item == FATAL_ITEM && w->board->killed == 0) {
		w->board->inside = w->id;
		wait_for(&w->board->killed, 1);
	}
	nap_ms(WORK_MS);
}

/* There is one result of an item, whoever writes it. */
static int write_result(struct worker *w, unsigned item, uint64_t number,
			const struct hf_lock *lock)
{
	struct hf_put_options once = { .size = sizeof(once),
				       .guard = lock,
				       .if_version = true }; /* none yet */
	struct result result = { .square = number * number, .worker = w->id };
	char name[32];
	int rc = hf_put(w->node, name_of(name, sizeof(name), "result", item),
			&result, sizeof(result), &once, NULL, WAIT_MS);

	if (rc == 0)
		printf("item %u by process %u, under token %" PRIu64 "\n", item,
		       w->id, hf_lock_token(lock));
	return rc;
}

/* The lock is held. Anything but 0: it isn't done, or not by this worker. */
static int do_item(struct worker *w, unsigned item, struct hf_lock *lock)
{
	struct hf_put_options held = { .size = sizeof(held), .guard = lock };
	struct hf_value value;
	char name[32], busy[32], number[16] = "";
	int rc = hf_get(w->node, name_of(name, sizeof(name), "item", item),
			number, sizeof(number) - 1, &value, HF_LATEST, WAIT_MS);

	if (rc != 0)
		return rc; /* HF_ENOVALUE: another was faster */
	name_of(busy, sizeof(busy), "busy", item);
	held.ephemeral = true;
	rc = hf_put(w->node, busy, &w->id, sizeof(w->id), &held, NULL, WAIT_MS);
	if (rc != 0)
		return rc;
	work(w, item);
	rc = write_result(w, item, strtoull(number, NULL, 10), lock);
	if (rc == 0 || rc == HF_EVERSION) /* done, by whomever */
		hf_delete(w->node, name, &held, WAIT_MS);
	hf_delete(w->node, busy, &held, WAIT_MS);
	return rc;
}

/* One look at all items, as this member knows them. Returns one that another
 * has claimed, or 0. */
static unsigned look(struct worker *w)
{
	struct hf_value value;
	struct hf_lock lock;
	unsigned claimed = 0;
	char name[32];

	for (unsigned item = 1; item <= ITEMS; item++) {
		name_of(name, sizeof(name), "item", item);
		if (hf_get(w->node, name, NULL, 0, &value, HF_LOCAL, WAIT_MS) !=
		    0)
			continue;
		int rc = hf_trylock(w->node, &lock, name, NULL);
		if (rc == HF_EHELD)
			claimed = item;
		if (rc != 0)
			continue;
		do_item(w, item, &lock);
		hf_unlock(&lock, WAIT_MS);
	}
	return claimed;
}

/* Until another is done with an item, or dead. */
static void wait_for_another(struct worker *w, unsigned item)
{
	char busy[32];

	name_of(busy, sizeof(busy), "busy", item);
	if (hf_await(w->node, busy, HF_ABSENT, 0, LOOK_MS) != 0)
		nap_ms(STEP_MS);
}

static int run(struct hf_node *node, unsigned id, void *board)
{
	struct worker w = { .node = node, .id = id, .board = board };
	struct hf_watch watch = { .data = &w.results };

	if (hf_watch(node, &watch, "result/", 7, HF_WATCH_PREFIX | HF_WATCH_NOW,
		     0, on_result) != 0 ||
	    produce(node) != 0)
		return 1;
	while (w.results.count < ITEMS) {
		unsigned claimed = look(&w);

		if (claimed > 0)
			wait_for_another(&w, claimed);
		else
			nap_ms(STEP_MS); /* this member learns of the last */
	}
	hf_unwatch(&watch);
	return !say(w.results.twice == 0 && w.results.wrong == 0,
		    "process %u has seen each result once", id);
}

static bool kill_a_worker(struct cluster *c)
{
	struct board *b = c->board;

	if (!wait_for(&b->inside, 1))
		return false;
	printf("process %u killed, inside item %d\n", b->inside, FATAL_ITEM);
	member_kill(c, b->inside);
	b->killed = 1;
	return true;
}

int main(void)
{
	struct cluster c;

	if (!cluster_begin(&c, sizeof(struct board)))
		return 1;
	bool well = cluster_start(&c, run) && kill_a_worker(&c);
	well = cluster_end(&c, well);
	say(well, "work-queue: %d items, each result written once", ITEMS);
	return well ? 0 : 1;
}

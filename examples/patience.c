/* How long to wait, and for what: when to try again if there is no leader, the
 * place in a line, giving it up, and a line that is too long.
 *
 * ./patience runs three processes: 1 begins alone, without a majority, and
 * tries at the pace of hf_retry_ms until the others are there. */
#include "cluster.h"

#define NAME "ticket office"
#define WAITERS 3

struct board {
	atomic_uint tried; /* in vain, while there was no leader */
};

struct waiter {
	struct hf_lock lock;
	struct hf_guard *office; /* serves no token of the past */
	bool admitted;
	atomic_uint served, *ended;
};

/* A program tells here what it does in the meantime, or gives up. */
static int lock_patiently(struct hf_node *node, struct hf_lock *lock,
			  struct board *b)
{
	int rc = HF_ENOLEADER;

	for (unsigned attempt = 0;
	     rc == HF_ENOLEADER || rc == HF_EBUSY || rc == HF_ETIMEDOUT;
	     attempt++) {
		rc = hf_lock(node, lock, NAME, NULL, 100);
		if (rc == 0)
			break;
		uint32_t pause_ms = hf_retry_ms(node, attempt);
		printf("%s; again in %" PRIu32 " ms\n", hf_strerror(rc),
		       pause_ms);
		b->tried++;
		nap_ms(pause_ms);
	}
	return rc;
}

/* Served: gives its place up at once. */
static void on_unlocked(struct hf_lock *lock, int rc)
{
	struct waiter *w = lock->data;

	w->served = rc == 0 && w->admitted;
	++*w->ended;
}

static void on_locked(struct hf_lock *lock, int rc)
{
	struct waiter *w = lock->data;

	if (rc == 0)
		w->admitted = hf_guard_check(w->office, HF_EXCLUSIVE,
					     hf_lock_token(lock)) == 0;
	if (rc != 0 || hf_unlock_start(lock, WAIT_MS, on_unlocked) != 0)
		on_unlocked(lock, rc);
}

/* This member knows it a little later than the leader. */
static bool has_place(struct waiter *w, uint64_t wanted)
{
	struct hf_place place = { 0 };

	for (unsigned waited = 0; waited < WAIT_MS; waited += STEP_MS) {
		if (hf_lock_place(&w->lock, &place) == 0 &&
		    place.place == wanted)
			return say(true, "place %" PRIu64 " of %" PRIu64,
				   place.place, place.line);
		nap_ms(STEP_MS);
	}
	return say(false, "place %" PRIu64, wanted);
}

/* Each waits behind the one before it. */
static bool stand_in_line(struct hf_node *node, struct waiter *waiters,
			  struct hf_guard *office, atomic_uint *ended)
{
	for (unsigned i = 0; i < WAITERS; i++) {
		waiters[i].lock.data = &waiters[i];
		waiters[i].office = office;
		waiters[i].ended = ended;
		int rc = hf_lock_start(node, &waiters[i].lock, NAME,
				       strlen(NAME), NULL, WAIT_MS, on_locked);
		if (rc != 0 || !has_place(&waiters[i], i + 1))
			return false;
	}
	return true;
}

/* The lock is held. One leaves the line, the others are served in turn. */
static bool watch_the_line(struct hf_node *node, struct hf_lock *held)
{
	struct hf_lock_options hurry = { .size = sizeof(hurry),
					 .owner = 9,
					 .line_max = 2 };
	struct waiter waiters[WAITERS] = { 0 };
	struct hf_guard office = { 0 };
	struct hf_lock other;
	atomic_uint ended = 0;

	hf_guard_check(&office, HF_EXCLUSIVE, hf_lock_token(held));
	bool well = stand_in_line(node, waiters, &office, &ended) &&
		    expect(hf_lock_cancel(&waiters[1].lock), 0,
			   "the second gives up") &&
		    has_place(&waiters[2], 2) &&
		    expect(hf_lock(node, &other, NAME, &hurry, WAIT_MS),
			   HF_ELINE, "one who wants place 2 at most");
	well = expect(hf_unlock(held, WAIT_MS), 0, "the next, please") && well;
	return wait_for(&ended, WAITERS) && well &&
	       say(waiters[0].served && !waiters[1].served && waiters[2].served,
		   "two were served");
}

static int first(struct hf_node *node, unsigned id, void *board)
{
	struct hf_lock lock;

	(void)id;
	return !(lock_patiently(node, &lock, board) == 0 &&
		 watch_the_line(node, &lock));
}

static int others(struct hf_node *node, unsigned id, void *board)
{
	(void)node, (void)id, (void)board;
	return 0;
}

int main(void)
{
	struct cluster c;

	if (!cluster_begin(&c, sizeof(struct board)))
		return 1;
	struct board *b = c.board;
	bool well = member_start(&c, 1, first) && wait_for(&b->tried, 3) &&
		    member_start(&c, 2, others) && member_start(&c, 3, others);
	well = cluster_end(&c, well);
	say(well, "patience: tried %u times, then stood in line", b->tried);
	return well ? 0 : 1;
}

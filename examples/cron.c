/* A job that runs once in the cluster at each tick, as cron would have it, in
 * whichever of three processes is in charge.
 *
 * Who holds the lock is in charge. It does the work of the tick that is due,
 * then writes the result and the tick's number as one value, by a put that
 * takes effect only if its hold is still current (`guard`) and the value is the
 * one that it has read (`version`). So a tick that is recorded isn't done
 * again; one that was begun by a process that died is done by the next; and who
 * was paused, and isn't in charge any more, can't record anything.
 *
 * What the work did elsewhere before the process died, may be done again. Let
 * that go by the tick's number, too, or by the token (hf_guard_check).
 *
 * ./cron runs three processes and kills the one in charge, inside a tick. */
#include "cluster.h"

#define NAME "cron/balance"
#define TICKS 12
#define TICK_MS 100
#define FATAL_TICK 5
#define TOTAL (TICKS * (TICKS + 1) / 2)

/* The value: the result of all ticks up to this one. */
struct record {
	uint64_t tick, total;
};

/* What the parent sees. */
struct board {
	atomic_uint in_charge;          /* who is inside FATAL_TICK */
	atomic_uint killed;             /* that one is dead */
	atomic_uint written[TICKS + 1]; /* how often each was recorded */
};

/* What this process was told of the value's changes. */
struct log {
	struct record last;
	atomic_uint tick, wrong;
};

/* The first is what is now; from then on every version comes by once, in order.
 * Only after a gap it may be a later one. */
static void on_change(struct hf_watch *watch, const struct hf_change *change)
{
	struct log *log = watch->data;
	uint64_t due = log->last.tick + 1;

	if (change->type == HF_CHANGE_GAP)
		log->last.tick = 0;
	if (change->type != HF_CHANGE_PUT ||
	    change->bytes_len != sizeof(log->last))
		return;
	memcpy(&log->last, change->bytes, sizeof(log->last));
	log->wrong += due > 1 && log->last.tick != due;
	log->tick = (unsigned)log->last.tick;
}

/* The job: this one pays `tick` into an account. */
static void work(struct board *b, unsigned id, struct record *record)
{
	record->tick++;
	record->total += record->tick;
	if (record->tick != FATAL_TICK || b->killed > 0)
		return;
	b->in_charge = id;
	wait_for(&b->killed, 1);
}

/* Do the next tick after the one that is recorded. 0: still in charge. */
static int tick(struct hf_node *node, struct hf_lock *lock, struct board *b,
		unsigned id)
{
	struct hf_put_options options = { .size = sizeof(options) };
	struct record record = { 0 };
	struct hf_value value = { 0 };
	int rc = hf_get(node, NAME, &record, sizeof(record), &value, HF_LATEST,
			WAIT_MS);

	if (rc != 0 && rc != HF_ENOVALUE)
		return rc;
	if (record.tick == TICKS)
		return 0;
	work(b, id, &record);
	options.guard = lock;
	options.if_version = true;
	options.version = rc == 0 ? value.version : 0;
	rc = hf_put(node, NAME, &record, sizeof(record), &options, NULL,
		    WAIT_MS);
	if (rc == 0) {
		b->written[record.tick]++;
		printf("tick %" PRIu64 " by process %u, under token %" PRIu64
		       "\n",
		       record.tick, id, hf_lock_token(lock));
	}
	/* It may have been written, or be written yet: the value will tell. */
	return rc == HF_EUNKNOWN || rc == HF_EVERSION ? 0 : rc;
}

/* Until the end, or as long as the hold lasts. */
static void be_in_charge(struct hf_node *node, struct hf_lock *lock,
			 struct board *b, unsigned id, struct log *log)
{
	int rc = 0;

	while (rc == 0 && log->tick < TICKS) {
		nap_ms(TICK_MS); /* until the next tick is due */
		rc = tick(node, lock, b, id);
	}
	if (rc != 0)
		printf("process %u: %s\n", id, hf_strerror(rc));
}

static int run(struct hf_node *node, unsigned id, void *board)
{
	struct log log = { 0 };
	struct hf_watch watch = { .data = &log };
	struct hf_lock lock;

	if (hf_watch(node, &watch, NAME, strlen(NAME), HF_WATCH_NOW, 0,
		     on_change) != 0)
		return 1;
	while (log.tick < TICKS) {
		if (hf_lock(node, &lock, "cron", NULL, WAIT_MS) == 0) {
			be_in_charge(node, &lock, board, id, &log);
			hf_unlock(&lock, WAIT_MS);
		} else {
			nap_ms(STEP_MS); /* no leader, or no session */
		}
	}
	hf_unwatch(&watch);
	return !say(log.wrong == 0 && log.last.total == TOTAL,
		    "process %u has seen each tick once", id);
}

static bool kill_the_one_in_charge(struct cluster *c)
{
	struct board *b = c->board;

	if (!wait_for(&b->in_charge, 1))
		return false;
	printf("process %u killed, inside tick %d\n", b->in_charge, FATAL_TICK);
	member_kill(c, b->in_charge);
	b->killed = 1;
	return true;
}

int main(void)
{
	struct cluster c;

	if (!cluster_begin(&c, sizeof(struct board)))
		return 1;
	struct board *b = c.board;
	bool well = cluster_start(&c, run) && kill_the_one_in_charge(&c);
	well = cluster_end(&c, well);
	for (int i = 1; i <= TICKS; i++)
		well = well && b->written[i] <= 1;
	say(well, "cron: %d ticks, each once, one over a death", TICKS);
	return well ? 0 : 1;
}

/* Four ways in which a hold ends before its session: it is asked for and given
 * back; it is taken; it was held for longer than it may be; its own lease
 * wasn't renewed.
 *
 * An operator revokes what another process holds, from anywhere, by its token.
 * The holder is told by whom, why, and how long it has. It may let go before;
 * else the hold is taken after the grace. In each case what it still writes
 * under the old token is refused: here a value, by `guard`.
 *
 * ./revoke runs three processes: 1 holds, 2 is the operator. */
#include "cluster.h"

#define NAME "printer"
#define GRACE_MS 300
#define HOLD_MS 500
#define LEASE_MS 1500

/* What both, and the callback in the holder, tell each other. */
struct board {
	atomic_uint round;       /* 1 or 2: the operator may revoke */
	_Atomic(uint64_t) token; /* the hold that it shall revoke */
	atomic_uint asked;       /* times: HF_EVENT_REVOKED */
	atomic_uint lost;        /* times: HF_EVENT_LOST */
	atomic_int lost_rc;
	atomic_uint taken; /* the operator had it after the holder */
};

static void on_event(struct hf_node *node, const struct hf_event *event,
		     void *arg)
{
	struct board *b = arg;

	say_failed(node, event, arg);
	if (event->type == HF_EVENT_REVOKED) {
		printf("node %" PRIu64 " wants '%.*s' back: %s\n", event->by,
		       (int)event->name_len, event->name, event->text);
		b->asked++;
	} else if (event->type == HF_EVENT_LOST) {
		b->lost_rc = event->rc;
		b->lost++;
	}
}

/* A write under a hold that is over has no effect. */
static bool is_over(struct hf_node *node, struct hf_lock *lock)
{
	struct hf_put_options options = { .size = sizeof(options),
					  .guard = lock };
	int rc = hf_put(node, "page", "late", 4, &options, NULL, WAIT_MS);

	return expect(rc, HF_ENOTHELD, "a late write") &&
	       say(hf_lock_safe_ms(lock) == 0, "it isn't certain any more") &&
	       say(hf_unlock(lock, WAIT_MS) != 0, "nothing to give back");
}

static bool lose(struct board *b, unsigned times, int rc)
{
	return wait_for(&b->lost, times) &&
	       say(b->lost_rc == rc, "lost: %s", hf_strerror(b->lost_rc));
}

static bool hold(struct hf_node *node, struct hf_lock *lock, struct board *b,
		 unsigned round)
{
	int rc = hf_lock(node, lock, NAME, NULL, WAIT_MS);

	b->token = hf_lock_token(lock);
	b->round = round;
	return expect(rc, 0, "held");
}

/* 1: it lets go when asked. 2: it doesn't. */
static bool be_revoked(struct hf_node *node, struct board *b)
{
	struct hf_lock lock;

	return hold(node, &lock, b, 1) && wait_for(&b->asked, 1) &&
	       expect(hf_unlock(&lock, WAIT_MS), 0, "given back") &&
	       wait_for(&b->taken, 1) && hold(node, &lock, b, 2) &&
	       wait_for(&b->asked, 2) && lose(b, 1, HF_EREVOKED) &&
	       is_over(node, &lock) && wait_for(&b->taken, 2);
}

static bool expire(struct hf_node *node, struct board *b)
{
	struct hf_lock_options options = { .size = sizeof(options),
					   .hold_ms = HOLD_MS };
	struct hf_lock lock;
	int rc = hf_lock(node, &lock, NAME, &options, WAIT_MS);

	return expect(rc, 0, "held, for some time at most") &&
	       lose(b, 2, HF_EEXPIRED) && is_over(node, &lock);
}

/* A thread that hangs doesn't renew, though its process does. */
static bool forget_to_renew(struct hf_node *node, struct board *b)
{
	struct hf_lock_options options = { .size = sizeof(options),
					   .lease_ms = LEASE_MS };
	struct hf_lock lock;
	int rc = hf_lock(node, &lock, NAME, &options, WAIT_MS);

	return expect(rc, 0, "held, with a lease of its own") &&
	       expect(hf_lock_renew(&lock, WAIT_MS), 0, "renewed") &&
	       expect(hf_lock_renew(&lock, WAIT_MS), 0, "renewed again") &&
	       lose(b, 3, HF_EEXPIRED) && is_over(node, &lock);
}

static bool operate(struct hf_node *node, struct board *b, unsigned round,
		    uint32_t grace_ms, const char *reason)
{
	struct hf_lock lock;

	if (!wait_for(&b->round, round))
		return false;
	int rc = hf_revoke(node, b->token, grace_ms, reason, WAIT_MS);
	if (!expect(rc, 0, "the operator revokes"))
		return false;
	rc = hf_lock(node, &lock, NAME, NULL, WAIT_MS);
	bool well = expect(rc, 0, "the operator has it") &&
		    say(hf_lock_token(&lock) > b->token, "by a newer token");
	well = hf_unlock(&lock, WAIT_MS) == 0 && well;
	b->taken++;
	return well;
}

static int run(struct hf_node *node, unsigned id, void *board)
{
	bool well = true;

	if (id == 1)
		well = be_revoked(node, board) && expire(node, board) &&
		       forget_to_renew(node, board);
	else if (id == 2)
		well = operate(node, board, 1, WAIT_MS, "out of paper") &&
		       operate(node, board, 2, GRACE_MS, "on fire");
	return well ? 0 : 1;
}

int main(void)
{
	struct cluster c;

	if (!cluster_begin(&c, sizeof(struct board)))
		return 1;
	c.on_event = on_event;
	bool well = cluster_start(&c, run);
	well = cluster_end(&c, well);
	say(well, "revoke: asked for, taken, and expired");
	return well ? 0 : 1;
}

/* Requests whose results a test waits for, one after the other: a lock whose
 * callbacks write down what they were told. */
#ifndef HF_LIVE_WAITER_H
#define HF_LIVE_WAITER_H

#include "lib/seen.h"
#include "live/lib/cluster.h"

#define WAITER_RESULTS 4

struct waiter {
	struct hf_lock lock;    /* first: it is the lock's data */
	int rc[WAITER_RESULTS]; /* in the order in which they came */
	atomic_int len;
};

/* The callback of all that is asked with it. */
void waiter_told(struct hf_lock *lock, int rc);

/* Ask for a lock; the test fails if that can't begin. */
void waiter_ask(struct waiter *w, struct hf_node *node, const char *name,
		const struct hf_lock_options *options, uint32_t timeout_ms);
/* Wait for the number-th result (from 0) since waiter_ask, and return it. */
int waiter_result(struct waiter *w, int number);

/* An acquisition that stands in line, by a member's own state; the test fails
 * if it never does. */
void waiter_stands(struct waiter *w);

/* What a node was told, of the kinds that concern holds. */
struct told {
	atomic_int lost, revoked;
	int lost_rc;
	uint64_t lost_token, revoked_token, by;
	uint32_t left_ms;
	char text[HF_REASON_MAX + 1];
};
/* The options' on_event, with a struct told as `arg`. */
void told_event(struct hf_node *node, const struct hf_event *event, void *arg);
bool told_lost(void *told);
bool told_revoked(void *told);

#endif

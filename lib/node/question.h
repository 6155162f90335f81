/* Questions to the leader, which it answers after a read index: is this hold
 * still one, what is this value? Asked again until answered or too late. */
#ifndef HF_NODE_QUESTION_H
#define HF_NODE_QUESTION_H

#include "base/list.h"
#include "base/map.h"
#include "codec/frame.h"
#include "node/timer.h"

/* Of one node at once; more get HF_EBUSY. */
#define QUESTIONS_MAX 65536

struct node;
struct core;
struct claim;
struct question;

struct questions {
	struct list unsent; /* to be sent, or sent again, in the next turn */
	struct list by_age; /* sent, oldest sending first */
	struct list over;   /* their callbacks are due */
	struct list claims; /* those about a hold, not over */
	struct map by_id;
	uint64_t serial; /* id of the newest */
	size_t len;
};

/* What is read runs once, inside the node's turn: `value_take` at once with the
 * answer, if there is one, to copy what it needs; then `value_cb`, which may
 * start others. */
typedef void (*value_take)(void *arg, const struct reply *reply);
typedef void (*value_cb)(void *arg, int rc);

/* 0, and `cb` will run: 0; HF_ENOVALUE; HF_ETIMEDOUT, HF_ENOLEADER, HF_ECLOSED,
 * HF_EFAILED say nothing. The name is copied. Or HF_EINVAL, HF_ENOMEM,
 * HF_EBUSY, HF_ECLOSED, HF_EFAILED. */
int node_read(struct node *node, const void *name, size_t name_len,
	      uint64_t timeout_us, value_take take, value_cb cb, void *arg);

/* What a replica says: fills in all but id and status. Version 0: there is no
 * such value. Bytes point into the core. */
void node_look(const struct core *core, const void *name, size_t name_len,
	       struct reply *y);

/* --- for lib/node --- */

void questions_init(struct node *n);
void questions_free(struct node *n);
void questions_turn(struct node *n);
void questions_resend(struct node *n);
uint64_t questions_next(const struct node *n);
void questions_reply(struct node *n, const struct reply *y);
void questions_claim_gone(struct node *n, struct claim *c);
/* It has another token now. */
void questions_claim_moved(struct node *n, const struct claim *c);
void questions_end(struct node *n, int rc);
void questions_callbacks(struct node *n);
bool questions_waiting(const struct node *n);

#endif

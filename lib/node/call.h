/* Sequenced operations, whoever asks for them.
 *
 * A call lies in its owner's memory, which says by a constant table what the
 * operation is and who is to hear of it. From call_queue on it is sent, and
 * repeated until it is answered; by its number it is known until call_forget.
 * All of it runs on the node's thread. */
#ifndef HF_NODE_CALL_H
#define HF_NODE_CALL_H

#include "base/env.h"
#include "base/list.h"
#include "base/map.h"
#include "codec/frame.h"
#include "node/timer.h"

struct call;

struct call_kind { /* constant, one for each use of a call */
	enum op_kind op;
	/* It gives something back: it goes before others, and may use all of
	 * the window. */
	bool gives;
	/* The cluster keeps a request under its number, whose end is a fact of
	 * its own: an acquire, a wait for a value. */
	bool request;
	/* Fill in what only the owner knows; node, session, seq and low are
	 * there. Asked before each sending; what it points to must last as long
	 * as the call. */
	void (*describe)(struct node *n, const struct call *c, struct op *op);
	/* It has a number, and may take effect from now on. NULL: no matter. */
	void (*numbered)(struct node *n, struct call *c);
	/* What the cluster says of it, in the order in which it became true:
	 *   ANSWER of `op`, once; not HF_EBUSY, HF_ESESSION
	 *   ANSWER of OP_CANCEL, which ends call_cancel
	 *   GRANTED, ENDED, told or found in a resync (by its end missing
	 *   there: HF_ENOTHELD); nothing that is older than what was said
	 *   REVOKED, DEADLOCK, as they come, perhaps again
	 * It may forget the call and free its memory. */
	void (*output)(struct node *n, struct call *c, const struct output *o);
	/* The session has ended, and with it all that the call asked for; it
	 * is forgotten already. */
	void (*lost)(struct node *n, struct call *c);
};

struct call { /* all zero: not in use */
	const struct call_kind *kind;
	struct map_node by_seq;
	struct list queue; /* no number yet: node->unsent; unanswered: by_age */
	struct list order; /* by seq: node->outstanding, then node->answered */
	uint64_t seq;      /* 0: none yet */
	struct clocks first; /* first sending: an answer's stamp isn't earlier
			      */
	uint64_t sent_at;    /* last sending, monotonic */
	uint64_t as_of;      /* index of the newest fact known */
	uint64_t mark;       /* of the resync that named it */
	struct timer cancel; /* when to cancel again */
	uint64_t cancel_us;
	uint32_t cancel_flags;
	uint32_t tries;
	uint32_t refusals; /* of them: HF_EBUSY, had no effect */
	bool outstanding;  /* has a number, and no answer */
	bool canceling;    /* isn't repeated: its cancel is */
	bool busy;         /* last answer: the leader has too much to do */
};

void calls_init(struct node *n);
void calls_free(struct node *n);
/* Send it from the next turn on. Its memory may be anything. */
void call_queue(struct node *n, struct call *c, const struct call_kind *kind);
/* Have it undone, whatever became of it, or (CANCEL_WAIT) unless it has become
 * a hold: repeated until the cluster has answered. It must have a number. */
void call_cancel(struct node *n, struct call *c, uint32_t flags);
/* Leave every list and the number. Nothing for one that isn't in use. */
void call_forget(struct node *n, struct call *c);
/* `to` takes the place of `from`, which is then not in use. */
void call_move(struct node *n, struct call *to, struct call *from);
struct call *call_find(struct node *n, uint64_t seq);
void call_answered(struct node *n, struct call *c);
uint64_t calls_low(const struct node *n);

void calls_turn(struct node *n);   /* send what may be sent, and again */
void calls_resend(struct node *n); /* all that is unanswered: attached */
bool calls_waiting(const struct node *n);
uint64_t calls_next(const struct node *n);
void calls_lost(struct node *n);  /* the session ended */
void calls_reset(struct node *n); /* a new one begins */

/* answer.c: from the cluster to the calls' owners */
void calls_output(struct node *n, const struct output *o);
void calls_resync(struct node *n, const struct resync *s,
		  struct resync_reader *it);

#endif

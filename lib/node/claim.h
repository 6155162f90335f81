/* Acquisitions: what the files about them share. */
#ifndef HF_NODE_CLAIM_H
#define HF_NODE_CLAIM_H

#include "node/call.h"
#include "node/node.h"

enum claim_state {
	CLAIM_QUEUED = 1, /* the acquire hasn't been sent */
	CLAIM_ASKED,      /* sent, not answered */
	CLAIM_WAITING,    /* in the line */
	CLAIM_HELD,
	CLAIM_LOST, /* was held; `lost_rc`; the owner hasn't given it back */
	CLAIM_RELEASING,
	CLAIM_UNDOING, /* must not be held: cancelled until confirmed */
	CLAIM_OVER     /* only its callback is due */
};

/* A revocation that the cluster has told of. */
struct revocation {
	struct claim *claim;
	struct list node;   /* node->notices: the event is due */
	struct timer again; /* say that it is noted */
	uint64_t again_us;
	uint64_t until; /* cluster time: taken then, once it is noted */
	uint64_t by;
	bool sent;   /* that it is noted, at least once */
	char text[]; /* why; terminated */
};

struct claim {
	struct node *owner;
	struct list all; /* node->claims */
	enum claim_state state;
	struct call acquire, release;
	struct timer deadline; /* of the acquire, then of the release */
	/* What they point to lies behind the claim. The mode and the permits
	 * are those that are held. */
	struct acquire_options options;
	uint64_t give_up_at; /* local, monotonic */
	uint64_t session, token;
	uint64_t to; /* RELEASING: handed over to this node; 0: to the line */
	int lost_rc; /* why the hold ended by itself; 0: not that we know */
	/* The callback that is due, or will be. */
	claim_cb cb;
	void *arg;
	int rc;
	bool due;
	struct list due_node;  /* node->due */
	struct list loss_node; /* node->losses: the event is due */
	/* certain.c */
	struct bound own;   /* its limit's and its lease's */
	struct bound taken; /* by revocations; it never rises */
	struct hold_watch watch;
	struct revocation *revoked; /* the last one, or NULL */
	/* errand.c */
	struct list errands;
	struct errand *converting; /* or NULL */
	/* rank.c */
	struct map_node by_owner;
	bool ranked;
};

#define RENEWALS 8 /* attempts whose answers are still of use */

/* Something that is asked for a hold, beside its acquire and its release. */
struct errand {
	struct list node; /* claim->errands; alone: node->strays */
	struct node *owner;
	struct claim *claim; /* NULL: it has gone, or given up the errand */
	struct call call;    /* not of a renewal */
	struct timer deadline;
	struct list due_node; /* node->errands_due */
	claim_cb cb;          /* NULL: it has been told */
	void *arg;
	int rc;
	bool due;
	bool over;      /* only its callback is due */
	uint64_t token; /* of the hold, as of its beginning */
	/* A conversion's. */
	enum hf_mode mode;
	uint32_t permits;
	uint64_t give_up_at;
	bool tries;     /* and doesn't wait */
	int settled_rc; /* the result if its cancel comes in time */
	/* A renewal's. */
	struct map_node by_number;
	uint64_t number; /* never given twice; 0: none */
	struct timer again;
	uint64_t again_us;
	uint64_t attempt; /* counts, for each number */
	struct {
		uint64_t id; /* 0: none */
		uint64_t token;
		struct clocks sent;
	} attempts[RENEWALS];
	/* What is shown from now on. */
	size_t shown_len;
	uint8_t shown[];
};

/* Why a wait or a hold ended, which is never by coming true: a peer that says
 * so is wrong. */
static inline int ended_status(const struct output *o)
{
	return o->status < 0 ? o->status : HF_ENOTHELD;
}

/* claim.c */
/* Tell the owner `rc` from this turn's end. */
void claim_due(struct claim *c, int rc);
/* No more to be asked of the cluster; only the owner may still have to hear. */
void claim_over(struct claim *c);
void claim_finish(struct claim *c, int rc);
/* The owner hears `rc`; whatever the acquire has become is undone. */
void claim_undo(struct claim *c, int rc);
void claim_ended(struct claim *c, int status);
extern const struct call_kind acquire_kind; /* acquire.c */
void acquire_output(struct node *n, struct call *call, const struct output *o);
void acquire_lost(struct node *n, struct call *call);
/* How long the cluster should let it wait, for one who gives up at that time.
 */
uint64_t wait_until(const struct node *n, uint64_t give_up_at);
/* Why what has been asked in vain comes too late. */
int why_too_late(const struct node *n, const struct call *call);

/* release.c: all of it for a claim that is RELEASING */
void release_queue(struct claim *c);

/* certain.c: until when a hold is certain */
void certain_begin(struct claim *c);
/* It is held, or still is; the answer to what was sent at `sent`, which may be
 * NULL: a fact. */
void certain_granted(struct claim *c, const struct clocks *sent,
		     const struct output *o);
void certain_revoked(struct claim *c, const struct output *o);
void certain_noted(struct claim *c, const struct output *o);
/* Nothing can be revoked any more. */
void certain_end(struct claim *c);
void certain_publish(const struct claim *c);
void certain_events(struct node *n);

/* errand.c */
struct errand *errand_new(struct claim *c, size_t more, claim_cb cb, void *arg);
void errand_due(struct errand *e, int rc);
/* Nothing more is expected for it: it goes, once its callback has run. */
void errand_over(struct errand *e, int rc);
/* The claim knows it no more; its call goes on until it is answered. */
void errand_leave(struct errand *e);
/* 0: the claim is held; else why nothing can be asked for it. */
int errand_judge(const struct claim *c);
/* The claim is given up, or lost: tell all whom it is asked for. */
void errands_claim_gone(struct claim *c, int rc);
/* Nothing more can be asked. */
void errands_end(struct claim *c, int rc);
void errands_callbacks(struct node *n);
void errands_free(struct node *n);

/* convert.c: the claim is given back; the conversion settles first. */
void convert_give_up(struct errand *e, int rc);
/* renew.c */
void renew_answered(struct node *n, const struct output *o);
void renew_forget(struct errand *e);

/* rank.c: locks with ranks are taken in rising order by an owner */
int rank_judge(const struct node *n, const struct acquire_options *options);
int rank_enter(struct claim *c);
void rank_leave(struct claim *c);

#endif

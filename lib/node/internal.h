/* What the files of lib/node share. README here says how they fit together. */
#ifndef HF_NODE_INTERNAL_H
#define HF_NODE_INTERNAL_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "codec/entry.h"
#include "codec/frame.h"
#include "node/node.h"

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)

/* A connection that says nothing valid for this long is closed. One that we
 * began is given less at first, and longer each time: where the other end died
 * unseen, only another attempt finds its successor. */
#define HANDSHAKE_US (5 * SECOND)
#define HANDSHAKE_MIN_US (1 * SECOND)
/* A refused one is given this long to read why. */
#define REFUSE_US (1 * SECOND)
/* Connections that haven't said who they are, at once. */
#define STRANGERS_MAX 64
/* Waiting between attempts to connect, doubling. */
#define REDIAL_MIN_US (20 * MS)
#define REDIAL_MAX_US (1 * SECOND)
/* Bytes queued in a link: above it Raft is told that there is no connection. */
#define LINK_QUEUE_MAX (64u << 20)
/* Above this the peer asks and doesn't read: the link is given up. */
#define LINK_QUEUE_END (2 * LINK_QUEUE_MAX)
/* Bulk frames are added while less than this is queued, so that what is urgent
 * never waits behind more. */
#define BULK_AHEAD (512u << 10)
#define BULK_POLL_US (2 * MS)
/* A larger resync takes the bulk lane. */
#define RESYNC_URGENT_MAX (1u << 20)
/* Waiting for an answer before asking again: the measured round trip's share,
 * between these, doubling. */
#define RETRY_MIN_US (50 * MS)
#define RETRY_MAX_US (1 * SECOND)
#define ATTACH_MIN_US (5 * MS)
/* Requests sent again in one turn. */
#define RESEND_MAX 512
/* How long a try waits for the leader's answer. */
#define TRY_US (5 * SECOND)
/* The cluster cleans up a wait this long after its caller gave up. */
#define WAIT_SLACK_US (2 * SECOND)
/* Renewals whose answers are still of use. */
#define ATTEMPTS 16
/* Events kept until the turn's end; of more, those go that newer ones make
 * superfluous. Lost holds and a failure of the member are kept elsewhere. */
#define EVENTS_MAX 32
/* Questions of one member on their way through a read index; more are refused
 * and asked again. */
#define SERVED_MAX 1024
/* Waiting for memory before trying again. */
#define MEMORY_RETRY_US (20 * MS)
/* Rounds of callbacks and what they cause, in one turn. */
#define ROUNDS_MAX 4
/* How long a leader that closes waits for another to take over. */
#define TRANSFER_US (500 * MS)

struct timer { /* all zero: not set */
	struct heap_node node;
	void (*fire)(struct node *n, struct timer *t);
};

/* A connection, from its first byte to its last. */
struct link {
	struct list node; /* of node->links */
	struct node *owner;
	struct conn *conn; /* NULL: gone; freed at the end of the turn */
	struct peer *peer; /* NULL: hasn't said who it is */
	bool incoming;
	bool up;               /* both have said hello */
	bool refused;          /* only waits for its end */
	struct timer deadline; /* of the handshake */
	struct buf in;         /* bytes of an unfinished frame */
	struct joiner joiners[LANES];
	struct buf out[2]; /* whole frames: control, request */
	struct buf bulk;   /* one message, sent frame by frame */
	size_t bulk_sent;
	enum frame_type bulk_type;
	bool bulk_open;
};

struct peer {
	uint64_t id;
	const char *address;
	struct link *link;    /* the one that is up, or NULL */
	struct link *dialing; /* the one we began, not yet up, or NULL */
	uint64_t links;       /* counts those that came up */
	uint64_t boot;        /* largest seen */
	struct timer redial;
	uint64_t redial_us, handshake_us;
	struct buf requests, outputs; /* messages of this turn */
	size_t served;                /* questions on their way */
};

/* One sequenced operation. */
struct call {
	struct map_node by_seq;
	struct list queue; /* unsent: node->unsent; else node->by_age */
	struct list order; /* unanswered ones by seq: node->outstanding */
	struct claim *claim;
	enum op_kind kind;
	uint64_t seq; /* 0: none yet */
	uint64_t sent_at;
	uint32_t tries;
	bool outstanding;
};

enum claim_state {
	CLAIM_QUEUED = 1, /* the acquire hasn't been sent */
	CLAIM_ASKED,      /* sent, not answered */
	CLAIM_WAITING,    /* in the line */
	CLAIM_HELD,
	CLAIM_LOST, /* was held; `lost_rc`; the owner doesn't know */
	CLAIM_RELEASING,
	CLAIM_UNDOING, /* must not be held: cancelled until confirmed */
	CLAIM_OVER     /* only its callback is due */
};

struct claim {
	struct node *owner;
	struct list all; /* node->claims */
	enum claim_state state;
	struct call acquire, release;
	struct timer deadline; /* of the acquire, then of the release */
	struct timer undo;     /* when to cancel again */
	uint64_t undo_us;
	struct acquire_options options; /* name: the bytes below */
	uint64_t give_up_at;            /* local, monotonic */
	uint64_t session, token;
	uint64_t as_of; /* index of the newest fact known */
	uint64_t mark;  /* of the resync that named it */
	int lost_rc;
	bool busy; /* the last answer: the leader has too much to do */
	uint32_t *lost;
	/* The callback that is due, or will be. */
	claim_cb cb;
	void *arg;
	int rc;
	bool due;
	struct list due_node;  /* node->due */
	struct list loss_node; /* node->losses: the event is due */
	uint8_t name[];
};

/* A question to the leader about a hold. */
struct question {
	struct list node;    /* node->questions */
	struct claim *claim; /* NULL: released meanwhile */
	struct query query;
	struct timer deadline;
	uint64_t sent_at;
	claim_cb cb;
	void *arg;
	int rc;
	bool over;
};

/* The session's keeper. */
struct keeper {
	enum hf_session_state state;
	uint64_t id; /* 0: none; then it is being opened */
	uint8_t nonce[NONCE_LEN];
	uint64_t nth;         /* of this boot */
	bool opening;         /* the nonce has been sent */
	struct clocks opened; /* first sending of it */
	uint64_t attempt;     /* counts renewals */
	struct {
		uint64_t id;
		struct clocks sent;
	} attempts[ATTEMPTS];
	uint64_t confirmed_at; /* sending of the newest confirmed renewal */
	uint64_t next_at;      /* monotonic: renew or open then */
	uint64_t retry_us, refused_us;
	int refusal; /* of the newest open; 0: none */
	bool closing, closed;
	int closed_rc; /* 0: cleanly */
};

/* Where requests go. */
struct route {
	uint64_t leader; /* 0: nowhere */
	uint64_t term;
	uint64_t links; /* generation of the link, or of our own leading */
	bool attached;  /* a resync of our session has come from there */
	uint64_t nonce; /* attaches to it have larger ones */
	uint64_t next_at;
	uint64_t retry_us;
};

struct node {
	struct node_config config;
	struct mem mem;
	struct env *env;
	struct node_calls calls;
	void *arg;
	struct repl *repl;
	struct clocks now; /* of this turn */
	struct heap timers;
	uint64_t timer_serial;
	struct list links;
	size_t strangers;
	struct peer *peers; /* the others */
	size_t peers_len;
	struct keeper keeper;
	struct lease lease;
	struct route route;
	struct list claims;
	struct list unsent[2];   /* releases, acquires */
	struct list by_age;      /* outstanding, oldest sending first */
	struct list outstanding; /* by seq */
	struct map calls_by_seq;
	struct list due;
	struct list losses;
	struct hf_event events[EVENTS_MAX]; /* not told yet */
	size_t events_len;
	uint64_t next_seq;
	uint64_t srtt_us, retry_us;
	uint64_t number_at; /* no new number before: memory had run out */
	uint64_t resyncs;
	struct list questions;
	uint64_t question_serial;
	size_t served;      /* of our own, as peer.served */
	struct buf outputs; /* struct output: for this node, not yet handled */
	struct buf scratch, message;
	uint64_t leader_told, term_told;
	bool started, failed, fail_told, leader_changed;
	int fail_rc;
	char fail_text[HF_ERROR_TEXT];
	bool closing;
	uint64_t close_at;    /* give up waiting then */
	uint64_t transfer_at; /* give up the transfer then; 0: not begun */
	bool repl_closing, repl_closed, clean, over;
	void (*closed)(void *arg, bool clean);
	void *closed_arg;
};

/* timer.c */
void timer_set(struct node *n, struct timer *t, uint64_t at,
	       void (*fire)(struct node *n, struct timer *t));
void timer_stop(struct node *n, struct timer *t);
void timers_run(struct node *n);
uint64_t timers_next(const struct node *n);
/* `us`, a quarter more or less. */
uint64_t jitter(struct node *n, uint64_t us);
static inline uint64_t later(uint64_t at, uint64_t us)
{
	return us > UINT64_MAX - at ? UINT64_MAX : at + us;
}
static inline void sooner(uint64_t *at, uint64_t other)
{
	if (other < *at)
		*at = other;
}

/* link.c */
struct peer *peer_of(struct node *n, uint64_t id);
void links_turn(struct node *n);  /* dial, reap */
void links_flush(struct node *n); /* write this turn's frames */
uint64_t links_next(const struct node *n);
void links_close(struct node *n);
void link_close(struct link *l);
/* A whole message to a peer. false: no link, nothing sent. */
bool link_send(struct node *n, uint64_t to, enum frame_type type,
	       enum lane lane, const uint8_t *message, size_t len);
bool link_ready(struct node *n, uint64_t to);

/* dispatch.c: a whole message came. HF_ECORRUPT: close the link. */
int dispatch(struct node *n, struct peer *from, enum frame_type type,
	     const uint8_t *message, size_t len);

/* route.c */
void route_turn(struct node *n);
uint64_t route_next(const struct node *n);
/* To the leader, best effort. false: there is no way now. */
bool route_op(struct node *n, const struct op *op);
void route_lost(struct node *n, uint64_t peer); /* its link ended */
int route_resync(struct node *n, uint64_t from, const uint8_t *message,
		 size_t len);
int route_notleader(struct node *n, uint64_t from, const uint8_t *message,
		    size_t len);

/* keeper.c */
void keeper_init(struct node *n);
void keeper_turn(struct node *n);
uint64_t keeper_next(const struct node *n);
void keeper_hurry(struct node *n);   /* there is a new leader: ask now */
void keeper_refused(struct node *n); /* the leader doesn't serve */
void keeper_answer(struct node *n, const struct output *o);
/* The cluster has ended it, for good. */
void keeper_lost(struct node *n, uint64_t session);

/* call.c: sequenced operations */
void calls_init(struct node *n);
void call_queue(struct call *c, struct claim *claim, enum op_kind kind);
void calls_turn(struct node *n);   /* send what may be sent, and again */
void calls_resend(struct node *n); /* all that is unanswered */
bool calls_waiting(const struct node *n);
uint64_t calls_next(const struct node *n);
struct call *call_find(struct node *n, uint64_t seq);
void call_answered(struct node *n, struct call *c);
void call_forget(struct node *n, struct call *c); /* leave every list */
void calls_reset(struct node *n);                 /* a new session begins */
uint64_t calls_low(const struct node *n);

/* claim.c */
void claim_output(struct node *n, const struct output *o);
void claims_resync(struct node *n, const struct resync *s,
		   struct resync_reader *it);
void claims_lost(struct node *n, uint64_t session); /* the session ended */
void claims_undo_now(struct node *n);
/* Nothing more can be asked: end what isn't held with `acquire_rc`, what is
 * being released with `release_rc`. */
void claims_end(struct node *n, int acquire_rc, int release_rc);
void claims_callbacks(struct node *n);
void claims_free(struct node *n);

/* question.c */
void questions_turn(struct node *n);
void questions_resend(struct node *n);
uint64_t questions_next(const struct node *n);
void questions_reply(struct node *n, const struct reply *y);
void questions_claim_gone(struct node *n, struct claim *c);
void questions_end(struct node *n, int rc);
void questions_callbacks(struct node *n);

/* serve.c: the leader's side */
void serve_output(struct node *n, const struct output *o);
int serve_requests(struct node *n, struct peer *from, const uint8_t *message,
		   size_t len);
int serve_attach(struct node *n, uint64_t from, const struct attach *a);
void serve_query(struct node *n, uint64_t from, const struct query *q);

/* node.c */
/* This member can do nothing any more. */
void node_fail(struct node *n, int rc, const char *text);
/* Have it told in its turn; told now. */
void node_event(struct node *n, const struct hf_event *event);
void node_tell(struct node *n, struct hf_event *event);
void node_output(struct node *n, const struct output *o);

#endif

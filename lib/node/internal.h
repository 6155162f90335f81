/* What the files of lib/node share. README here says how they fit together. */
#ifndef HF_NODE_INTERNAL_H
#define HF_NODE_INTERNAL_H

#include "codec/entry.h"
#include "node/ask.h"
#include "node/claim.h"
#include "node/question.h"
#include "node/ring.h"
#include "node/watch.h"

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
/* How long a leader's hint is followed at most; and what node_retry_us answers
 * at most, a quarter more or less, and at least. */
#define BUSY_MAX_US (4 * SECOND)
#define AGAIN_MIN_US (10 * MS)
/* Requests sent again in one turn. */
#define RESEND_MAX 512
/* How long a try waits for the leader's answer. */
#define TRY_US (5 * SECOND)
/* The cluster cleans up a wait this long after its caller gave up. */
#define WAIT_SLACK_US (2 * SECOND)
/* Renewals whose answers are still of use. */
#define ATTEMPTS 16
/* How long a conversion that is too late waits to know its end. */
#define SETTLE_US (5 * SECOND)
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
	struct { /* a renewal's answer that doesn't count yet */
		bool any;
		struct clocks sent;
		uint64_t stamp, deadline;
	} early;
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
	struct list unsent[2];   /* what gives back, the rest */
	struct list by_age;      /* outstanding, oldest sending first */
	struct list outstanding; /* by seq */
	struct list answered;
	struct map calls_by_seq;
	struct list due;
	struct list losses;
	struct list notices;     /* revocations whose event is due */
	struct list errands_due; /* of claims or strays */
	struct list strays;      /* errands whose claim is gone */
	struct map ranked;       /* claims with ranks, by owner */
	struct map renewing;     /* errands, by number */
	uint64_t renewals;       /* numbers given */
	struct anchors anchors;
	struct hf_event events[EVENTS_MAX]; /* not told yet */
	size_t events_len;
	bool quiet; /* events wait */
	uint64_t next_seq;
	uint64_t srtt_us, retry_us;
	uint64_t number_at; /* no new number before: memory had run out */
	uint64_t resyncs;
	struct questions questions;
	size_t served; /* of our own, as peer.served */
	/* The leader's hint, how long its backlog takes; 0: it has none. */
	uint64_t busy_us;
	struct list asks, asks_due, asks_held;
	size_t asks_bytes, asks_sent;
	struct ring ring;
	struct list watchers;
	size_t watchers_len;
	struct watcher *watching; /* its callback runs; NULL: it has ended */
	uint64_t watched;         /* how far all have looked into the ring, */
	bool watch_more;          /* unless somebody has more to see */
	struct buf outputs; /* a message: for this node, not yet handled */
	struct buf handled; /* the one that is being handled */
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
void route_gap(struct node *n); /* something that came was lost: attach anew */
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
void keeper_attached(struct node *n);
/* The cluster has ended it, for good. */
void keeper_lost(struct node *n, uint64_t session);

/* claim.c: see claim.h, too */
/* Nothing more can be asked: end what isn't held with `acquire_rc`, what is
 * being released with `release_rc`. */
void claims_end(struct node *n, int acquire_rc, int release_rc);
void claims_callbacks(struct node *n);
void claims_free(struct node *n);

/* ask.c */
void asks_init(struct node *n);
void asks_free(struct node *n);
/* Nothing more can be asked: end what can have no effect with `rc`; `all`: the
 * rest with HF_EUNKNOWN. */
void asks_end(struct node *n, int rc, bool all);
void asks_callbacks(struct node *n);
bool asks_waiting(const struct node *n);

/* watch.c */
void watches_init(struct node *n);
void watches_free(struct node *n);
void watches_callbacks(struct node *n);
bool watches_waiting(const struct node *n);

/* serve.c: the leader's side */
void serve_output(struct node *n, const struct output *o);
int serve_requests(struct node *n, struct peer *from, const uint8_t *message,
		   size_t len);
int serve_attach(struct node *n, uint64_t from, const struct attach *a);
/* What n->message holds. One that memory ran out for is lost, as on a link: it
 * is asked for again. */
void serve_message(struct node *n, uint64_t to, enum frame_type type,
		   enum lane lane);
void serve_notleader(struct node *n, uint64_t to);

/* reply.c: the leader's side of questions */
void serve_query(struct node *n, uint64_t from, const struct query *q);

/* node.c */
/* This member can do nothing any more. */
void node_fail(struct node *n, int rc, const char *text);
/* Have it told in its turn; told now. */
void node_event(struct node *n, const struct hf_event *event);
void node_tell(struct node *n, struct hf_event *event);
void node_output(struct node *n, const struct output *o);
static inline struct caution node_caution(const struct node *n)
{
	return (struct caution){ n->config.drift_ppm, n->config.margin_us };
}
/* Why what wasn't sent in time wasn't. */
int node_why_late(const struct node *n);
/* The leader has too much to do, for so long. */
void node_busy(struct node *n, uint64_t us);

#endif

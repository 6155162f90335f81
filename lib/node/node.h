/* A node: a member's replica, its links to the others, and its session.
 *
 * Requests from here reach the leader, wherever it is, and come back; what the
 * leader has to say to other nodes leaves from here. Deterministic: one thread,
 * all of the world through struct env and struct raft_io. lib/host runs it on a
 * real machine, test/sim in virtual time.
 *
 * Callbacks run only inside node_turn and node_close, and may call anything
 * here but these two and node_free. */
#ifndef HF_NODE_NODE_H
#define HF_NODE_NODE_H

#include "holdfast.h"
#include "node/lease.h"
#include "repl/repl.h"

struct node;
struct claim; /* one acquisition, from node_acquire to its end */

struct node_config {
	uint64_t cluster;     /* digest of the cluster's name: node_digest */
	uint64_t incarnation; /* of the cluster's data; 1 at first */
	uint64_t boot; /* durable counter of this node's processes, >= 1 */
	uint64_t ttl_us, renew_us, margin_us;
	uint32_t drift_ppm;
	bool unsure_is_lost;
	/* The directory lock proves that the node's former process is dead, so
	 * that its session may end at once. */
	bool former_dead;
	bool checksum;     /* links have no checksum of their own */
	size_t ring_bytes; /* of changes for watches; 0: RING_BYTES (ring.h) */
	struct repl_config repl; /* id and members are the node's too */
};

struct node_calls {
	/* As hf_event. Strings live during the call. */
	void (*event)(void *arg, const struct hf_event *event);
};

uint64_t node_digest(const char *cluster);

/* Errors as repl_open and repl_start. */
int node_open(struct node **node, const struct node_config *config,
	      struct env *env, struct raft_io *io,
	      const struct node_calls *calls, void *arg, char *error);
int node_start(struct node *node, char *error);

/* Once in each turn of the loop, and at the time given to env->wake. Everything
 * that was readable since the last call has been handed over before: a leader
 * that was paused relies on it. */
void node_turn(struct node *node);

/* End the session, at most until `timeout_us` from now have passed, then all
 * links and the replica; requests end with HF_ECLOSED or HF_EUNKNOWN. Goes on
 * in node_turn; `done` is called once, at last, from there (clean: as
 * repl_close). The io is the caller's again, then node_free. */
void node_close(struct node *node, uint64_t timeout_us,
		void (*done)(void *arg, bool clean), void *arg);
/* The closing takes too long: tell everybody who waits, and take no more turns.
 */
void node_abandon(struct node *node);
void node_free(struct node *node);

/* --- what the world reports (see base/env.h) --- */

/* A connection came in. Call before anything else about it. */
void node_conn_incoming(struct node *node, struct conn *conn);
/* One that env->connect began is up. */
void node_conn_connected(struct node *node, void *owner);
void node_conn_data(struct node *node, void *owner, const uint8_t *bytes,
		    size_t len);
/* It failed or ended; also when it couldn't connect. The last report. */
void node_conn_closed(struct node *node, void *owner);

/* --- requests --- */

struct acquire_options {
	const void *name;
	size_t name_len;
	enum hf_mode mode;
	uint32_t permits, limit;
	uint64_t delay_us;
	uint64_t owner;      /* 0: this acquisition is one by itself */
	uint64_t timeout_us; /* 0: try; UINT64_MAX: for ever */
	/* All that follows is mostly zero. */
	const struct op_part *more; /* locks besides the first */
	size_t more_len;
	int32_t priority;
	uint32_t line_max, rank;
	uint64_t hold_us, lease_us; /* 0: no limit, no lease of its own */
	const void *shown;
	size_t shown_len;
	struct hf_deadlock *deadlock; /* the caller's until the result, or NULL
				       */
};

/* What the options point to, copied into room of so many bytes, aligned as from
 * malloc. */
size_t node_options_bytes(const struct acquire_options *options);
void node_options_copy(struct acquire_options *to,
		       const struct acquire_options *from, void *room);

/* The end of an acquisition's first part. rc 0: held, node_claim_* and
 * node_release may be used; else `claim` is gone after this call. */
typedef void (*claim_cb)(void *arg, struct claim *claim, int rc);

/* 0, and `cb` runs once, later; or HF_ENOMEM, HF_EINVAL, HF_ERANK, HF_ECLOSED,
 * HF_EFAILED. All of the options is copied. */
int node_acquire(struct node *node, const struct acquire_options *options,
		 claim_cb cb, void *arg, struct claim **claim);
/* HF_ENOTHELD: it had ended (its callback has run, or is due). Else 0, and the
 * callback runs with HF_ECANCELED from the next turn. */
int node_cancel(struct node *node, struct claim *claim);
/* Of a hold. `cb` runs once: 0, HF_ENOTHELD, HF_EREVOKED, HF_EEXPIRED,
 * HF_ESESSION, HF_EUNKNOWN (goes on in the background), HF_ECLOSED; then
 * `claim` is gone. What is asked for the hold ends before, with HF_ENOTHELD; a
 * conversion with HF_ECANCELED. */
void node_release(struct node *node, struct claim *claim, uint64_t timeout_us,
		  claim_cb cb, void *arg);
/* The same, to a node that waits. If the claim is held afterwards
 * (node_claim_held, in the callback), nothing has happened: HF_ENOCANDIDATE,
 * HF_EINVAL. */
void node_hand_over(struct node *node, struct claim *claim, uint64_t to,
		    uint64_t timeout_us, claim_cb cb, void *arg);
/* Out of a barrier, and wait until all are. HF_ETIMEDOUT: only out of it. */
void node_leave(struct node *node, struct claim *claim, uint64_t timeout_us,
		claim_cb cb, void *arg);

/* All that follows is asked for a hold; `claim` stays, and a release of it
 * meanwhile ends it with HF_ENOTHELD. HF_ENOMEM may be told at once, inside the
 * call; HF_ECLOSED likewise, if no turn will come.
 *
 * The leader's word on it: 0, HF_ENOTHELD, HF_ESESSION, HF_ETIMEDOUT,
 * HF_ENOLEADER. */
void node_validate(struct node *node, struct claim *claim, uint64_t timeout_us,
		   claim_cb cb, void *arg);
/* As hf_lock_convert. */
void node_convert(struct node *node, struct claim *claim, enum hf_mode mode,
		  uint32_t permits, uint64_t timeout_us, claim_cb cb,
		  void *arg);
/* As hf_lock_show, hf_lock_renew. */
void node_show(struct node *node, struct claim *claim, const void *shown,
	       size_t shown_len, uint64_t timeout_us, claim_cb cb, void *arg);
void node_renew(struct node *node, struct claim *claim, uint64_t timeout_us,
		claim_cb cb, void *arg);

/* Events wait while it is quiet, as they would for a turn's end: newer ones
 * take the place of those that they make superfluous. May be called in an
 * event; those that waited are told in the next turn. */
void node_quiet(struct node *node, bool quiet);
/* After node_close has ended: tell those that still wait. */
void node_tell_rest(struct node *node);

uint64_t node_claim_token(const struct claim *claim);
uint64_t node_claim_session(const struct claim *claim);
void *node_claim_arg(const struct claim *claim);
bool node_claim_held(const struct claim *claim);
/* For how long the hold is certain, us: by its session and by itself. */
uint64_t node_claim_left(const struct claim *claim, const struct clocks *now);
/* Where it stands that waits: 0, or not at all. */
void node_claim_place(const struct claim *claim, struct hf_place *place);

/* What is to be seen of a hold by other threads: memory of the claim's owner,
 * kept up to date with atomic writes until the claim is given back. Each may be
 * NULL. */
struct hold_watch {
	uint32_t *lost;  /* 1 once it is known to be lost, before the event */
	uint64_t *token; /* changes with a conversion, before its callback */
	uint64_t *cap;   /* two words: bound_store */
};
/* Begin, and write all of it. */
void node_claim_watch(struct claim *claim, const struct hold_watch *watch);

/* How long to wait before something that was refused for want of room or of a
 * leader is tried again, for the time `attempt`, from 0. */
uint64_t node_retry_us(struct node *node, unsigned attempt);

/* --- looking --- */

/* What hf_lock_safe_ms reads, from any thread, while the node lives. */
const struct lease *node_lease(const struct node *node);
void node_status(const struct node *node, struct hf_status *status);
const struct core *node_core(const struct node *node);
struct repl *node_repl(struct node *node);
bool node_serving(const struct node *node);

#endif

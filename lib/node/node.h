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
	bool checksum;           /* links have no checksum of their own */
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
	uint64_t owner;
	uint64_t timeout_us; /* 0: try; UINT64_MAX: for ever */
};

/* The end of an acquisition's first part. rc 0: held, node_claim_* and
 * node_release may be used; else `claim` is gone after this call. */
typedef void (*claim_cb)(void *arg, struct claim *claim, int rc);

/* 0, and `cb` runs once, later; or HF_ENOMEM, HF_EINVAL, HF_ECLOSED. */
int node_acquire(struct node *node, const struct acquire_options *options,
		 claim_cb cb, void *arg, struct claim **claim);
/* HF_ENOTHELD: it had ended (its callback has run, or is due). Else 0, and the
 * callback runs with HF_ECANCELED from the next turn. */
int node_cancel(struct node *node, struct claim *claim);
/* Of a hold. `cb` runs once: 0, HF_ENOTHELD, HF_ESESSION, HF_EUNKNOWN (goes on
 * in the background), HF_ECLOSED; then `claim` is gone. */
void node_release(struct node *node, struct claim *claim, uint64_t timeout_us,
		  claim_cb cb, void *arg);
/* The leader's word on a hold: 0, HF_ENOTHELD, HF_ESESSION, HF_ETIMEDOUT,
 * HF_ENOLEADER, HF_ECLOSED, HF_ENOMEM. `claim` stays. A release of the claim
 * meanwhile ends it with HF_ENOTHELD. */
void node_validate(struct node *node, struct claim *claim, uint64_t timeout_us,
		   claim_cb cb, void *arg);

uint64_t node_claim_token(const struct claim *claim);
uint64_t node_claim_session(const struct claim *claim);
void *node_claim_arg(const struct claim *claim);
/* Set once the hold is known to be lost; `lost` lives with the claim's owner
 * and is set to 1, atomically, before the event. NULL: nobody watches. */
void node_claim_watch(struct claim *claim, uint32_t *lost);

/* --- looking --- */

/* What hf_lock_safe_ms reads, from any thread, while the node lives. */
const struct lease *node_lease(const struct node *node);
void node_status(const struct node *node, struct hf_status *status);
const struct core *node_core(const struct node *node);
struct repl *node_repl(struct node *node);
bool node_serving(const struct node *node);

#endif

/* A process: one life of a member, from its boot to its crash or close.
 *
 * It runs the shipped node in a loop like a host's: what arrives is handed over
 * at once and followed by one turn a little later. A crash may come at any of
 * its effects on the world, in the middle of a step: the process is then a
 * zombie, whose further effects are dropped, until the step returns. Nothing of
 * a crashed process is cleaned up, as in life: its memory is given up. */
#ifndef HF_SIM_PROCESS_H
#define HF_SIM_PROCESS_H

#include "node/node.h"
#include "sim/lib/clerk.h"
#include "sim/lib/user.h"
#include "sim/lib/watchman.h"
#include "sim/lib/world.h"

#define PROCESS_USERS (USERS_MAX + NAMES_MAX) /* those at the end, too */

struct process {
	struct gate gate;
	struct world *world;
	struct machine *machine;
	struct env env;
	struct vdisk_io disk;
	struct vnet_host host;
	struct random random;
	struct node *node;
	uint64_t turn_at;     /* true time of the next turn */
	uint64_t crash_after; /* effects from now; 0: no crash is near */
	bool zombie;
	bool closing;
	bool failed, mute;        /* its node has; it says nothing any more */
	uint64_t memory_failures; /* of its machine, before it */
	bool back_soon;           /* after the crash that is near */
	int (*store_vote)(struct raft_io *io, raft_id id);
	uint64_t slow_until;             /* until then each turn ... */
	uint64_t turn_takes, turn_waits; /* ... takes or waits this, at most */
	uint64_t commit_index, commit_term;
	uint64_t clock_term, clock; /* of the leader's clock */
	uint64_t pauses;            /* so far */
	/* Those who use the node run in threads of their own, which go on while
	 * its loop hangs. */
	struct gate users_gate;
	uint64_t session_at; /* true time of the last change of `session` */
	uint64_t lease_version, lease_session, applied, term;
	enum hf_session_state session;
	/* That it had applied when it began, or when it was sent a snapshot. */
	uint64_t first_index, installed;
	struct user users[PROCESS_USERS];
	struct clerk clerks[CLERKS_MAX];
	struct watchman watchmen[WATCHMEN_MAX];
};

void process_boot(struct machine *m);
/* Boot the machine's process in `us` from now, unless it runs then. */
void machine_boot_later(struct machine *m, uint64_t us);

/* `silent`: the others aren't told soon. Not from inside a step. */
void process_crash(struct process *p, bool silent);
void process_close(struct process *p);
/* End its pause, if it is in one. */
void process_wake(struct process *p);
/* Something was handed to the node: it gets a turn soon. */
void process_poke(struct process *p);

/* Does its loop hang, while its users go on? */
bool process_hangs(const struct process *p);
/* Has memory run out in this process? */
bool process_starved(const struct process *p);

/* Add to the world's counters what its node has counted. */
void process_count(const struct process *p);

/* How long this process is certain of a session, now, by its own clocks. */
uint64_t process_certain(const struct process *p, uint64_t session);

/* Was it memory that ended the node, with `rc`? */
bool process_starved_to_death(const struct process *p, int rc);
/* For process_boot.c: until somebody closes what has failed; tie a process to
 * its machine's disk, clocks and network; what its node calls. */
#define OPERATOR_MAX_US 500000
void process_connect(struct process *p);
extern const struct node_calls process_calls;
/* For process_env.c and process.c. A turn follows `PROCESS_TURN_US` at most
 * after what it is for. */
#define PROCESS_TURN_US 20
void process_env(struct process *p);
void process_turn_at(struct process *p, uint64_t at);
/* How long after what it is for a turn comes. */
uint64_t process_turn_delay(struct process *p);
/* process_vote.c */
void process_watch_vote(struct process *p);
/* Something that others could see is about to happen; false: the process has
 * died before it could. */
bool process_effect(void *process);

#endif

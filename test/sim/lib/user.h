/* A user of a process: takes locks, writes to what they protect, converts what
 * it holds, thinks for too long at times, cancels, asks whether it still holds,
 * releases or hands over, tries again. hold.c is what it does while it holds,
 * errand.c what it asks for that; habit.h says when; answer.h checks all that
 * it is told. */
#ifndef HF_SIM_USER_H
#define HF_SIM_USER_H

#include "node/node.h"
#include "sim/lib/belief.h"
#include "sim/lib/habit.h"

enum user_state {
	USER_IDLE,
	USER_ASKING,     /* its acquisition's callback is due */
	USER_HOLDING,    /* none is due */
	USER_VALIDATING, /* these as HOLDING, with a callback due */
	USER_CONVERTING,
	USER_RENEWING,
	USER_SHOWING,
	USER_RELEASING, /* its release's callback is due */
	USER_HANDING,   /* the same, and the hold may stay */
	USER_LEAVING    /* a barrier */
};

struct process;
struct ticket;

struct user {
	struct process *process;
	uint64_t number; /* unique in the process, from 1 */
	enum user_state state;
	bool probe;        /* must get what it asks for */
	bool retries;      /* asks for the same again */
	bool cancel_late;  /* its cancel was told that the acquire had ended */
	uint64_t step;     /* counts planned steps; only the last one counts */
	uint64_t asked;    /* acquisitions so far */
	uint64_t identity; /* of the acquisition, unique in the process */
	struct wish wish;
	enum cancel_habit cancel;
	bool canceled; /* it has tried to */
	unsigned acts_left;
	struct claim *claim;
	/* And their records, while HOLDING or RELEASING: one for each lock. */
	struct belief parts[WISH_PARTS];
	size_t parts_len;
	/* What other threads see of the hold: struct hold_watch. */
	uint32_t lost;
	uint64_t token, cap[2];
	struct {
		enum hf_mode mode;
		uint32_t permits;
		uint64_t called, token; /* true time; of the hold then */
	} convert;
	struct ticket *errand; /* what is asked for the hold */
	unsigned apart;        /* errands that its release has overtaken */
	bool held;             /* by the cluster, when it asked for that */
	uint64_t called;       /* true time of the request */
	uint64_t give_up_at;   /* monotonic: latest end of an acquisition */
	uint64_t pauses;       /* of the process, then */
	uint64_t slept;        /* by its machine, until then */
};

void user_start(struct user *u, struct process *p, unsigned number);
/* Take this lock, exclusively, and release it; tell world_probed. */
void user_probe(struct user *u, unsigned name);
/* Finish soon with what it holds, and ask for nothing more. */
void user_hurry(struct user *u);
/* The process gives up its holds, or has died. */
void user_forget(struct user *u);
/* How long it is certain of what it holds, now. */
uint64_t user_certain(const struct user *u);
bool user_holds(const struct user *u); /* as far as it knows */

/* The cluster has granted this to a node: whoever of its users it is may want
 * to cancel just now. */
void user_granted(struct world *w, uint64_t node, uint64_t identity);
/* It is told that its hold will be taken away in so many milliseconds. */
void user_revoked(struct user *u, uint32_t left_ms);

/* --- for user.c and hold.c */

void user_plan(struct user *u, uint64_t us); /* the next step, from now */
void user_rest(struct user *u);              /* nothing more is held */
/* Some who wait for it may lose their patience just now. */
void user_alarm_waiters(struct world *w, unsigned name);
/* What it shows, its identity first. The bytes' length. */
#define USER_SHOWN_MAX 24
size_t user_shown(struct user *u, uint8_t shown[USER_SHOWN_MAX]);

void hold_begin(struct user *u, struct claim *claim);
void hold_step(struct user *u);
/* The process's loop hangs. */
void hold_step_alone(struct user *u);
void hold_release(struct user *u);
void hold_plan_act(struct user *u);
/* A record of one lock of the hold, which is believed in from now on. */
struct hold_record *hold_record_new(struct user *u, struct belief *b,
				    const struct wish_part *part,
				    uint64_t token, uint64_t called);
void hold_believe(struct user *u, struct belief *b);

void errand_validate(struct user *u);
void errand_renew(struct user *u);
void errand_show(struct user *u);
void errand_convert(struct user *u);

#endif

/* What the files of this folder share. Private. */
#ifndef HF_REPL_INTERNAL_H
#define HF_REPL_INTERNAL_H

#include "repl/batch.h"
#include "repl/clock.h"
#include "repl/disk.h"
#include "repl/repl.h"

#include "codec/image.h"

/* An entry on its way. libraft keeps the request linked until the entry was
 * applied here or leadership is lost; without a callback it then only unlinks
 * it. Both happen inside libraft, so the next turn may use it again. */
struct proposal {
	struct raft_apply req;
	raft_term term; /* 0: free */
	uint64_t at;    /* proposed then, on the monotonic clock */
};

/* The hash that the state had as of `index`. */
struct state_hash {
	uint64_t index, hash;
};

/* A snapshot being encoded, then being written. Lives by itself, since the disk
 * may use the bytes longer than the repl lives. */
struct image_job {
	const struct mem *mem;
	struct image_writer writer;
	struct raft_buffer *bufs;
};

struct fsm {
	struct core *core;
	struct op_array ops;
	struct state_hash hashes[HASHES_KEPT];
	struct image_job *image;  /* NULL: no image is being taken */
	struct disk_request *put; /* what waits for it */
	uint64_t retry; /* uptime before which no new image is begun */
};

/* Reads wait in `waiting` until a round can begin, in `polled` while it goes
 * on, in `ready` or `refused` until the next turn. */
struct read_list { /* all zero: empty */
	struct repl_read *head, *tail;
};
struct reads {
	struct read_list waiting, polled, ready, refused;
	uint64_t nonce;  /* of the newest round */
	raft_term term;  /* of the round that goes on; 0: none */
	uint64_t index;  /* committed when it began */
	uint64_t resend; /* on the monotonic clock */
	uint64_t answered[HF_MEMBERS_MAX];
	size_t answers;
};

struct repl {
	struct repl_config config;
	struct env *env;
	const struct mem *mem;
	struct mem no_mem; /* where the config names none */
	const struct repl_calls *calls;
	void *arg;
	struct guard *guard; /* with struct raft */
	struct fsm fsm;

	/* Leading. */
	struct batch batch;
	struct cluster_clock clock;
	struct proposal proposals[INFLIGHT_MAX];
	struct sealed sealed;    /* taken off the batch, not yet proposed */
	raft_term opened;        /* the term that our term entry belongs to */
	raft_index opened_index; /* where it is */
	raft_term serving;       /* the term that it was applied in; 0: never */
	uint64_t serial;         /* of the last entry proposed in this term */
	uint64_t stamp;          /* the largest proposed in this term */
	uint64_t stamped;        /* when, on the monotonic clock */
	uint64_t hashed; /* entries since the last that carried a hash */
	uint64_t took;   /* from proposing to applying, of late, us */
	struct raft_transfer transfer;
	bool transfer_wanted;

	struct reads reads;

	/* What `changed` was last called with. */
	raft_term told_term;
	uint64_t told_leader;
	bool told_serving;

	struct clocks turned; /* the last turn's clocks */
	int failed;           /* why; 0: not */
	bool failed_told;
	bool running, closing, done_called;
	char text[HF_ERROR_TEXT];
	void (*done)(void *arg, bool clean);
	void *done_arg;
	struct repl_stats stats;
};

static inline struct raft *raft_of(const struct repl *repl)
{
	return &repl->guard->raft;
}

static inline uint64_t monotonic_now(const struct repl *repl)
{
	struct clocks now;

	env_clocks(repl->env, &now);
	return now.monotonic;
}

/* fsm.c */
void fsm_init(struct repl *repl);
void fsm_free(struct repl *repl);

/* snapshot.c */
int snapshot_begin(struct raft_fsm *fsm, struct raft_buffer *bufs[],
		   unsigned *n_bufs);
int snapshot_restore(struct raft_fsm *fsm, struct raft_buffer *buf);
void snapshot_hold(struct repl *repl, struct disk_request *put);
void snapshot_abort(struct repl *repl);
/* Encode a slice; false: nothing more to do. */
bool snapshot_turn(struct repl *repl);
void hash_remember(struct repl *repl);
bool hash_agrees(const struct repl *repl, uint64_t index, uint64_t hash);

/* lead.c */
bool lead_serving(const struct repl *repl);
/* Propose what is due. `paused`: nothing may be sealed in this turn. */
void lead_turn(struct repl *repl, bool paused);
/* When, on the monotonic clock, there is something to do. */
uint64_t lead_wake(struct repl *repl);
/* An entry that we have proposed was applied. */
void lead_applied(struct repl *repl, uint64_t index, const struct entry *entry);
/* Let go of what isn't proposed: nothing of it happened. */
void lead_clear(struct repl *repl);

/* propose.c */
/* Proposed and not yet applied. */
size_t propose_inflight(const struct repl *repl);
/* One of ours was applied: measure. */
void propose_applied(struct repl *repl, uint64_t index);
/* Let go of what was applied or lost. */
void propose_reclaim(struct repl *repl);
/* The entry's index; 0: not now, nothing happened, or the repl has failed. */
raft_index propose(struct repl *repl, uint64_t stamp, const struct sealed *ops);

/* read.c */
void read_turn(struct repl *repl, uint64_t now);
uint64_t read_wake(const struct repl *repl);
int read_message(struct repl *repl, uint64_t from, const uint8_t *bytes,
		 size_t len);
/* Refuse all that wait, at once. */
void read_close(struct repl *repl);

#endif

/* One Raft group on libraft: a replicated core.
 *
 * Takes operations while it leads, packs them into entries, has libraft
 * replicate these, applies what is committed to the core, and tells what came
 * of it. Its world is a struct raft_io (the disk), a struct env (time) and
 * `send` (the links); all of it runs on one thread. README in this folder
 * explains it.
 *
 * `send`, `linked`, `output`, `news` and `restored` are called from inside
 * repl_start, repl_turn, repl_receive and the callbacks of the raft_io; they
 * may call repl_submit, repl_read and what only looks. All others are called
 * from repl_turn (and reads from repl_close), and may call anything but
 * repl_turn, repl_close and repl_free. */
#ifndef HF_REPL_REPL_H
#define HF_REPL_REPL_H

#include "base/env.h"
#include "codec/frame.h"
#include "core/core.h"

#include <raft.h>

struct repl;

struct repl_member {
	uint64_t id;
	const char *address;
};

struct repl_config {
	uint64_t id;
	const struct repl_member *members; /* all voters, this one included;
					      read until repl_start returns */
	size_t members_len;
	uint32_t election_ms;
	/* 0: the defaults of repl/limits.h, which suit everybody; tests make
	 * them small. */
	uint32_t heartbeat_ms, tick_ms;
	uint32_t snapshot_threshold, snapshot_trailing; /* entries */
	uint32_t image_slice;                           /* objects a turn */
	uint32_t append_timeout_ms; /* a write that takes longer has failed */
	uint32_t inflight_max;      /* entries proposed and not yet applied */
	uint64_t check_every;       /* of core_check_every */
	uint64_t hash_every;        /* entries between two hashes in the log */
	const struct mem *mem;
	/* Switches guards off by number, for tests: bit n is guard n of
	 * repl/guard.h. */
	uint32_t guards_off;
};

/* All required but `news` and `restored`. `arg` is the config's owner. */
struct repl_calls {
	/* Send these bytes to a member, best effort: they may be lost. The
	 * bytes are the caller's. Never calls back. */
	void (*send)(void *arg, uint64_t to, enum lane lane,
		     const uint8_t *bytes, size_t len);
	/* Could bytes be sent now? Else libraft is told "no connection". */
	bool (*linked)(void *arg, uint64_t to);
	/* An entry was applied while this member serves as leader. */
	void (*output)(void *arg, const struct output *output);
	/* On every member, whoever leads: an entry that was applied has changed
	 * what watches show (OUTPUT_CHANGED). On the hot path. */
	void (*news)(void *arg, const struct output *output);
	/* A snapshot has taken the state's place: what happened up to
	 * repl_applied was not told. */
	void (*restored)(void *arg);
	/* The leader, the term, or whether this member serves has changed:
	 * repl_leader, repl_term, repl_serving. */
	void (*changed)(void *arg);
	/* This member's part has ended (a failed disk, a damaged log, a state
	 * that differs): it serves no more. Once. */
	void (*failed)(void *arg, int rc, const char *text);
};

/* `io` is the disk: what raft_uv_init or the simulator made, with its send,
 * time and random of no consequence. Its `data` is ours while the repl lives.
 * It stays the caller's; repl_close calls its close, and its memory is needed
 * until that has completed. `calls` are needed as long as the repl. Errors:
 * HF_ENOMEM, HF_EIO, HF_ECORRUPT, HF_EINVAL; `error` gets HF_ERROR_TEXT bytes
 * at most. */
int repl_open(struct repl **repl, const struct repl_config *config,
	      struct env *env, struct raft_io *io,
	      const struct repl_calls *calls, void *arg, char *error);

/* Write the members to a disk that is empty, load the log, begin. Errors as
 * repl_open; then repl_close. Blocks on the disk. */
int repl_start(struct repl *repl, char *error);

/* Ends everything; `done` is called once, later or inside, when libraft has let
 * go of the io, or at once if it may never (after a failed or stuck write: then
 * `clean` is false, and libraft's memory is freed only if the io's close
 * completes after all, or given up). Reads that wait are refused. repl_free
 * after that. NULL-safe. */
void repl_close(struct repl *repl, void (*done)(void *arg, bool clean),
		void *arg);
void repl_free(struct repl *repl);

/* Call once in each turn of the loop, after all readable input was handed over.
 * Advances the leader's clock by at most one election timeout (`paused`: more
 * time than that has passed, so input may be waiting: nothing is sealed in this
 * turn), seals and proposes batches, ticks, encodes snapshot slices, watches
 * appends. Answers when, on the monotonic clock, it wants the next turn. */
uint64_t repl_turn(struct repl *repl);

/* A message from a member's repl. Validates it; HF_ECORRUPT: close the link. */
int repl_receive(struct repl *repl, uint64_t from, const uint8_t *bytes,
		 size_t len);

/* Put an operation into the next entry. `bytes` is op_encode's of it. 0;
 * HF_ENOLEADER: this member doesn't serve: nothing happened; HF_EBUSY: overload
 * or no memory (acquires and opens are refused first, renewals last): nothing
 * happened. After 0 it may still be lost with the leadership. */
int repl_submit(struct repl *repl, const struct op *op, const uint8_t *bytes,
		size_t len);

/* Read index: `cb` runs from a later turn: 0, and the core may be read now as
 * of a time after this call; HF_ENOLEADER: this member isn't (any more) the
 * leader. All reads that wait share a round of messages. */
struct repl_read { /* caller-owned until cb */
	void (*cb)(struct repl_read *read, int rc);
	struct repl_read *next;
	uint64_t index;
	uint64_t round;
};
void repl_read(struct repl *repl, struct repl_read *read);

/* Another one after a snapshot was installed: don't keep it over a turn. */
const struct core *repl_core(const struct repl *repl);
uint64_t repl_leader(const struct repl *repl); /* 0: none known */
uint64_t repl_term(const struct repl *repl);
/* Leader, and the entry of its own term has been applied. */
bool repl_serving(const struct repl *repl);
/* Index of the last entry of ours that was applied; libraft has others. */
uint64_t repl_applied(const struct repl *repl);
bool repl_failed(const struct repl *repl);
/* Since repl_open. */
struct repl_stats {
	uint64_t entries, ops, snapshots_taken, snapshots_installed;
	uint64_t snapshot_bytes; /* of those taken */
	uint64_t guarded[32];    /* how often each guard stepped in, by
				   its number in repl/guard.h */
	uint64_t elections;      /* won by this member */
};
void repl_stats(const struct repl *repl, struct repl_stats *stats);

/* How long what waits here for an entry will take, at the pace of late. */
uint64_t repl_backlog_us(const struct repl *repl);

/* Ask the most caught-up other voter to take over; best effort. */
void repl_transfer(struct repl *repl);

#endif

/* A few members of one group in one process and in virtual time: for tests of
 * lib/repl.
 *
 * Each has a clock, a disk that outlives it, and links on which messages can be
 * looked at, held up or lost. Nothing is random but by the seed. A failed step
 * of the machinery itself ends the test. */
#ifndef HF_TEST_FAKEIO_H
#define HF_TEST_FAKEIO_H

#include "lib/random.h"

#include "base/list.h"
#include "codec/entry.h"
#include "codec/raftmsg.h"
#include "holdfast.h"
#include "repl/internal.h"

#define FAKE_MEMBERS 5
#define FAKE_OUTPUTS 4096

struct fake_entry {
	raft_term term;
	enum raft_entry_type type;
	struct raft_buffer buf;
};

/* What a crash leaves behind. */
struct fake_disk {
	raft_term term;
	raft_id vote;
	raft_index start; /* of the first entry */
	struct fake_entry *entries;
	size_t len, cap;
	struct raft_snapshot *snapshot; /* one buffer; NULL: none */
};

struct fake_op; /* one that the disk hasn't done yet */
struct fake;

struct fake_member {
	struct fake *fake;
	uint64_t id;
	struct env env;
	struct raft_io io;
	struct fake_disk disk;
	struct list ops;
	uint64_t next_append;
	raft_io_tick_cb tick;
	raft_io_close_cb close_cb;
	uint64_t tick_us, tick_at;
	struct repl *repl;
	struct repl_config config;
	uint64_t wake;
	bool up, closed, clean;
	uint64_t paused_until;
	uint64_t lag; /* how far its raw clock is behind: may only grow */

	/* Faults of the disk. */
	bool stuck;         /* nothing is ever done */
	bool fail_append;   /* the next one done fails */
	bool refuse_append; /* the next one asked for is refused */
	bool fail_term, fail_vote, refuse_put, fail_put;
	int fail_get, fail_load; /* with this status */
	uint64_t disk_us;        /* how long an operation takes */
	uint64_t get_us;

	/* What it said. */
	struct output outputs[FAKE_OUTPUTS];
	size_t outputs_len;
	size_t changes, failures;
	int failed;
	char text[HF_ERROR_TEXT];
	size_t sent, installs; /* messages; snapshots */
	size_t turns;
	size_t terms_set, placeholders; /* stored */
};

struct fake_message {
	struct list link;
	uint64_t at, from, to;
	enum lane lane;
	size_t len;
	uint8_t *bytes;
};

struct fake {
	uint64_t now;
	struct random random;
	size_t len;
	struct fake_member members[FAKE_MEMBERS];
	struct list messages;
	bool cut[FAKE_MEMBERS + 1][FAKE_MEMBERS + 1];  /* from, to */
	bool down[FAKE_MEMBERS + 1][FAKE_MEMBERS + 1]; /* not linked */
	uint64_t latency_us, bulk_us;
	/* Called with each message sent; false: it is lost. `at` may be
	 * changed. */
	bool (*filter)(struct fake *fake, struct fake_message *m, void *ctx);
	void *filter_ctx;
};

/* Members 1 to len with this config but for ids and members; not started. */
void fake_init(struct fake *fake, size_t len, const struct repl_config *config);
/* Crash everybody and free everything. */
void fake_free(struct fake *fake);

struct fake_member *fake_at(struct fake *fake, uint64_t id);
/* Start from what is on the disk: repl_open's or repl_start's result. */
int fake_start(struct fake *fake, uint64_t id);
void fake_start_all(struct fake *fake);
/* Close in an orderly way, as far as it goes, and free the repl. */
void fake_stop(struct fake *fake, uint64_t id);
/* Forget it: the disk keeps what was done. */
void fake_crash(struct fake *fake, uint64_t id);

/* Let this much time pass. */
void fake_run(struct fake *fake, uint64_t us);
/* Until a member serves: it; NULL: not within ten seconds. */
struct fake_member *fake_elect(struct fake *fake);
struct fake_member *fake_leader(struct fake *fake); /* serving now, or NULL */
/* Until all that are up have applied the same entries; false: within 10 s. */
bool fake_settle(struct fake *fake);
void fake_isolate(struct fake *fake, uint64_t id, bool cut);
void fake_pause(struct fake *fake, uint64_t id, uint64_t us);

/* Operations of node `node`. Answer repl_submit's result. */
int fake_open(struct fake_member *m, uint64_t node, uint64_t ttl_us);
int fake_renew(struct fake_member *m, uint64_t node, uint64_t session);
int fake_acquire(struct fake_member *m, uint64_t node, uint64_t session,
		 uint64_t seq, const char *name);
int fake_release(struct fake_member *m, uint64_t node, uint64_t session,
		 uint64_t seq, uint64_t token);
/* Open one and wait for the answer: its id. */
uint64_t fake_session(struct fake *fake, uint64_t node, uint64_t ttl_us);
/* The newest output of this kind that a member gave; NULL: none. */
const struct output *fake_last(const struct fake_member *m,
			       enum output_kind kind, enum op_kind op);

/* Decode what a disk has at `index`; false: nothing, or no entry of ours. */
bool fake_entry(const struct fake_member *m, raft_index index,
		struct entry *entry, struct op_array *ops);
raft_index fake_last_index(const struct fake_member *m);

/* Hand a Raft message to a member, as if `from` had sent it. */
void fake_receive(struct fake_member *m, uint64_t from,
		  const struct raft_message *message);

#endif

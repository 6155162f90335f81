/* What stands between libraft and the world: one struct raft_io around another.
 *
 * libraft sees `io`; the disk behind it is `inner`. Messages don't go to the
 * inner one: they are encoded and given to guard_world's send, and what comes
 * in is given to guard_receive. On the way each known fault of libraft 0.22.1
 * is stopped by a small function of its own: those on received messages are in
 * filter.c, those on sent ones in send.c, those on the disk in guard.c. Every
 * struct raft_io is driven through this, the real one and the simulator's, so
 * that both run the same consensus.
 *
 * libraft handles errors of its raft_io badly: it frees twice, or goes on. So
 * no function of `io` ever answers an error once it has started. Instead the
 * guard fails: from then on nothing is sent, received, written or completed,
 * and guard_world's failed tells why. Such a request is kept until guard_close,
 * which cancels it.
 *
 * The memory of a guard (and so of struct raft) lives until the inner io has
 * closed and has called back every request; guard_abandon lets it do so alone.
 */
#ifndef HF_REPL_GUARD_H
#define HF_REPL_GUARD_H

#include "base/buf.h"
#include "base/env.h"
#include "base/list.h"
#include "base/mem.h"
#include "codec/frame.h"
#include "holdfast.h"
#include "repl/limits.h"

#include <raft.h>

/* The README has the table of what each stops. Bit n of guards_off switches
 * guard n off, for tests that show why it is there. */
enum guard_number {
	GUARD_STALE_TERM = 1,
	GUARD_SNAPSHOT_TERM = 2,
	GUARD_LATE_SNAPSHOT = 3,
	GUARD_LOADED = 4,
	GUARD_COMMIT = 5,
	GUARD_REJECTION = 6,
	GUARD_PRE_VOTE = 7,
	GUARD_SET_TERM = 8,
	GUARD_COMPACTED = 9,
	GUARD_RESEND = 10,
	GUARD_BYTES = 11,
	GUARD_SNAPSHOT_GET = 12,
	GUARD_TWO_LEADERS = 13,
	GUARD_CONFLICT = 14,
	GUARD_STRANGER = 15,
	GUARD_LATE_VOTE = 16,
	GUARDS
};

struct guard;
struct disk_request;

struct guard_world {
	/* As repl_calls. */
	void (*send)(void *arg, uint64_t to, enum lane lane,
		     const uint8_t *bytes, size_t len);
	bool (*linked)(void *arg, uint64_t to);
	/* Once. Called from inside libraft: only take note. */
	void (*failed)(void *arg, int rc, const char *text);
	/* libraft wants a snapshot stored whose buffers are a placeholder; the
	 * real ones come later with disk_put_late. */
	void (*hold)(void *arg, struct disk_request *put);
	/* The held request is being cancelled; forget it. */
	void (*unhold)(void *arg);
	/* A snapshot is on the disk: `taken` here, or installed. */
	void (*stored)(void *arg, bool taken);
	void (*closed)(void *arg);
};

/* One request of libraft's to the disk. */
enum disk_kind { DISK_APPEND, DISK_PUT, DISK_GET };
struct disk_request {
	struct list link; /* in guard.requests, in the order of asking */
	struct guard *guard;
	enum disk_kind kind;
	bool given; /* to the inner io, which hasn't called back yet */
	bool spare; /* one of guard.spares */
	uint64_t since;
	unsigned trailing;
	const struct raft_snapshot *snapshot; /* libraft's; of a put */
	struct raft_snapshot own; /* given in its stead, with late buffers */
	void (*release)(void *bufs);
	void *bufs;
	union {
		struct raft_io_append append;
		struct raft_io_snapshot_put put;
		struct raft_io_snapshot_get get;
	} inner;
	union {
		struct raft_io_append *append;
		struct raft_io_snapshot_put *put;
		struct raft_io_snapshot_get *get;
	} outer;
};

struct sent {
	struct raft_io_send *req;
	int status;
};

/* A snapshot on its way to a member. */
struct install {
	raft_id to; /* 0: unused */
	raft_term term;
	raft_index index;
	uint64_t since;
};

struct guard {
	struct raft raft;
	struct raft_io io;
	struct raft_fsm fsm; /* the owner fills it in */
	struct raft_io *inner;
	struct env *env;
	const struct mem *mem;
	const struct guard_world *world;
	void *arg;
	uint32_t off;
	uint64_t counts[GUARDS];

	uint32_t tick_ms;
	uint64_t append_timeout_us;
	raft_io_tick_cb tick;
	raft_io_recv_cb recv;
	raft_io_close_cb close_cb;

	bool started, failed, closing, closed, abandoned;
	bool disk_failed; /* so that the inner io may never close */
	raft_term term;   /* on the disk */
	/* A clock that stands still while the process is paused: what took long
	 * on this one was really slow. */
	uint64_t uptime;
	struct list requests;
	struct disk_request spares[SPARE_REQUESTS];
	bool answering_stale; /* libraft refuses an AppendEntries of an old term
			       */
	struct buf message;   /* used again from send to send */
	struct sent *sends;
	size_t sends_len, sends_cap;
	struct sent spare_sends[SPARE_SENDS];
	size_t spare_sends_len;
	raft_index got_index; /* the last snapshot read for sending */
	raft_term got_term;
	struct install installs[HF_MEMBERS_MAX];
};

struct guard_config {
	uint32_t tick_ms;
	uint32_t append_timeout_ms;
	uint32_t off;
	const struct mem *mem;
};

/* The caller then fills in guard->fsm and calls raft_init with &guard->raft and
 * &guard->io. NULL: out of memory. */
struct guard *guard_create(const struct guard_config *config, struct env *env,
			   struct raft_io *inner,
			   const struct guard_world *world, void *arg);
/* Of a guard whose raft_init failed or that has closed. NULL-safe. */
void guard_destroy(struct guard *g);

/* Hand over a decoded message, whose server_id and server_address are set. Its
 * memory passes. */
void guard_receive(struct guard *g, struct raft_message *m);

/* Once a turn: `elapsed_us` of the clipped clock have passed. Completes sends,
 * looks for writes that take too long. */
void guard_turn(struct guard *g, uint64_t elapsed_us);
/* Fail from outside: `text` is copied by whoever gets it. */
void guard_fail(struct guard *g, int rc, const char *text);

/* Cancel what the inner io doesn't have, close libraft and the inner io. Calls
 * world->closed, later or inside. */
void guard_close(struct guard *g);
/* Don't wait for that: the guard calls nobody any more and frees itself then.
 */
void guard_abandon(struct guard *g);

/* Between the files of the guard. */

static inline struct guard *guard_of_io(struct raft_io *io)
{
	return container_of(io, struct guard, io);
}

/* Failed or closing: nothing is asked of the world any more. */
static inline bool guard_dead(const struct guard *g)
{
	return g->failed || g->closing;
}

/* The situation of this guard has arisen: counts it; false: it is switched
 * off. */
bool guard_on(struct guard *g, enum guard_number n);
/* false: drop the message. */
bool guard_filter(struct guard *g, struct raft_message *m);
int guard_send(struct raft_io *io, struct raft_io_send *req,
	       const struct raft_message *message, raft_io_send_cb cb);
void guard_complete_sends(struct guard *g);
/* Is a snapshot that ends at `index` on its way to this member? */
bool guard_installing(const struct guard *g, raft_id to, raft_index index);
/* The member has everything up to `index`. */
void guard_install_done(struct guard *g, raft_id to, raft_index index);
/* Links that went down took with them what was on its way. */
void guard_forget_installs(struct guard *g);

#endif

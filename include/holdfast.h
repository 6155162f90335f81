/* holdfast: leases and fenced locks in your own processes, without a server.
 *
 * A process opens a node. Nodes that name each other as members form one
 * cluster, which stays available while a majority of them is up; with only a
 * directory given, a node is a cluster of one.
 *
 * A lock protects nothing by itself: a process may be paused for as long as its
 * lease and wake up believing that it still holds. Give the fencing token to
 * whatever the lock protects, and let that refuse a token below the largest it
 * has seen (hf_guard). See M. Kleppmann, "How to do distributed locking", 2016.
 *
 * Threads. Every function here may be called from any thread unless it says
 * otherwise. Each callback runs exactly once, and one at a time:
 *  - A node runs one thread of its own, and callbacks run on that.
 *  - With hf_options.loop it runs no thread, but inside a libuv loop of the
 *    caller's; the node's thread is the loop's.
 *  - With hf_options.dispatch it runs its own thread, and callbacks wait until
 *    some thread calls hf_dispatch; hf_fd says when.
 *
 * In a callback everything is allowed that doesn't wait: all that ends in
 * _start, so unlocking is; hf_lock_cancel; all that looks (hf_lock_token,
 * hf_lock_safe_ms, hf_status, ...). What waits (hf_trylock, hf_close, and all
 * with a timeout_ms but the _start ones) would stop the node if called on its
 * own thread: there it answers HF_EINCALLBACK and does nothing; in a loop's
 * thread outside of callbacks, too. In hf_dispatch the node goes on meanwhile,
 * and all is allowed but hf_close and hf_dispatch itself: HF_EINCALLBACK.
 *
 * Times are in milliseconds. HF_FOREVER waits without end. Deadlines are those
 * of the caller's own clock.
 *
 * Results are 0 or a negative hf_error. Structs that the caller passes begin
 * with `size`, which must be sizeof the struct; other fields that are zero mean
 * the default. */
#ifndef HOLDFAST_H
#define HOLDFAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HF_API __attribute__((visibility("default")))
#define HF_FOREVER UINT32_MAX
#define HF_NAME_MAX 512   /* bytes in a lock's name; it may hold any bytes */
#define HF_MEMBERS_MAX 15 /* members of a cluster */
#define HF_PARTS_MAX 16   /* locks of one request */
#define HF_SHOWN_MAX 1024 /* bytes that a hold shows */
#define HF_REASON_MAX 128 /* bytes of a revocation's reason */
/* Bytes of a value; the cluster's own limit may be lower. */
#define HF_VALUE_MAX 262144

/* Numbers never change and are never used again. Their range says what became
 * of the request: hf_outcome. */
#define HF_ERRORS(X)                                                           \
	/* nothing happened */                                                 \
	X(HF_ENOMEM, -1, "out of memory")                                      \
	X(HF_EINVAL, -2, "invalid argument or option")                         \
	X(HF_EBUSY, -3, "overloaded; try again later")                         \
	X(HF_ETIMEDOUT, -4, "the deadline passed; not held")                   \
	X(HF_ECANCELED, -5, "cancelled by the caller; not held")               \
	X(HF_ENOLEADER, -6, "no leader could be reached in time")              \
	X(HF_ECLOSED, -7, "the node is closed")                                \
	X(HF_EFORKED, -8, "the handle belongs to the parent process")          \
	X(HF_EINCALLBACK, -9, "a blocking call inside a callback")             \
	X(HF_EIO, -10, "input or output failed")                               \
	X(HF_EINUSE, -11, "the directory is in use by another process")        \
	X(HF_EIDENTITY, -12, "the directory belongs to another node")          \
	X(HF_ECORRUPT, -13, "the stored data is damaged")                      \
	X(HF_EFILESYSTEM, -14, "the file system is not suitable")              \
	X(HF_EADDRESS, -15, "the address cannot be used")                      \
	X(HF_EFAILED, -16, "this member has failed and has left the group")    \
	X(HF_ERANK, -17, "the lock's rank is not above those held")            \
	X(HF_EGAP, -18, "the past is gone; changes were not told")             \
	/* refused for good */                                                 \
	X(HF_EHELD, -100, "held by another session")                           \
	X(HF_ENOTHELD, -101, "not held")                                       \
	X(HF_ESESSION, -102, "the session has ended; its holds are lost")      \
	X(HF_ELIMIT, -103, "a limit of the cluster was reached")               \
	X(HF_EPERMITS, -104, "the number of permits differs from the lock's")  \
	X(HF_EFENCED, -105, "the fencing token is older than one seen before") \
	X(HF_EOLDBOOT, -106, "a newer process of this node has taken over")    \
	X(HF_ESTALE, -107, "the request is older than the session's window")   \
	X(HF_EDEADLK, -108, "waiting for this would be a deadlock")            \
	X(HF_EREVOKED, -109, "the hold was taken away")                        \
	X(HF_EEXPIRED, -110, "the hold was kept for longer than it may be")    \
	X(HF_EVERSION, -111, "the value has another version")                  \
	X(HF_ENOVALUE, -112, "there is no such value")                         \
	X(HF_EKIND, -113, "the name is in use for something else")             \
	X(HF_ELINE, -114, "the line is longer than the caller wants")          \
	X(HF_ENOCANDIDATE, -115, "the node named does not wait for this lock") \
	X(HF_ERANGE, -116, "the counter would leave its range")                \
	/* outcome unknown */                                                  \
	X(HF_EUNKNOWN, -200, "the outcome is unknown; it is being settled")

enum hf_error {
	HF_OK = 0,
#define X(name, number, text) name = number,
	HF_ERRORS(X)
#undef X
};

/* What a result says about the request. (Of hf_barrier_leave: HF_ETIMEDOUT is
 * about the waiting for others.) */
enum hf_outcome {
	HF_OUTCOME_DONE = 0,    /* it took effect */
	HF_OUTCOME_NOTHING = 1, /* it had no effect; it may be repeated */
	HF_OUTCOME_REFUSED = 2, /* the cluster refused it for good */
	HF_OUTCOME_UNKNOWN = 3  /* it may or may not take effect */
};

/* A text that never changes and is never freed; any number has one. */
HF_API const char *hf_strerror(int rc);
HF_API enum hf_outcome hf_outcome(int rc);

/* "0.1.0" */
HF_API const char *hf_version(void);

/* --- a node ------------------------------------------------------------- */

struct hf_node;

struct hf_member {
	uint64_t id;         /* 1 or more, unique in the cluster */
	const char *address; /* "host:port", "[v6]:port" */
};

/* How sure the node is of its session, and so of every hold. */
enum hf_session_state {
	HF_SESSION_NONE = 0,     /* none yet: nothing is held */
	HF_SESSION_SAFE = 1,     /* certain */
	HF_SESSION_JEOPARDY = 2, /* certain, but renewals are missing */
	HF_SESSION_UNSURE = 3,   /* hf_lock_safe_ms is 0; may become SAFE again
				    with the same tokens */
	HF_SESSION_LOST = 4      /* the cluster ended it; all holds are gone */
};

enum hf_event_type {
	HF_EVENT_SESSION = 1, /* the session's state changed */
	HF_EVENT_LEADER = 2,  /* another leader, or none, is known */
	HF_EVENT_LOST = 3,    /* one hold was lost; see `token` and `name` */
	HF_EVENT_FAILED = 4,  /* this member has failed: `rc` and `text` */
	HF_EVENT_REVOKED = 5 /* a hold will be taken away in `left_ms`: `token`,
				`name`, by node `by`, `text` says why */
};

struct hf_event {
	enum hf_event_type type;
	enum hf_session_state session; /* state now */
	uint64_t leader;               /* member id; 0: none known */
	uint64_t term;
	uint64_t token;
	const char *name; /* of the lock; not terminated, name_len bytes */
	size_t name_len;
	int rc;
	const char *text; /* valid during the callback, like `name` */
	uint64_t by;
	uint32_t left_ms;
};

/* Runs where callbacks do. Events come in the order in which they happened, a
 * failure after all else that there is to tell, the last before hf_close
 * returns. */
typedef void (*hf_event_cb)(struct hf_node *node, const struct hf_event *event,
			    void *arg);

struct uv_loop_s; /* libuv's, whose header isn't needed here */

struct hf_options {
	size_t size;
	/* Where the member keeps its log: a directory of its own on a local
	 * file system. Made if missing. Required. */
	const char *dir;
	/* The cluster's name: nodes of clusters with other names are refused.
	 * Default "holdfast". */
	const char *cluster;
	/* All members, this one included, the same on each; none: a cluster of
	 * one, which listens nowhere. Strings are copied. */
	const struct hf_member *members;
	size_t members_len;
	uint64_t id; /* this member's; default 1 in a cluster of one */
	/* A session that isn't renewed for this long ends, and its holds with
	 * it. A lower bound: a failure is noticed at the latest after ttl + one
	 * election + 1 s, plus the lock delay. At least 500, default 10000. */
	uint32_t ttl_ms;
	/* Default ttl/4, at most ttl/3. */
	uint32_t renew_ms;
	/* Taken off every lease for what no clock shows: the time between
	 * hf_lock_safe_ms and the act that it guards. Default ttl/20 + 10,
	 * at most ttl/4. */
	uint32_t margin_ms;
	/* How far each of two clocks may run wrong. Beyond it (restored images
	 * of machines, a hypervisor's pause) only the fencing token protects.
	 * Default 1000, at most 100000. */
	uint32_t drift_ppm;
	/* A follower that hears nothing for one to two times this long asks
	 * for an election. At least 100, default 300. */
	uint32_t election_ms;
	/* Treat HF_SESSION_UNSURE as lost: the session is given up. */
	bool unsure_is_lost;
	/* Plain TCP is for loopback only, unless this is set. */
	bool plain_tcp;
	/* Take over a directory that was copied or moved from another machine.
	 * The operator vouches that its former owner is dead. */
	bool adopt;
	hf_event_cb on_event;
	void *arg; /* for on_event */
	/* Run inside this libuv loop (uv_loop_t; libuv 1.44 or later), not in a
	 * thread. hf_open is called by the thread that runs the loop, and reads
	 * the log before it returns. Until hf_close_start has called back, the
	 * node keeps the loop running, and the handles that it has there, as
	 * uv_walk shows, must not be touched. While the loop doesn't run,
	 * nothing is renewed, and calls in other threads wait. */
	struct uv_loop_s *loop;
	/* Callbacks run in hf_dispatch only. Not together with `loop`. */
	bool dispatch;
};

/* Long enough for any message of hf_open. */
#define HF_ERROR_TEXT 256

/* Open a node. Returns once it has read its log; it may not know a leader yet.
 * `error`, if not NULL, gets HF_ERROR_TEXT bytes at most: which option was
 * wrong, why, and what is right. Errors: HF_EINVAL, HF_EINUSE, HF_EIDENTITY,
 * HF_ECORRUPT, HF_EFILESYSTEM, HF_EADDRESS, HF_EIO, HF_ENOMEM. */
HF_API int hf_open(struct hf_node **node, const struct hf_options *options,
		   char *error);

/* Ask the cluster to end the session, so that its holds pass on at once; wait
 * for that at most `timeout_ms`, then end the thread and free the node.
 * Requests in flight get HF_ECLOSED or HF_EUNKNOWN. Locks taken with this node
 * must not be used afterwards. NULL does nothing. In a forked child it frees
 * nothing and answers HF_EFORKED. With `dispatch` it waits for an hf_dispatch
 * that is under way, and runs the callbacks that are left. HF_EINCALLBACK: in a
 * callback, or on a loop's thread; nothing was done. HF_ECLOSED: it is being
 * closed already. */
HF_API int hf_close(struct hf_node *node, uint32_t timeout_ms);

/* The same without waiting, in callbacks too: 0, and `cb` will run; or an
 * error, and it won't: HF_EINVAL, HF_EFORKED, HF_ECLOSED (it is being closed
 * already), HF_EBUSY (hf_open hasn't returned yet). `cb` is the last callback
 * of all. When it runs, the node is gone and has given everything back:
 *  - On the node's own thread, which ends with `cb`.
 *  - In the loop of hf_options.loop, in which nothing of the node is left.
 *  - With `dispatch`, in hf_dispatch, and the descriptor is gone, too. Only one
 *    thread may call hf_dispatch from hf_close_start on, and not again after
 *    `cb`. */
typedef void (*hf_close_cb)(void *arg);
HF_API int hf_close_start(struct hf_node *node, uint32_t timeout_ms,
			  hf_close_cb cb, void *arg);

/* --- dispatching ---------------------------------------------------------- */

/* With hf_options.dispatch: a descriptor that is readable (poll, epoll) as long
 * as there is a callback to run. The library's: don't read or close it.
 * HF_EINVAL: not opened so. HF_EFORKED. */
HF_API int hf_fd(struct hf_node *node);

/* Run the callbacks that wait at its begin, in the order in which their results
 * came to be, on this thread; returns how many. Others come in the next call,
 * also what these cause. A second thread waits for the first. The result of a
 * request counts from its callback on: until then hf_lock_token is 0, and its
 * memory must stay. Of events that nobody dispatches some dozens are kept; then
 * newer ones stand for those before, but each hold that is lost and wasn't
 * given back meanwhile is told. Events above the first 16 may come behind
 * callbacks of younger requests. HF_EINVAL: not opened for dispatching.
 * HF_EINCALLBACK: in a callback that it runs. HF_EFORKED. */
HF_API int hf_dispatch(struct hf_node *node);

/* --- locks --------------------------------------------------------------- */

enum hf_mode {
	HF_EXCLUSIVE = 0, /* alone */
	HF_SHARED = 1,    /* beside other shared holds */
	HF_PERMITS = 2,   /* `permits` of `limit`: a semaphore */
	HF_BARRIER = 3    /* waits for `limit` to come: hf_barrier_enter */
};

/* On whose behalf a request is made: `owner` is a thread of the process, or
 * whatever hf_lock_options.owner says. */
struct hf_owner {
	uint64_t node, session, owner;
};

#define HF_DEADLOCK_MAX 8

/* Why a request was refused: the waits of others with which it would wait for
 * ever, the request itself not among them. */
struct hf_deadlock {
	size_t len; /* how many; the first HF_DEADLOCK_MAX are here */
	struct {
		struct hf_owner owner;
		size_t name_len;
		char name[HF_NAME_MAX]; /* of the lock that it waits for */
	} waits[HF_DEADLOCK_MAX];
};

struct hf_lock_options {
	size_t size;
	enum hf_mode mode;
	uint32_t permits; /* HF_PERMITS: how many to take, default 1 */
	uint32_t limit;   /* HF_PERMITS: how many there are. The first to name
			     a lock sets it; HF_EPERMITS on disagreement; 0:
			     whatever was set. HF_BARRIER: how many come */
	/* How long nobody gets the lock after this hold ends by failure: the
	 * session's end, an expiry, a revocation; not a release. Default 0. */
	uint32_t delay_ms;
	/* Who asks, within the session. A re-entrant request waits for itself,
	 * and that is a deadlock. The search for deadlocks takes it that an
	 * owner does nothing else while it waits: what it holds stays held.
	 * Default: of the blocking calls the calling thread, by an id that is
	 * never used again; of the others the request by itself, so that it
	 * is part of no deadlock. */
	uint64_t owner;
	int32_t priority; /* -128 to 127, higher goes first; default 0 */
	/* It may be held for so long; then it ends (HF_EEXPIRED), and
	 * hf_lock_safe_ms is 0 before, by the node's margin_ms: below that, it
	 * is 0 from the beginning. At most 12 days, as all that is longer than
	 * a wait. Default 0: as long as the session. */
	uint32_t hold_ms;
	/* A lease of its own beside the session's: it ends unless
	 * hf_lock_renew is called in time. Default 0: none. */
	uint32_t lease_ms;
	/* HF_ELINE instead of waiting at a place (from 1) above this. Default
	 * 0: any. */
	uint32_t line_max;
	/* Locks with ranks are taken in rising order by an owner: HF_ERANK,
	 * without asking the cluster, if it holds or waits for one of the same
	 * or a higher rank. Default 0: none. */
	uint32_t rank;
	/* What the hold shows to who looks (hf_claims, hf_watch): a leader's
	 * address. Copied; at most HF_SHOWN_MAX. */
	const void *shown;
	size_t shown_len;
	struct hf_deadlock *deadlock; /* filled in on HF_EDEADLK; or NULL */
};

/* One of several locks that are taken together. */
struct hf_part {
	const void *name;
	size_t name_len;
	enum hf_mode mode;
	uint32_t permits, limit;
};

/* Work on its way to the node's thread: the library's, inside a hf_lock. */
struct hf_task {
	void (*run)(struct hf_task *task);
	struct hf_task *next;
};

/* One acquisition. The caller owns the memory, which may be anywhere, zeroed or
 * not; from hf_lock (or hf_lock_start) until hf_unlock has answered, or the
 * acquisition has failed, it must stay where it is. */
struct hf_lock {
	struct hf_node *node;
	uint64_t token; /* the fencing token; 0: not held */
	void *data;     /* the caller's, never touched */
	struct {        /* the library's */
		uint64_t session, to;
		void *claim, *wait;
		struct hf_task task;
		void (*cb)(struct hf_lock *lock, int rc);
		uint32_t timeout_ms, state, lost, how;
		uint32_t end; /* its state once `rc` has been told */
		int rc;
		uint64_t cap[2]; /* certain before these, of two clocks */
	} internal;
};

/* `rc` is the result of the request, as from the blocking call. */
typedef void (*hf_lock_cb)(struct hf_lock *lock, int rc);

/* Wait for a lock until `timeout_ms` have passed; 0 only tries: HF_EHELD (or
 * HF_ENOLEADER, HF_ETIMEDOUT, if no leader answers for 5 s). `options` may be
 * NULL: exclusive. On any error nothing is held, also where the outcome of an
 * attempt wasn't known: the node then cancels it by itself. An overloaded
 * leader is asked again until the deadline; then it is HF_EBUSY. Errors:
 * HF_EHELD, HF_ETIMEDOUT, HF_ECANCELED, HF_ENOLEADER, HF_ESESSION, HF_ELIMIT,
 * HF_EPERMITS, HF_EKIND, HF_EDEADLK, HF_ELINE, HF_ERANK, HF_EOLDBOOT, HF_EBUSY,
 * HF_EINVAL, HF_ENOMEM, HF_ECLOSED, HF_EFAILED, HF_EFORKED, HF_EINCALLBACK. */
HF_API int hf_lock(struct hf_node *node, struct hf_lock *lock, const char *name,
		   const struct hf_lock_options *options, uint32_t timeout_ms);
HF_API int hf_trylock(struct hf_node *node, struct hf_lock *lock,
		      const char *name, const struct hf_lock_options *options);

/* The same without waiting: 0, and `cb` will run; or an error, and it won't.
 * The name is copied; name_len bytes, any. */
HF_API int hf_lock_start(struct hf_node *node, struct hf_lock *lock,
			 const void *name, size_t name_len,
			 const struct hf_lock_options *options,
			 uint32_t timeout_ms, hf_lock_cb cb);

/* Several locks at once: all or nothing, one place in all lines; nothing is
 * held before all can be. The token of parts[i] is hf_lock_token() + i.
 * Everything else as hf_lock; hf_unlock gives all of them back. HF_EINVAL: a
 * name twice, a barrier, more than HF_PARTS_MAX. Modes and permits of `options`
 * don't count.
 */
HF_API int hf_lock_many(struct hf_node *node, struct hf_lock *lock,
			const struct hf_part *parts, size_t parts_len,
			const struct hf_lock_options *options,
			uint32_t timeout_ms);
HF_API int hf_lock_many_start(struct hf_node *node, struct hf_lock *lock,
			      const struct hf_part *parts, size_t parts_len,
			      const struct hf_lock_options *options,
			      uint32_t timeout_ms, hf_lock_cb cb);

/* Give up an acquisition that hasn't ended: 0, and its callback runs (or
 * hf_lock in another thread returns) with HF_ECANCELED. HF_ENOTHELD: it had
 * ended; its result stands. The memory of `lock` must outlive this call, too.
 * Brief, and allowed in callbacks. */
HF_API int hf_lock_cancel(struct hf_lock *lock);

/* Release. The hold counts as gone from the call on (hf_lock_safe_ms is 0).
 * 0: the cluster has confirmed it. HF_ESESSION, HF_EREVOKED, HF_EEXPIRED,
 * HF_ENOTHELD: it was lost before. A conversion that is pending ends first
 * (HF_ECANCELED), whatever the hold has become is given back. HF_EUNKNOWN: not
 * confirmed within `timeout_ms`; the node goes on until it is, or the session
 * has ended, and the memory of `lock` is the caller's again. */
HF_API int hf_unlock(struct hf_lock *lock, uint32_t timeout_ms);
HF_API int hf_unlock_start(struct hf_lock *lock, uint32_t timeout_ms,
			   hf_lock_cb cb);

/* Change what is held of one lock: HF_SHARED to HF_EXCLUSIVE and back, or the
 * number of permits. Down happens at once, keeps the token and lets others in.
 * Up waits before all who hold nothing, and keeps what is held meanwhile; it
 * brings a new, higher token (read hf_lock_token again). A second one who wants
 * to go up from shared while the first waits is refused at once: HF_EDEADLK.
 * Other errors as hf_lock, then the hold is as it was; HF_ENOTHELD,
 * HF_EREVOKED, HF_EEXPIRED, HF_ESESSION: it is lost. HF_EUNKNOWN: no leader
 * said within 5 s after the deadline whether it happened; the node finds out in
 * the background (hf_lock_token changes if it did), and the weaker of both
 * modes is certain. HF_EINVAL: to another kind of mode, of several locks or a
 * barrier, or while a conversion is pending. Its limit, lease and revocation
 * stay with the hold. */
HF_API int hf_lock_convert(struct hf_lock *lock, enum hf_mode mode,
			   uint32_t permits, uint32_t timeout_ms);
HF_API int hf_lock_convert_start(struct hf_lock *lock, enum hf_mode mode,
				 uint32_t permits, uint32_t timeout_ms,
				 hf_lock_cb cb);

/* Renew a hold's own lease (lease_ms). HF_EINVAL: it has none. HF_ENOTHELD,
 * HF_EREVOKED, HF_EEXPIRED, HF_ESESSION: it is lost. HF_EUNKNOWN: no answer
 * came in time; hf_lock_safe_ms says what is certain. */
HF_API int hf_lock_renew(struct hf_lock *lock, uint32_t timeout_ms);
HF_API int hf_lock_renew_start(struct hf_lock *lock, uint32_t timeout_ms,
			       hf_lock_cb cb);

/* Change what the hold shows. Copied. Errors as hf_lock_renew. HF_EUNKNOWN: no
 * answer came in time; it may still be shown. */
HF_API int hf_lock_show(struct hf_lock *lock, const void *shown,
			size_t shown_len, uint32_t timeout_ms);
HF_API int hf_lock_show_start(struct hf_lock *lock, const void *shown,
			      size_t shown_len, uint32_t timeout_ms,
			      hf_lock_cb cb);

/* Where an acquisition stands that waits, as this member knows it. */
struct hf_place {
	uint64_t place;       /* from 1; 0: it doesn't wait (any more) */
	uint64_t line;        /* how many wait */
	uint32_t estimate_ms; /* at the pace of late; HF_FOREVER: not known */
};
HF_API int hf_lock_place(struct hf_lock *lock, struct hf_place *place);

/* The fencing token, rising with each acquisition of a name, for ever; it stays
 * the same for the life of the hold. Below 2^63. 0: not held. */
HF_API uint64_t hf_lock_token(const struct hf_lock *lock);

/* For how long the hold is still certain. A look at local memory and clocks, no
 * message, no lock; 0 on waking from any pause beyond the lease. */
HF_API uint32_t hf_lock_safe_ms(const struct hf_lock *lock);

/* Ask the leader, and it a majority, whether the hold exists now. 0, or why it
 * doesn't: HF_ENOTHELD, HF_EREVOKED, HF_EEXPIRED, HF_ESESSION; HF_ETIMEDOUT and
 * HF_ENOLEADER say nothing. What is asked for a hold (this, hf_lock_convert,
 * hf_lock_renew, hf_lock_show) ends with HF_ENOTHELD when the hold is given
 * back meanwhile. */
HF_API int hf_lock_validate(struct hf_lock *lock, uint32_t timeout_ms);
HF_API int hf_lock_validate_start(struct hf_lock *lock, uint32_t timeout_ms,
				  hf_lock_cb cb);

/* --- elections, groups, barriers ------------------------------------------ */

/* A leader holds an exclusive lock: its token fences, hf_lock_safe_ms says how
 * long it leads for certain, hf_unlock resigns. This is hf_lock with `shown`
 * and `priority`. hf_watch with HF_WATCH_NOW observes, "no leader" included. */
HF_API int hf_campaign(struct hf_node *node, struct hf_lock *lock,
		       const char *name, const void *shown, size_t shown_len,
		       int32_t priority, uint32_t timeout_ms);

/* Release an exclusive hold of one lock to a node that waits for it (and for
 * nothing else), before all others. HF_ENOCANDIDATE: it doesn't wait;
 * HF_EINVAL: not such a hold; then the hold stays as it was. Else as hf_unlock;
 * after HF_EUNKNOWN it goes to the line if that node doesn't wait. */
HF_API int hf_handover(struct hf_lock *lock, uint64_t to, uint32_t timeout_ms);
HF_API int hf_handover_start(struct hf_lock *lock, uint64_t to,
			     uint32_t timeout_ms, hf_lock_cb cb);

/* Be present in a group until hf_unlock or the session's end: a shared hold.
 * hf_claims lists who is there and what they show. */
HF_API int hf_join(struct hf_node *node, struct hf_lock *lock, const char *name,
		   const void *shown, size_t shown_len, uint32_t timeout_ms);

/* A double barrier: wait until `parties` have come; then all are in. Who comes
 * later waits until all of them have left. One that fails is as one that left.
 * All must name the same number: HF_EPERMITS. The asynchronous way is
 * hf_lock_start with HF_BARRIER. */
HF_API int hf_barrier_enter(struct hf_node *node, struct hf_lock *lock,
			    const char *name, uint32_t parties,
			    uint32_t timeout_ms);
/* Leave, and wait until all have left. HF_ETIMEDOUT: this one has left, others
 * haven't. HF_EUNKNOWN: not even that was confirmed in time; it goes on in the
 * background. In any case the lock isn't held any more, but for HF_EINVAL: not
 * a barrier. hf_unlock leaves without waiting. */
HF_API int hf_barrier_leave(struct hf_lock *lock, uint32_t timeout_ms);
HF_API int hf_barrier_leave_start(struct hf_lock *lock, uint32_t timeout_ms,
				  hf_lock_cb cb);

/* --- values and counters ---------------------------------------------------
 */

/* Values have names of their own: a lock of the same name is something else.
 * What a cluster may hold is limited, and so is each one (64 KiB at first):
 * HF_ELIMIT.
 *
 * What all requests here may answer: HF_ETIMEDOUT, HF_ENOLEADER, HF_EBUSY: too
 * late, and it did not happen. HF_EUNKNOWN: it was sent, and no answer came in
 * time or before the session ended; it may have happened, or happen yet, once
 * at most: the node goes on until it knows, and keeps what it needs for that.
 * HF_EINVAL, HF_ENOMEM, HF_ECLOSED, HF_EFAILED, HF_EFORKED, HF_EINCALLBACK. One
 * that waits for its turn when the session ends is made in the next session. Of
 * two that are on their way at once either may be first. */

/* A request other than for a lock. The caller owns the memory, which must stay
 * where it is until the callback, or the blocking call's return. */
struct hf_request {
	struct hf_node *node;
	void *data; /* the caller's, never touched */
	/* What came of it: */
	uint64_t version; /* of the value: hf_put, hf_get, hf_await; of the one
			     in the way: HF_EVERSION */
	int64_t number;   /* of the counter: hf_add, hf_get, hf_await */
	struct {          /* the library's */
		void *wait;
		struct hf_task task;
		void (*cb)(struct hf_request *request, int rc);
		void *bytes;
		size_t bytes_max;
		struct hf_value *value;
		uint32_t kind;
		int rc;
	} internal;
};
typedef void (*hf_request_cb)(struct hf_request *request, int rc);

#define HF_ANY UINT64_MAX /* whatever the version is */

struct hf_put_options {
	size_t size;
	bool if_version; /* only if the version is `version`; 0: only if there
			    is no such value. Else HF_EVERSION */
	uint64_t version;
	/* Only if this is held at that moment, in one step with the write:
	 * HF_ENOTHELD, also if the session has ended meanwhile. By its token,
	 * which is read in the call, so a hold of this node: HF_EINVAL. */
	const struct hf_lock *guard;
	bool ephemeral; /* it goes when the session does that wrote it */
};

/* Write a value; `version`, if not NULL, gets its new version, which is higher
 * than any that a value of this name has had. Errors: HF_EVERSION, HF_ENOTHELD,
 * HF_ESESSION, HF_ELIMIT, HF_EKIND (a counter), HF_EUNKNOWN: no answer in time;
 * it may have been written or be written yet, once at most. And as hf_lock. */
HF_API int hf_put(struct hf_node *node, const char *name, const void *value,
		  size_t value_len, const struct hf_put_options *options,
		  uint64_t *version, uint32_t timeout_ms);
HF_API int hf_put_start(struct hf_node *node, struct hf_request *request,
			const void *name, size_t name_len, const void *value,
			size_t value_len, const struct hf_put_options *options,
			uint32_t timeout_ms, hf_request_cb cb);

/* Remove a value or counter; `ephemeral` doesn't count. HF_ENOVALUE. */
HF_API int hf_delete(struct hf_node *node, const char *name,
		     const struct hf_put_options *options, uint32_t timeout_ms);
HF_API int hf_delete_start(struct hf_node *node, struct hf_request *request,
			   const void *name, size_t name_len,
			   const struct hf_put_options *options,
			   uint32_t timeout_ms, hf_request_cb cb);

/* Add to a counter, which begins at 0, exactly once; `number`, if not NULL,
 * gets what it is then. HF_ERANGE: it would leave +-2^61. HF_EKIND: a value. */
HF_API int hf_add(struct hf_node *node, const char *name, int64_t delta,
		  const struct hf_put_options *options, int64_t *number,
		  uint32_t timeout_ms);
HF_API int hf_add_start(struct hf_node *node, struct hf_request *request,
			const void *name, size_t name_len, int64_t delta,
			const struct hf_put_options *options,
			uint32_t timeout_ms, hf_request_cb cb);

struct hf_value {
	uint64_t version;
	uint64_t index;   /* of the state that was read */
	uint64_t session; /* ephemeral: whose it is; else 0 */
	bool counter;
	int64_t number;
	size_t len; /* of the whole; at most `bytes_max` were copied */
};

/* Read a value: the leader's word, as of a time after the call, or, with
 * HF_LOCAL, what this member has applied, without a message: that doesn't wait,
 * so it is allowed in callbacks. HF_ENOVALUE: then only `index` of `value`
 * counts. `bytes` and `value` may be NULL. Other errors say nothing of it. */
enum hf_read { HF_LATEST = 0, HF_LOCAL = 1 };
HF_API int hf_get(struct hf_node *node, const char *name, void *bytes,
		  size_t bytes_max, struct hf_value *value, enum hf_read read,
		  uint32_t timeout_ms);
HF_API int hf_get_start(struct hf_node *node, struct hf_request *request,
			const void *name, size_t name_len, void *bytes,
			size_t bytes_max, struct hf_value *value,
			enum hf_read read, uint32_t timeout_ms,
			hf_request_cb cb);

enum hf_condition {
	HF_ABSENT = 1,  /* there is no such value: a barrier that opens */
	HF_PRESENT = 2, /* there is one */
	HF_NEWER = 3,   /* there is one of a version above `number` */
	HF_AT_MOST = 4, /* the counter is at most `number` (none: 0): a latch */
	HF_AT_LEAST = 5
};

/* Wait until it is so, if only for a moment; 0 only looks. HF_ETIMEDOUT: it was
 * not, as far as was heard in time. HF_ESESSION: the session ended, and the
 * wait with it. HF_EKIND: it asks for a counter, and there is a value. */
HF_API int hf_await(struct hf_node *node, const char *name,
		    enum hf_condition condition, int64_t number,
		    uint32_t timeout_ms);
HF_API int hf_await_start(struct hf_node *node, struct hf_request *request,
			  const void *name, size_t name_len,
			  enum hf_condition condition, int64_t number,
			  uint32_t timeout_ms, hf_request_cb cb);

/* --- over other's heads -----------------------------------------------------
 */

/* Take a hold away from whoever has it: it is told (HF_EVENT_REVOKED) and loses
 * it after `grace_ms` if it has confirmed that it knows, at the latest when its
 * session could have ended by itself; a release before is welcome. Until then
 * nobody else gets the lock, so that no two believe in it. `reason`, at most
 * HF_REASON_MAX bytes, is shown to the holder. HF_ENOTHELD: nobody holds it. */
HF_API int hf_revoke(struct hf_node *node, uint64_t token, uint32_t grace_ms,
		     const char *reason, uint32_t timeout_ms);
HF_API int hf_revoke_start(struct hf_node *node, struct hf_request *request,
			   uint64_t token, uint32_t grace_ms,
			   const char *reason, uint32_t timeout_ms,
			   hf_request_cb cb);

/* Set how many permits a semaphore has; it keeps that, held or not, until it is
 * set to 0, which forgets it once nobody holds. Lowering takes nothing away
 * from holders: it drains. Who waits for more than there are is refused then:
 * HF_EPERMITS. */
HF_API int hf_set_limit(struct hf_node *node, const char *name, uint32_t limit,
			uint32_t timeout_ms);
HF_API int hf_set_limit_start(struct hf_node *node, struct hf_request *request,
			      const void *name, size_t name_len, uint32_t limit,
			      uint32_t timeout_ms, hf_request_cb cb);

/* How long to wait before trying again after HF_EBUSY or HF_ENOLEADER: from the
 * leader's hint or the measured round trip, never the same twice, twice as long
 * with each `attempt` (from 0), at most some seconds. */
HF_API uint32_t hf_retry_ms(struct hf_node *node, unsigned attempt);

/* --- watching ---------------------------------------------------------------
 */

enum hf_change_type {
	HF_CHANGE_HELD = 1,  /* a lock is held: `token`, by `owner`; `bytes`
				is what the hold shows */
	HF_CHANGE_SHOWN = 2, /* that hold shows something else */
	HF_CHANGE_FREED = 3, /* that hold ended: `rc` 0 by a release, or why */
	HF_CHANGE_PUT = 4,   /* a value or counter was written */
	HF_CHANGE_DELETED = 5, /* `version` is what it had */
	HF_CHANGE_NOBODY = 6,  /* HF_WATCH_NOW: nobody holds it, and there is no
				  such value */
	HF_CHANGE_GAP = 7      /* changes up to `index` weren't told (`rc` is
				  HF_EGAP): look at the state again. The watch
				  goes on from there */
};

struct hf_change {
	enum hf_change_type type;
	uint64_t index;   /* rises; several changes may have the same */
	const void *name; /* during the call, like `bytes` */
	size_t name_len;
	uint64_t token;        /* of the hold */
	struct hf_owner owner; /* who holds it; of a value the node that wrote
				  it, and the session that it goes with, 0:
				  none. owner.owner is 0 */
	enum hf_mode mode;
	uint64_t version; /* of the value */
	bool counter;
	int64_t number;
	const void *bytes;
	size_t bytes_len;
	int rc;
};

enum hf_watch_flag {
	HF_WATCH_PREFIX = 1, /* all names that begin with this; "" is all */
	HF_WATCH_NOW = 2     /* first tell what is, as changes of one index */
};

/* The caller's memory, from hf_watch until hf_unwatch has returned. */
struct hf_watch {
	struct hf_node *node;
	void *data; /* the caller's, never touched */
	struct {    /* the library's */
		void (*cb)(struct hf_watch *watch,
			   const struct hf_change *change);
		void *watcher;
		struct hf_task task;
	} internal;
};
typedef void (*hf_watch_cb)(struct hf_watch *watch,
			    const struct hf_change *change);

/* Be told of the changes of locks and values, in order, none left out and none
 * twice, as this member applies them, whoever leads. `after`: all that came
 * after that index (0: from now on), if this member still has them, else it
 * begins with HF_CHANGE_GAP. It has about a megabyte of them. A watcher that is
 * slow is not waited for: it meets a gap; so does everybody when this member
 * was away so long that it got the state as a whole.
 *
 * A member that has just been opened applies its log first, and tells that as
 * it goes: with the last index that it has seen as `after`, a program goes on
 * where it was.
 *
 * HF_WATCH_NOW: what is when hf_watch is called (`after` doesn't count), as
 * changes of one index. HF_CHANGE_GAP stands for more than 16 MiB, and, with a
 * prefix, for a cluster with more than 500000 locks and values, since these are
 * looked at in one go. Of a hold and of a value it says what HF_CHANGE_HELD and
 * HF_CHANGE_PUT say.
 *
 * Callbacks run where others do, the first perhaps before this returns.
 * HF_EBUSY: 65536 watches. HF_EINVAL, HF_ENOMEM, HF_ECLOSED, HF_EFORKED.
 * hf_close ends all watches; hf_unwatch is not called after it. */
HF_API int hf_watch(struct hf_node *node, struct hf_watch *watch,
		    const void *name, size_t name_len, unsigned flags,
		    uint64_t after, hf_watch_cb cb);
/* No callback runs once this has returned, and the memory is the caller's: so
 * outside of callbacks it waits for one that is running. In a callback it may
 * be called for any watch, also for the one that is being told. */
HF_API int hf_unwatch(struct hf_watch *watch);

/* --- the resource's side -------------------------------------------------- */

/* What a resource remembers, with its data. All zero: has seen none. */
struct hf_guard {
	uint64_t newest;           /* largest token of any mode */
	uint64_t newest_exclusive; /* largest exclusive token */
};

/* 0 and the guard remembers the token, or HF_EFENCED. An exclusive token must
 * be at least the largest of any mode, a shared one at least the largest
 * exclusive one. The check, the write that it admits and the storing of the
 * guard must be one atomic step of the resource. Tokens of semaphores identify,
 * they don't fence: HF_EINVAL. */
HF_API int hf_guard_check(struct hf_guard *guard, enum hf_mode mode,
			  uint64_t token);

/* A guard in a file of its own, for a resource that can't store a struct
 * hf_guard with its data in one step (one that can is better off without a
 * second file). Threads may share the handle; processes that open the same path
 * share the guard. These calls write to the disk and wait for others: not in
 * callbacks. A handle is dead in a forked child: HF_EFORKED. */
struct hf_guard_file;

/* Open the guard in this file, on a local file system; the last part of `path`
 * may be no symbolic link. It is made, for its owner only, if it is missing and
 * its directory is there: who removes it removes the memory of what it has
 * seen, so keep it beside the data. The caller closes it. `error` as of
 * hf_open. Waits for whoever is between hf_guard_begin and hf_guard_end.
 *
 * A crash at any moment leaves a guard that has seen all that was admitted. One
 * of its two copies may be damaged without any loss; where it isn't certain
 * what was seen, it is HF_ECORRUPT. Errors: HF_EINVAL, HF_EFILESYSTEM,
 * HF_ECORRUPT, HF_EIO, HF_ENOMEM. */
HF_API int hf_guard_open(struct hf_guard_file **guard, const char *path,
			 char *error);

/* No call may be using it. NULL does nothing. */
HF_API void hf_guard_close(struct hf_guard_file *guard);

/* hf_guard_check on the file. 0: admitted, and if the token is newer than all
 * before it, that is durable (two syncs; other tokens write nothing). The
 * caller's write comes later than the check: a newer token may be admitted, and
 * its write done, in between. Enough where writes can't pass each other, or
 * where the data refuse again; else use hf_guard_begin.
 *
 * HF_ETIMEDOUT: others have kept it busy for `timeout_ms`. HF_EIO: the token
 * isn't admitted; once a write has failed, so is everything until the guard is
 * opened again. HF_ECORRUPT: damaged, or removed or replaced since it was
 * opened. Errors: HF_EFENCED, HF_EINVAL, HF_ETIMEDOUT, HF_EIO, HF_ECORRUPT,
 * HF_EFORKED. */
HF_API int hf_guard_admit(struct hf_guard_file *guard, enum hf_mode mode,
			  uint64_t token, uint32_t timeout_ms);

/* The same, and on success everybody else who asks this guard, with any token,
 * in any process, waits until hf_guard_end: check and write are one step among
 * all who use the guard so. The price: who is stopped in between stops them all
 * (they get HF_ETIMEDOUT); who dies frees it. A write that isn't durable by
 * hf_guard_end may be lost in a crash, the guard won't. The thread that began
 * ends; it may not begin twice: HF_EINVAL. */
HF_API int hf_guard_begin(struct hf_guard_file *guard, enum hf_mode mode,
			  uint64_t token, uint32_t timeout_ms);
/* 0, HF_EFORKED, or HF_EINVAL: this thread hasn't begun. */
HF_API int hf_guard_end(struct hf_guard_file *guard);

/* --- looking -------------------------------------------------------------- */

struct hf_status {
	size_t size;
	uint64_t id;
	uint64_t leader; /* 0: none known */
	uint64_t term;
	uint64_t applied; /* index of the last entry applied here */
	enum hf_session_state session_state;
	uint64_t session;                       /* 0: none */
	uint64_t sessions, locks, holds, waits; /* in the cluster */
	uint32_t round_trip_us;                 /* to the leader, measured */
	bool failed;
	size_t members_len;
	struct {
		uint64_t id;
		char address[80];
		bool linked; /* a connection is up; true for this node */
	} members[HF_MEMBERS_MAX];
};

/* As this member knows it: `applied` says how far that is. Brief: answered by
 * the node's own thread from its memory, and allowed in callbacks. */
HF_API int hf_status(struct hf_node *node, struct hf_status *status);

struct hf_claim {
	uint64_t node, session, owner;
	uint64_t token; /* 0: waiting */
	enum hf_mode mode;
	uint32_t permits;
	int32_t priority;
	int64_t left_ms;     /* until it ends by itself, is taken, or has waited
				for long enough; -1: none of these */
	uint64_t revoked_by; /* node that revoked it; 0: nobody */
	/* In hf_claims, during the call: */
	const void *shown;
	size_t shown_len;
	const char *reason; /* of the revocation */
	size_t reason_len;
};

/* Holders, then waiters in the order of their line, of one lock: at most
 * `claims_len` are written, `*total` is how many there are. As hf_status. */
HF_API int hf_lock_status(struct hf_node *node, const void *name,
			  size_t name_len, struct hf_claim *claims,
			  size_t claims_len, size_t *total);

/* The same, one after the other, with what they show; `visit` runs on the
 * node's thread before this returns, and answers false to stop. It must not
 * call the library. */
typedef bool (*hf_claim_visit)(void *arg, const struct hf_claim *claim);
HF_API int hf_claims(struct hf_node *node, const void *name, size_t name_len,
		     hf_claim_visit visit, void *arg);

/* One edge of the wait-for graph: `waiter` waits for the lock `name`, which
 * `blocker` holds (`token`) or waits for before it (`token` 0: of those the one
 * just before it). */
struct hf_wait {
	struct hf_owner waiter, blocker;
	uint64_t token;
	const void *name;
	size_t name_len;
};
/* All of them. As hf_claims. */
typedef bool (*hf_wait_visit)(void *arg, const struct hf_wait *wait);
HF_API int hf_waits(struct hf_node *node, hf_wait_visit visit, void *arg);

struct hf_session_info {
	uint64_t session, node;
	uint32_t ttl_ms;
	int64_t left_ms; /* until it ends, in cluster time, if not renewed */
	uint64_t holds, waits;
};

/* All sessions, oldest first. As hf_status. */
HF_API int hf_sessions(struct hf_node *node, struct hf_session_info *sessions,
		       size_t sessions_len, size_t *total);

#ifdef __cplusplus
}
#endif

#endif

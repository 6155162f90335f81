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
 * Threads. A node runs one thread of its own. Every function here may be called
 * from any thread unless it says otherwise. Callbacks run on the node's thread:
 * they must not block, and may call anything here but the blocking calls
 * (hf_lock, hf_trylock, hf_unlock, hf_lock_validate, hf_close), which answer
 * HF_EINCALLBACK. Each callback runs exactly once.
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
	/* refused for good */                                                 \
	X(HF_EHELD, -100, "held by another session")                           \
	X(HF_ENOTHELD, -101, "not held")                                       \
	X(HF_ESESSION, -102, "the session has ended; its holds are lost")      \
	X(HF_ELIMIT, -103, "a limit of the cluster was reached")               \
	X(HF_EPERMITS, -104, "the number of permits differs from the lock's")  \
	X(HF_EFENCED, -105, "the fencing token is older than one seen before") \
	X(HF_EOLDBOOT, -106, "a newer process of this node has taken over")    \
	X(HF_ESTALE, -107, "the request is older than the session's window")   \
	/* outcome unknown */                                                  \
	X(HF_EUNKNOWN, -200, "the outcome is unknown; it is being settled")

enum hf_error {
	HF_OK = 0,
#define X(name, number, text) name = number,
	HF_ERRORS(X)
#undef X
};

/* What a result says about the request. */
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
	HF_EVENT_FAILED = 4   /* this member has failed: `rc` and `text` */
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
};

/* Runs on the node's thread. Events come in the order in which they happened, a
 * failure after all else that there is to tell, the last before hf_close
 * returns. */
typedef void (*hf_event_cb)(struct hf_node *node, const struct hf_event *event,
			    void *arg);

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
 * nothing and answers HF_EFORKED. */
HF_API int hf_close(struct hf_node *node, uint32_t timeout_ms);

/* --- locks --------------------------------------------------------------- */

enum hf_mode {
	HF_EXCLUSIVE = 0, /* alone */
	HF_SHARED = 1,    /* beside other shared holds */
	HF_PERMITS = 2    /* `permits` of `limit`: a semaphore */
};

struct hf_lock_options {
	size_t size;
	enum hf_mode mode;
	uint32_t permits; /* HF_PERMITS: how many to take, default 1 */
	uint32_t limit;   /* HF_PERMITS: how many there are. The first to name
			     a lock sets it; HF_EPERMITS on disagreement */
	/* How long nobody gets the lock after this hold ends by failure: the
	 * session's end, not a release. Default 0. */
	uint32_t delay_ms;
	/* Who asks, within the session: a re-entrant request waits for itself.
	 * Default: the calling thread, by an id that is never used again. */
	uint64_t owner;
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
		uint64_t session;
		void *claim, *wait;
		struct hf_task task;
		void (*cb)(struct hf_lock *lock, int rc);
		uint32_t timeout_ms, state, lost;
	} internal;
};

/* `rc` is the result of the request, as from the blocking call. */
typedef void (*hf_lock_cb)(struct hf_lock *lock, int rc);

/* Wait for a lock until `timeout_ms` have passed; 0 only tries: HF_EHELD (or
 * HF_ENOLEADER, HF_ETIMEDOUT, if no leader answers for 5 s). `options` may be
 * NULL: exclusive. On any error nothing is held, also where the outcome of an
 * attempt wasn't known: the node then cancels it by itself. An overloaded
 * leader is asked again until the deadline; then it is HF_EBUSY. Errors:
 * HF_EHELD, HF_ETIMEDOUT, HF_ENOLEADER, HF_ESESSION, HF_ELIMIT, HF_EPERMITS,
 * HF_EBUSY, HF_EINVAL, HF_ENOMEM, HF_ECLOSED, HF_EFAILED, HF_EFORKED,
 * HF_EINCALLBACK. */
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

/* Give up an acquisition that hasn't ended: 0, and its callback runs (or
 * hf_lock in another thread returns) with HF_ECANCELED. HF_ENOTHELD: it had
 * ended; its result stands. The memory of `lock` must outlive this call, too.
 * Brief, and allowed in callbacks. */
HF_API int hf_lock_cancel(struct hf_lock *lock);

/* Release. The hold counts as gone from the call on (hf_lock_safe_ms is 0).
 * 0: the cluster has confirmed it. HF_ESESSION, HF_ENOTHELD: it was lost
 * before. HF_EUNKNOWN: not confirmed within `timeout_ms`; the node goes on
 * until it is, or the session has ended, and the memory of `lock` is the
 * caller's again. */
HF_API int hf_unlock(struct hf_lock *lock, uint32_t timeout_ms);
HF_API int hf_unlock_start(struct hf_lock *lock, uint32_t timeout_ms,
			   hf_lock_cb cb);

/* The fencing token, rising with each acquisition of a name, for ever; it stays
 * the same for the life of the hold. Below 2^63. 0: not held. */
HF_API uint64_t hf_lock_token(const struct hf_lock *lock);

/* For how long the hold is still certain. A look at local memory and clocks, no
 * message, no lock; 0 on waking from any pause beyond the lease. */
HF_API uint32_t hf_lock_safe_ms(const struct hf_lock *lock);

/* Ask the leader, and it a majority, whether the hold exists now. 0, or
 * HF_ENOTHELD, HF_ESESSION; HF_ETIMEDOUT and HF_ENOLEADER say nothing. */
HF_API int hf_lock_validate(struct hf_lock *lock, uint32_t timeout_ms);
HF_API int hf_lock_validate_start(struct hf_lock *lock, uint32_t timeout_ms,
				  hf_lock_cb cb);

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
};

/* Holders, then waiters in the order of their line, of one lock: at most
 * `claims_len` are written, `*total` is how many there are. As hf_status. */
HF_API int hf_lock_status(struct hf_node *node, const void *name,
			  size_t name_len, struct hf_claim *claims,
			  size_t claims_len, size_t *total);

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

/* The real world under a node: a libuv loop, in a thread of its own or inside
 * the caller's loop, clocks, TCP, the member's directory and raft_uv's disk. */
#ifndef HF_HOST_HOST_H
#define HF_HOST_HOST_H

#include "holdfast.h"
#include "node/node.h"

struct host;

struct host_config {
	const char *dir;
	const char *cluster;
	uint64_t id;
	const struct hf_member *members; /* checked by lib/api already */
	size_t members_len;
	bool plain_tcp, adopt;
	/* The host fills in cluster, incarnation, boot, former_dead, repl.id
	 * and repl.members. */
	struct node_config node;
	size_t segment_bytes; /* of the log's files; 0: the default */
	struct node_calls calls;
	void *arg; /* for calls */
	/* Run inside this one, which the calling thread runs; NULL: in a
	 * thread of its own. */
	struct uv_loop_s *loop;
};

/* Take the directory, start the thread, listen, open the disk and the node.
 * Returns when the log has been read, or with an error and nothing left behind.
 * `*host` is set before the first callback. Without members it is a cluster of
 * one and listens nowhere. `error` gets HF_ERROR_TEXT bytes at most; NULL: no
 * text. Errors as hf_open. */
int host_open(struct host **host, const struct host_config *config,
	      char *error);

/* Work for the loop's thread, in the order of host_post; caller-owned until it
 * runs. Any thread. HF_ECLOSED: the loop is ending, it won't run. What was
 * accepted runs, also while the host closes. */
int host_post(struct host *host, struct hf_task *task);

struct node *host_node(struct host *host);
/* Is this the loop's thread, at a time when the node may be called, since a
 * turn is under way? Always so in callbacks. */
bool host_on_thread(const struct host *host);
/* Would a wait in this thread keep the loop from its work? In a caller's loop
 * also outside of turns. */
bool host_would_block(const struct host *host);
/* Where that is so: 0, the node may be called now and a turn follows; or
 * HF_ECLOSED. */
int host_enter(struct host *host);
/* In a child after fork: nothing of the host may be used. No system call. */
bool host_forked(const struct host *host);
void host_clocks(const struct host *host, struct clocks *now); /* any thread */
/* The port that was bound, 0: none: for tests that listen on port 0. */
uint16_t host_port(const struct host *host);

/* Close the node within the time (node_close), its loop and every handle. Then
 * `closed` is called once: as the last thing that the host's thread does, or by
 * the caller's loop, in which nothing is left. From any thread, in callbacks
 * too, but not twice, nor in a forked child.
 *
 * It takes a few seconds longer than the time at most. Where a failed disk
 * doesn't end its work by then, memory is given up, and the directory stays
 * locked until the process ends unless it is certain that nothing is being
 * written. */
void host_close_start(struct host *host, uint64_t timeout_us,
		      void (*closed)(void *arg), void *arg);
/* In `closed` or after it, from any thread: waits for the host's thread to end
 * (unless it is the calling one), closes the directory, frees everything. */
void host_free(struct host *host);
/* Both, waiting. Not where host_would_block. NULL does nothing; nor does it do
 * anything in a forked child. */
void host_close(struct host *host, uint64_t timeout_us);

#endif

/* What the files of the host share. */
#ifndef HF_HOST_INTERNAL_H
#define HF_HOST_INTERNAL_H

#include "host/dir.h"
#include "host/host.h"
#include "host/net.h"
#include "host/post.h"
#include "host/storage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

enum phase {
	PHASE_OPEN,
	PHASE_NODE,    /* node_close goes on */
	PHASE_HANDLES, /* the disk and all handles are closing */
};

struct host {
	struct env env; /* first */
	/* Memory of its own: given up if libuv can't let go of it. */
	uv_loop_t *loop;
	uv_async_t posted;
	uv_timer_t wake;
	uv_timer_t limit; /* how long to wait for the phase's end */
	uv_prepare_t prepare;
	struct post post;
	struct dir dir;
	struct net net;
	struct listener listener;
	struct storage *storage;
	struct node *node;
	enum phase phase;
	bool node_closed;
	bool late;      /* PHASE_HANDLES has taken too long */
	bool loop_lost; /* it couldn't be closed */
	bool may_write; /* the disk hasn't ended, and may still write */
	struct repl_member *members;
	size_t members_len;

	pthread_t thread;
	bool has_thread;
	_Atomic(pthread_t) self; /* the loop's */
	struct hf_task closing;
	uint64_t close_timeout_us;
	void (*closed)(void *arg);
	void *closed_arg;

	/* Inside a caller's loop: embed.c. */
	uv_loop_t *outer; /* NULL: it has a thread of its own */
	uv_poll_t outer_poll;
	uv_timer_t outer_timer;
	unsigned outer_handles; /* that haven't been closed */
	bool in_turn, finished;

	/* For host_open alone. */
	const struct host_config *config;
	char *error;

	bool told; /* that it is open (`rc`), or closed */
	int rc;
	pthread_mutex_t mutex;
	pthread_cond_t tell;

	unsigned char *born; /* one byte, 0 in a forked child; see fork.c */
	int pid;
};

static inline struct host *host_of(struct env *env)
{
	return (struct host *)(void *)env;
}

/* env.c */
void env_fill(struct host *host);
extern const struct net_calls host_net_calls;

/* loop.c. 0, or libuv's error: nothing is left behind. */
int loop_open(struct host *host);
void loop_run(struct host *host); /* until it is closed; then loop_end */
void loop_begin_close(struct host *host, uint64_t timeout_us);
/* For who runs the loop without loop_run: each time that it has been run, until
 * PHASE_HANDLES; and once nothing is left in it, or it is `late`. */
void loop_turn(struct host *host);
void loop_end(struct host *host);

/* embed.c. 0, or HF_EIO or HF_EINVAL: nothing is left behind. */
int embed_begin(struct host *host);

/* fork.c */
void fork_mark(struct host *host);
void fork_unmark(struct host *host);

#endif

/* What the files of lib/api share. */
#ifndef HF_API_API_H
#define HF_API_API_H

#include "holdfast.h"
#include "host/host.h"

#include <pthread.h>
#include <stdatomic.h>

enum node_phase { NODE_OPENING, NODE_OPEN, NODE_CLOSING };

struct hf_node {
	struct host *host;
	hf_event_cb on_event;
	void *arg;
	struct dispatch *dispatch; /* NULL: callbacks run on its thread */
	_Atomic(enum node_phase) phase;
	struct hf_task closed; /* delivered last of all */
	hf_close_cb on_closed; /* NULL: hf_close waits */
	void *closed_arg;
};

/* 0, or why this thread may not use the node: HF_EFORKED, HF_EINVAL. */
int api_check(const struct hf_node *node);
/* The same for calls that wait: HF_EINCALLBACK. */
int api_check_blocking(const struct hf_node *node);

/* deliver.c. Every asynchronous result goes this way, from the node's thread:
 * `run` of the task tells the caller, at once or in hf_dispatch. Until it runs
 * the task's memory stays where it is, so it needs none then; `run` may free
 * it. What may be told later must not be undone in between: what a caller can
 * see of it (the state of a lock) changes in `run`. */
void api_deliver(struct hf_node *node, struct hf_task *task);
/* From any other thread: a task that was delivered and hasn't run yet won't
 * run. Was there one? If it is running in hf_dispatch in another thread, this
 * waits until it has. */
bool api_withdraw(struct hf_node *node, struct hf_task *task);

/* For hf_options.dispatch: HF_ENOMEM, HF_EIO, or 0. */
int dispatch_open(struct dispatch **dispatch, struct hf_node *node);
void dispatch_free(struct dispatch *dispatch); /* NULL is fine */
/* Is this thread in hf_dispatch? */
bool dispatch_runs_here(struct dispatch *dispatch);
/* Become the one who dispatches, and run what is left; stop being it. */
void dispatch_take(struct dispatch *dispatch);
void dispatch_give(struct dispatch *dispatch);
struct events *dispatch_events(struct dispatch *dispatch);

/* event.c: events that wait to be dispatched. */
#define EVENT_SLOTS 16
struct event_slot {
	struct hf_task task;
	struct hf_node *node;
	struct hf_event event;
	char name[HF_NAME_MAX];
	char text[HF_ERROR_TEXT];
};
struct events { /* all zero but `again`: none */
	struct event_slot slots[EVENT_SLOTS];
	size_t next;        /* slot to be filled: the node's thread's */
	atomic_size_t used; /* slots */
	atomic_bool full;   /* the node keeps its events for now */
	bool direct;        /* call on_event at once */
	struct hf_task again;
	struct hf_node *node;
};
void events_init(struct events *events, struct hf_node *node);
/* struct node_calls.event */
void event_tell(void *arg, const struct hf_event *event);
/* The host is closed: tell what the node has kept. */
void events_rest(struct events *events);

/* Where a thread waits for the node's. */
struct wait {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool done;
	int rc;
};
void wait_init(struct wait *w);
void wait_done(struct wait *w, int rc);
int wait_for(struct wait *w); /* and gives it back */

/* Run `fn` on the node's thread and wait for it; at once if this is it. */
int api_run(struct hf_node *node, int (*fn)(struct node *node, void *arg),
	    void *arg);

/* LOCK_ENDED: what was asked for has its result, which is to be told. */
enum lock_state { LOCK_NONE, LOCK_ASKED, LOCK_HELD, LOCK_RELEASED, LOCK_ENDED };
enum lock_state lock_state(const struct hf_lock *lock);
/* As hf_lock_start; `wait` is the blocking call's. */
int lock_start(struct hf_node *node, struct hf_lock *lock, const void *name,
	       size_t name_len, const struct hf_lock_options *options,
	       uint32_t timeout_ms, hf_lock_cb cb, struct wait *wait);

/* Checks the options and fills in defaults: 0 or HF_EINVAL and the text. */
int options_check(const struct hf_options *given, struct hf_options *checked,
		  char *error);

static inline uint64_t api_us(uint32_t ms)
{
	return ms == HF_FOREVER ? UINT64_MAX : ms * UINT64_C(1000);
}

#endif

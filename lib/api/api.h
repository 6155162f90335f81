/* What the files of lib/api share. */
#ifndef HF_API_API_H
#define HF_API_API_H

#include "holdfast.h"
#include "host/host.h"

#include <pthread.h>

struct hf_node {
	struct host *host;
	hf_event_cb on_event;
	void *arg;
};

/* 0, or why this thread may not use the node: HF_EFORKED, HF_EINVAL. */
int api_check(const struct hf_node *node);
/* The same for calls that wait: HF_EINCALLBACK. */
int api_check_blocking(const struct hf_node *node);

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

enum lock_state { LOCK_NONE, LOCK_ASKED, LOCK_HELD, LOCK_RELEASED };
enum lock_state lock_state(const struct hf_lock *lock);
/* As hf_lock_start and hf_unlock_start; `wait` is the blocking call's. */
int lock_start(struct hf_node *node, struct hf_lock *lock, const void *name,
	       size_t name_len, const struct hf_lock_options *options,
	       uint32_t timeout_ms, hf_lock_cb cb, struct wait *wait);
int unlock_start(struct hf_lock *lock, uint32_t timeout_ms, hf_lock_cb cb,
		 struct wait *wait);

/* Checks the options and fills in defaults: 0 or HF_EINVAL and the text. */
int options_check(const struct hf_options *given, struct hf_options *checked,
		  char *error);

#endif

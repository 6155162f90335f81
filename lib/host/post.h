/* Tasks from any thread for the loop's, in the order of their posting. */
#ifndef HF_HOST_POST_H
#define HF_HOST_POST_H

#include "host/host.h"

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

struct post {
	pthread_mutex_t mutex;
	uv_async_t *signal;
	struct hf_task *first, **last;
	bool ended;
};

int post_init(struct post *post, uv_async_t *signal); /* 0 or HF_ENOMEM */
void post_free(struct post *post);
/* `wake`: from another thread than the loop's, which looks before it waits. The
 * signal is not used after post_end. 0, or HF_ECLOSED after post_end. */
int post_put(struct post *post, struct hf_task *task, bool wake);
bool post_empty(struct post *post);
/* Run all that there are; those that are put meanwhile wait for the next call.
 */
void post_run(struct post *post);
/* Take no more, and run what was taken. */
void post_end(struct post *post);

#endif

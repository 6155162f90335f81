#include "host/post.h"

int post_init(struct post *post, uv_async_t *signal)
{
	post->signal = signal;
	post->first = NULL;
	post->last = &post->first;
	post->ended = false;
	return pthread_mutex_init(&post->mutex, NULL) == 0 ? 0 : HF_ENOMEM;
}

void post_free(struct post *post)
{
	pthread_mutex_destroy(&post->mutex);
}

int post_put(struct post *post, struct hf_task *task, bool wake)
{
	task->next = NULL;
	pthread_mutex_lock(&post->mutex);
	bool ended = post->ended, first = post->first == NULL;
	if (!ended) {
		*post->last = task;
		post->last = &task->next;
	}
	/* Inside the lock, which post_end takes before the handle goes. */
	if (!ended && first && wake)
		uv_async_send(post->signal);
	pthread_mutex_unlock(&post->mutex);
	return ended ? HF_ECLOSED : 0;
}

bool post_empty(struct post *post)
{
	pthread_mutex_lock(&post->mutex);
	bool empty = post->first == NULL;
	pthread_mutex_unlock(&post->mutex);
	return empty;
}

static struct hf_task *take(struct post *post, bool end)
{
	pthread_mutex_lock(&post->mutex);
	struct hf_task *task = post->first;
	post->first = NULL;
	post->last = &post->first;
	post->ended |= end;
	pthread_mutex_unlock(&post->mutex);
	return task;
}

static void run(struct hf_task *task)
{
	while (task) {
		/* Its owner may free it inside. */
		struct hf_task *next = task->next;
		task->run(task);
		task = next;
	}
}

void post_run(struct post *post)
{
	run(take(post, false));
}

void post_end(struct post *post)
{
	run(take(post, true));
}

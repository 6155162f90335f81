/* Where callbacks run: on the node's thread, or, queued, in hf_dispatch.
 *
 * The descriptor is readable if and only if there is something in the queue:
 * both change under one mutex. Another one is held by the thread that runs
 * callbacks, so that they come one at a time and in order. */
#include "api/api.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct dispatch {
	pthread_mutex_t mutex; /* of the queue, `runs` and `runner` */
	struct hf_task *first, **last;
	size_t len;
	int fd;
	pthread_mutex_t turn;
	bool runs;
	pthread_t runner; /* who has the turn */
	struct events events;
};

int dispatch_open(struct dispatch **dispatch, struct hf_node *node)
{
	struct dispatch *d = (struct dispatch *)calloc(1, sizeof(*d));

	if (!d)
		return HF_ENOMEM;
	d->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->fd < 0) {
		free(d);
		return HF_EIO;
	}
	pthread_mutex_init(&d->mutex, NULL);
	pthread_mutex_init(&d->turn, NULL);
	d->last = &d->first;
	events_init(&d->events, node);
	*dispatch = d;
	return 0;
}

void dispatch_free(struct dispatch *d)
{
	if (!d)
		return;
	close(d->fd);
	pthread_mutex_destroy(&d->mutex);
	pthread_mutex_destroy(&d->turn);
	free(d);
}

struct events *dispatch_events(struct dispatch *d)
{
	return &d->events;
}

/* An eventfd refuses neither: it is 0 or 1. */
static void set_readable(struct dispatch *d, bool readable)
{
	uint64_t one = 1;
	ssize_t n = readable ? write(d->fd, &one, sizeof(one))
			     : read(d->fd, &one, sizeof(one));

	(void)n;
}

static void push(struct dispatch *d, struct hf_task *task)
{
	task->next = NULL;
	pthread_mutex_lock(&d->mutex);
	*d->last = task;
	d->last = &task->next;
	if (d->len++ == 0)
		set_readable(d, true);
	pthread_mutex_unlock(&d->mutex);
}

/* Under the mutex: `*at` is the link to the task. */
static void cut_out(struct dispatch *d, struct hf_task **at)
{
	struct hf_task *task = *at;

	*at = task->next;
	if (!task->next)
		d->last = at;
	if (--d->len == 0)
		set_readable(d, false);
}

static struct hf_task *pop(struct dispatch *d)
{
	pthread_mutex_lock(&d->mutex);
	struct hf_task *task = d->first;
	if (task)
		cut_out(d, &d->first);
	pthread_mutex_unlock(&d->mutex);
	return task;
}

/* Returns how many wait. */
static size_t take_turn(struct dispatch *d)
{
	pthread_mutex_lock(&d->turn);
	pthread_mutex_lock(&d->mutex);
	d->runs = true;
	d->runner = pthread_self();
	size_t len = d->len;
	pthread_mutex_unlock(&d->mutex);
	return len;
}

void dispatch_give(struct dispatch *d)
{
	pthread_mutex_lock(&d->mutex);
	d->runs = false;
	pthread_mutex_unlock(&d->mutex);
	pthread_mutex_unlock(&d->turn);
}

bool dispatch_runs_here(struct dispatch *d)
{
	pthread_mutex_lock(&d->mutex);
	bool here = d->runs && pthread_equal(d->runner, pthread_self());
	pthread_mutex_unlock(&d->mutex);
	return here;
}

void dispatch_take(struct dispatch *d)
{
	take_turn(d);
	for (struct hf_task *task = pop(d); task; task = pop(d))
		task->run(task);
}

void api_deliver(struct hf_node *node, struct hf_task *task)
{
	if (node->dispatch)
		push(node->dispatch, task);
	else
		task->run(task);
}

bool api_withdraw(struct hf_node *node, struct hf_task *task)
{
	struct dispatch *d = node->dispatch;
	struct hf_task **at;

	if (!d)
		return false;
	bool here = dispatch_runs_here(d);
	if (!here)
		take_turn(d);
	pthread_mutex_lock(&d->mutex);
	for (at = &d->first; *at && *at != task; at = &(*at)->next)
		;
	bool found = *at != NULL;
	if (found)
		cut_out(d, at);
	pthread_mutex_unlock(&d->mutex);
	if (!here)
		dispatch_give(d);
	return found;
}

int hf_fd(struct hf_node *node)
{
	int rc = api_check(node);

	if (!rc && !node->dispatch)
		rc = HF_EINVAL;
	return rc ? rc : node->dispatch->fd;
}

int hf_dispatch(struct hf_node *node)
{
	int rc = api_check(node), ran = 0;

	if (!rc && !node->dispatch)
		rc = HF_EINVAL;
	if (!rc && dispatch_runs_here(node->dispatch))
		rc = HF_EINCALLBACK;
	if (rc)
		return rc;
	struct dispatch *d = node->dispatch;
	for (size_t left = take_turn(d); left > 0; left--) {
		struct hf_task *task = pop(d);

		if (!task) /* withdrawn */
			break;
		bool last = task == &node->closed;
		task->run(task);
		ran++;
		if (last) /* the node is gone */
			return ran;
	}
	dispatch_give(d);
	return ran;
}

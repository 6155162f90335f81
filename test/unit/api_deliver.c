/* Results on their way to hf_dispatch, of tasks of the test's own. */
#include "api/api.h"
#include "base/list.h"
#include "lib/scratch.h"
#include "lib/suite.h"

#include <poll.h>

#define TASKS 5

struct item {
	struct hf_task task;
	int ran;
	atomic_bool begun, go_on;
};

struct scene {
	char dir[SCRATCH_PATH_MAX];
	struct hf_node *node;
	struct item items[TASKS];
};

static void run_item(struct hf_task *task)
{
	container_of(task, struct item, task)->ran++;
}

static void scene_begin(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	scratch_make(s->dir);
	struct hf_options o = { .size = sizeof(o),
				.dir = s->dir,
				.dispatch = true };
	ck_assert_int_eq(hf_open(&s->node, &o, NULL), 0);
	for (int i = 0; i < TASKS; i++)
		s->items[i].task.run = run_item;
}

static void scene_end(struct scene *s)
{
	ck_assert_int_eq(hf_close(s->node, 1000), 0);
	scratch_remove(s->dir);
}

static bool readable(struct scene *s)
{
	struct pollfd fd = { .fd = hf_fd(s->node), .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void deliver_all(struct scene *s)
{
	for (int i = 0; i < TASKS; i++)
		api_deliver(s->node, &s->items[i].task);
}

START_TEST(a_task_that_is_withdrawn_does_not_run)
{
	/* First, last, one between, and the new last one. */
	static const int gone[] = { 0, TASKS - 1, 2, TASKS - 2 };
	struct scene s;

	scene_begin(&s);
	deliver_all(&s);
	for (int i = 0; i < 4; i++) {
		struct hf_task *task = &s.items[gone[i]].task;

		ck_assert(api_withdraw(s.node, task));
		ck_assert(!api_withdraw(s.node, task));
	}
	ck_assert(readable(&s));
	/* The queue is whole. */
	api_deliver(s.node, &s.items[0].task);
	ck_assert_int_eq(hf_dispatch(s.node), 2);
	for (int i = 0; i < TASKS; i++)
		ck_assert_int_eq(s.items[i].ran, i < 2);
	scene_end(&s);
}
END_TEST

START_TEST(withdrawing_the_last_one_leaves_nothing_to_read)
{
	struct scene s;

	scene_begin(&s);
	api_deliver(s.node, &s.items[0].task);
	ck_assert(readable(&s));
	ck_assert(api_withdraw(s.node, &s.items[0].task));
	ck_assert(!readable(&s));
	api_deliver(s.node, &s.items[1].task);
	ck_assert(readable(&s));
	ck_assert_int_eq(hf_dispatch(s.node), 1);
	ck_assert(!readable(&s));
	scene_end(&s);
}
END_TEST

static void run_long(struct hf_task *task)
{
	struct item *item = container_of(task, struct item, task);

	item->begun = true;
	while (!item->go_on)
		sched_yield();
	item->ran++;
}

static void *dispatch(void *arg)
{
	struct scene *s = arg;

	while (!s->items[0].begun)
		hf_dispatch(s->node);
	return NULL;
}

static void *release(void *arg)
{
	struct scene *s = arg;

	usleep(50000);
	s->items[0].go_on = true;
	return NULL;
}

START_TEST(withdrawing_waits_for_a_task_that_is_running)
{
	pthread_t dispatcher, releaser;
	struct scene s;

	scene_begin(&s);
	s.items[0].task.run = run_long;
	api_deliver(s.node, &s.items[0].task);
	pthread_create(&dispatcher, NULL, dispatch, &s);
	while (!s.items[0].begun)
		sched_yield();
	pthread_create(&releaser, NULL, release, &s);
	ck_assert(!api_withdraw(s.node, &s.items[0].task));
	ck_assert_int_eq(s.items[0].ran, 1);
	pthread_join(dispatcher, NULL);
	pthread_join(releaser, NULL);
	scene_end(&s);
}
END_TEST

static struct scene *scene_inside;

static void run_withdrawing(struct hf_task *task)
{
	struct scene *s = scene_inside;

	run_item(task);
	ck_assert(api_withdraw(s->node, &s->items[1].task));
}

START_TEST(a_task_may_withdraw_another)
{
	static struct scene s;

	scene_begin(&s);
	scene_inside = &s;
	s.items[0].task.run = run_withdrawing;
	api_deliver(s.node, &s.items[0].task);
	api_deliver(s.node, &s.items[1].task);
	ck_assert_int_eq(hf_dispatch(s.node), 1);
	ck_assert_int_eq(s.items[1].ran, 0);
	scene_end(&s);
}
END_TEST

SUITE(a_task_that_is_withdrawn_does_not_run,
      withdrawing_the_last_one_leaves_nothing_to_read,
      withdrawing_waits_for_a_task_that_is_running, a_task_may_withdraw_another)

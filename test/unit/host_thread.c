/* A host's life: its thread, what is posted to it, and its end. */
#include "lib/hosting.h"
#include "lib/suite.h"

#include "base/list.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

START_TEST(a_member_alone_comes_to_hold_a_session)
{
	struct hosting h;

	hosting_begin(&h, 1);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(hosting_open(&h, 0), 0);
		hosting_wait_safe(&h, 0);
		ck_assert_uint_eq(host_port(h.hosted[0].host), 0);
		hosting_close(&h, 0);
	}
	hosting_end(&h);
}
END_TEST

START_TEST(three_members_find_a_leader_and_each_holds_a_session)
{
	struct hosting h;

	hosting_begin(&h, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_msg(hosting_open(&h, i) == 0, "%s", h.error);
	for (size_t i = 0; i < 3; i++)
		hosting_wait_safe(&h, i);
	for (size_t i = 0; i < 3; i++)
		hosting_close(&h, i);
	hosting_end(&h);
}
END_TEST

#define POSTERS 4
#define POSTS 2000

struct poster {
	pthread_t thread;
	struct host *host;
	struct post_item *items;
	int accepted;
	int order; /* of the last that ran */
	bool disorder;
};

struct post_item {
	struct hf_task task;
	struct poster *poster;
	int number;
	int ran;
};

static void run_item(struct hf_task *task)
{
	struct post_item *item = container_of(task, struct post_item, task);

	item->ran++;
	item->poster->disorder |= item->number != item->poster->order++;
}

static void *post_all(void *arg)
{
	struct poster *p = arg;

	for (int i = 0; i < POSTS; i++) {
		p->items[i] = (struct post_item){ .task = { .run = run_item },
						  .poster = p,
						  .number = i };
		if (host_post(p->host, &p->items[i].task) == 0)
			p->accepted++;
	}
	return NULL;
}

static void start_posters(struct hosting *h, struct poster *posters)
{
	for (int i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){
			.host = h->hosted[0].host,
			.items = calloc(POSTS, sizeof(struct post_item)),
		};
		pthread_create(&posters[i].thread, NULL, post_all, &posters[i]);
	}
}

static void check_posters(struct poster *posters)
{
	for (int i = 0; i < POSTERS; i++) {
		ck_assert_int_eq(posters[i].order, posters[i].accepted);
		ck_assert(!posters[i].disorder);
		for (int k = 0; k < POSTS; k++)
			ck_assert_int_le(posters[i].items[k].ran, 1);
		free(posters[i].items);
	}
}

START_TEST(what_a_thread_posts_runs_once_and_in_its_order)
{
	struct poster posters[POSTERS];
	struct hosting h;

	hosting_begin(&h, 1);
	ck_assert_int_eq(hosting_open(&h, 0), 0);
	start_posters(&h, posters);
	for (int i = 0; i < POSTERS; i++)
		pthread_join(posters[i].thread, NULL);
	hosting_close(&h, 0);
	for (int i = 0; i < POSTERS; i++)
		ck_assert_int_eq(posters[i].accepted, POSTS);
	check_posters(posters);
	hosting_end(&h);
}
END_TEST

/* A task that posts, from the loop's thread, is seen before the loop waits. */
struct chain {
	struct hf_task task;
	struct host *host;
	atomic_int left;
};

static void run_chain(struct hf_task *task)
{
	struct chain *c = container_of(task, struct chain, task);

	if (atomic_fetch_sub(&c->left, 1) > 1)
		host_post(c->host, &c->task);
}

START_TEST(a_task_may_post_the_next_one)
{
	struct hosting h;
	struct chain c = { .task = { .run = run_chain }, .left = 1000 };

	hosting_begin(&h, 1);
	ck_assert_int_eq(hosting_open(&h, 0), 0);
	c.host = h.hosted[0].host;
	ck_assert_int_eq(host_post(c.host, &c.task), 0);
	while (atomic_load(&c.left) > 0)
		sched_yield();
	hosting_close(&h, 0);
	hosting_end(&h);
}
END_TEST

START_TEST(closing_gives_back_all_descriptors_and_threads)
{
	struct hosting h;

	/* libuv's pool of threads and its pipe stay with the process. */
	hosting_begin(&h, 3);
	for (int round = 0; round < 6; round++) {
		static int fds, threads;

		for (size_t i = 0; i < 3; i++)
			ck_assert_int_eq(hosting_open(&h, i), 0);
		hosting_wait_safe(&h, 0);
		for (size_t i = 0; i < 3; i++)
			hosting_close(&h, i);
		if (round == 0) {
			fds = scratch_fds();
			threads = scratch_threads();
		}
		ck_assert_int_eq(scratch_fds(), fds);
		scratch_await_threads(threads);
	}
	hosting_end(&h);
}
END_TEST

START_TEST(a_host_closes_right_after_it_was_opened)
{
	struct hosting h;

	hosting_begin(&h, 3);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(hosting_open(&h, 0), 0);
		host_close(h.hosted[0].host, 0);
	}
	hosting_end(&h);
}
END_TEST

static void refused(struct hosting *h, size_t i, int rc, const char *text)
{
	int fds = scratch_fds(), threads = scratch_threads();
	struct host *host;
	int got = host_open(&host, &h->hosted[i].config, h->error);

	ck_assert_msg(got == rc, "%d instead of %d: %s", got, rc, h->error);
	ck_assert_msg(strstr(h->error, text), "%s", h->error);
	ck_assert_ptr_null(host);
	ck_assert_int_eq(scratch_fds(), fds);
	scratch_await_threads(threads);
}

/* So that what libuv keeps for the process is there. */
static void warm_up(struct hosting *h)
{
	ck_assert_int_eq(hosting_open(h, 0), 0);
	hosting_close(h, 0);
}

START_TEST(a_directory_in_use_is_refused_and_nothing_is_left_behind)
{
	struct hosting h;

	hosting_begin(&h, 3);
	ck_assert_int_eq(hosting_open(&h, 0), 0);
	refused(&h, 0, HF_EINUSE, "in use");
	hosting_close(&h, 0);
	hosting_end(&h);
}
END_TEST

START_TEST(an_address_in_use_is_refused_and_nothing_is_left_behind)
{
	struct hosting h;

	hosting_begin(&h, 3);
	warm_up(&h);
	ck_assert_int_eq(hosting_open(&h, 1), 0);
	h.members[0].address = h.members[1].address;
	refused(&h, 0, HF_EADDRESS, "in use");
	hosting_close(&h, 1);
	hosting_end(&h);
}
END_TEST

START_TEST(a_damaged_log_is_refused_and_nothing_is_left_behind)
{
	char path[SCRATCH_PATH_MAX + 80];
	struct hosting h;

	hosting_begin(&h, 1);
	ck_assert_int_eq(hosting_open(&h, 0), 0);
	hosting_wait_safe(&h, 0);
	hosting_close(&h, 0);
	snprintf(path, sizeof(path),
		 "%s/group-1/0000000000000001-0000000000000001",
		 h.hosted[0].dir);
	int fd = open(path, O_RDWR);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "damage", 6, 40), 6);
	close(fd);
	refused(&h, 0, HF_ECORRUPT, "");
	ck_assert_int_gt((int)strlen(h.error), 10);
	hosting_end(&h);
}
END_TEST

START_TEST(a_damaged_vote_is_refused_and_nothing_is_left_behind)
{
	char path[SCRATCH_PATH_MAX + 80];
	struct hosting h;

	hosting_begin(&h, 1);
	warm_up(&h);
	snprintf(path, sizeof(path), "%s/vote-1", h.hosted[0].dir);
	ck_assert_int_eq(truncate(path, 10), 0);
	refused(&h, 0, HF_ECORRUPT, "vote-1");
	hosting_end(&h);
}
END_TEST

static void close_in_child(struct host *host)
{
	if (!host_forked(host))
		_exit(1);
	host_close(host, 1000000); /* must not wait for a thread */
	_exit(0);
}

START_TEST(a_forked_child_knows_and_harms_nothing)
{
	struct hosting h;
	int status;

	hosting_begin(&h, 1);
	ck_assert_int_eq(hosting_open(&h, 0), 0);
	hosting_wait_safe(&h, 0);
	ck_assert(!host_forked(h.hosted[0].host));
	pid_t child = fork();
	if (child == 0)
		close_in_child(h.hosted[0].host);
	waitpid(child, &status, 0);
	ck_assert_int_eq(status, 0);
	ck_assert(!host_forked(h.hosted[0].host));
	hosting_close(&h, 0);
	hosting_end(&h);
}
END_TEST

static void look_at_signals(struct host *host, void *arg)
{
	sigset_t blocked;

	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	*(bool *)arg = host_on_thread(host) &&
		       sigismember(&blocked, SIGTERM) == 1 &&
		       sigismember(&blocked, SIGPIPE) == 1 &&
		       sigismember(&blocked, SIGSEGV) == 0;
}

START_TEST(the_thread_leaves_signals_to_the_process)
{
	struct hosting h;
	bool right = false;

	hosting_begin(&h, 1);
	ck_assert_int_eq(hosting_open(&h, 0), 0);
	ck_assert(!host_on_thread(h.hosted[0].host));
	hosting_run(&h, 0, look_at_signals, &right);
	ck_assert(right);
	hosting_close(&h, 0);
	hosting_end(&h);
}
END_TEST

START_TEST(a_relative_directory_survives_a_later_chdir)
{
	struct hosting h;

	hosting_begin(&h, 1);
	ck_assert_int_eq(chdir(h.root), 0);
	h.hosted[0].config.dir = "1";
	ck_assert_int_eq(hosting_open(&h, 0), 0);
	ck_assert_int_eq(chdir("/"), 0);
	hosting_wait_safe(&h, 0);
	hosting_close(&h, 0);
	ck_assert_int_eq(chdir(h.root), 0);
	ck_assert_int_eq(hosting_open(&h, 0), 0);
	hosting_wait_safe(&h, 0);
	hosting_close(&h, 0);
	ck_assert_int_eq(chdir("/"), 0);
	hosting_end(&h);
}
END_TEST

START_TEST(a_member_killed_at_once_opens_again)
{
	struct hosting h;

	hosting_begin(&h, 1);
	for (int i = 0; i < 4; i++) {
		pid_t child = fork();
		if (child == 0) {
			if (hosting_open(&h, 0) != 0)
				_exit(1);
			hosting_wait_safe(&h, 0);
			kill(getpid(), SIGKILL);
		}
		int status;
		waitpid(child, &status, 0);
		ck_assert(WIFSIGNALED(status));
	}
	ck_assert_int_eq(hosting_open(&h, 0), 0);
	hosting_wait_safe(&h, 0);
	hosting_close(&h, 0);
	hosting_end(&h);
}
END_TEST

SUITE(a_member_alone_comes_to_hold_a_session,
      three_members_find_a_leader_and_each_holds_a_session,
      what_a_thread_posts_runs_once_and_in_its_order,
      a_task_may_post_the_next_one,
      closing_gives_back_all_descriptors_and_threads,
      a_host_closes_right_after_it_was_opened,
      a_directory_in_use_is_refused_and_nothing_is_left_behind,
      an_address_in_use_is_refused_and_nothing_is_left_behind,
      a_damaged_log_is_refused_and_nothing_is_left_behind,
      a_damaged_vote_is_refused_and_nothing_is_left_behind,
      a_forked_child_knows_and_harms_nothing,
      the_thread_leaves_signals_to_the_process,
      a_relative_directory_survives_a_later_chdir,
      a_member_killed_at_once_opens_again)

/* What a node owes the process that it lives in: fork, descriptors, threads,
 * signals. */
#include "live/lib/peer.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void on_end(struct hf_lock *lock, int rc)
{
	(void)lock, (void)rc;
}

/* In the child: the number of the first call that isn't refused. */
static int call_all(struct hf_node *node, struct hf_lock *lock)
{
	struct hf_status status = { .size = sizeof(status) };
	struct hf_lock other;
	size_t total;
	const int results[] = {
		hf_lock(node, &other, "b", NULL, 1000),
		hf_trylock(node, &other, "b", NULL),
		hf_lock_start(node, &other, "b", 1, NULL, 1000, on_end),
		hf_lock_validate(lock, 1000),
		hf_lock_validate_start(lock, 1000, on_end),
		hf_lock_cancel(lock),
		hf_unlock(lock, 1000),
		hf_unlock_start(lock, 1000, on_end),
		hf_status(node, &status),
		hf_lock_status(node, "a", 1, NULL, 0, &total),
		hf_sessions(node, NULL, 0, &total),
		hf_close(node, 1000),
	};

	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++)
		if (results[i] != HF_EFORKED)
			return (int)i + 1;
	return hf_lock_safe_ms(lock) == 0 ? 0 : 100;
}

START_TEST(a_forked_childs_calls_are_refused_and_the_parent_is_unharmed)
{
	struct cluster c;
	struct hf_lock lock;
	int status;

	cluster_make(&c, 3);
	cluster_open(&c);
	for (size_t i = 0; i < 3; i++) {
		struct hf_node *node = c.nodes[i];

		ck_assert_int_eq(hf_lock(node, &lock, "a", NULL, LIVE_WAIT_MS),
				 0);
		pid_t pid = fork();
		if (pid == 0)
			_exit(call_all(node, &lock));
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFEXITED(status));
		ck_assert_int_eq(WEXITSTATUS(status), 0);
		ck_assert_uint_gt(hf_lock_safe_ms(&lock), 0);
		ck_assert_int_eq(hf_lock_validate(&lock, LIVE_WAIT_MS), 0);
		ck_assert_int_eq(hf_unlock(&lock, LIVE_WAIT_MS), 0);
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(a_child_that_lives_on_does_not_keep_the_directory)
{
	struct cluster c;
	int pipe_ends[2];
	char byte;

	cluster_make(&c, 1);
	cluster_open(&c);
	ck_assert_int_eq(pipe(pipe_ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(pipe_ends[1]);
		ssize_t len = read(pipe_ends[0], &byte, 1);
		_exit(len != 0);
	}
	close(pipe_ends[0]);
	cluster_close_node(&c, 0);
	cluster_open_node(&c, 0);
	close(pipe_ends[1]);
	waitpid(pid, NULL, 0);
	cluster_remove(&c);
}
END_TEST

static size_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

struct usage {
	size_t fds, threads;
};

static struct usage usage_now(void)
{
	return (struct usage){ .fds = count_entries("/proc/self/fd"),
			       .threads = count_entries("/proc/self/task") };
}

/* A thread that was joined may still be listed for a moment. */
static bool no_more_than(void *arg)
{
	const struct usage *before = arg;
	struct usage now = usage_now();

	return now.fds <= before->fds && now.threads <= before->threads;
}

static void open_use_and_close(void)
{
	struct cluster c;
	struct hf_lock locks[3];

	cluster_make(&c, 3);
	cluster_open(&c);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(hf_lock(c.nodes[i], &locks[i], c.addresses[i],
					 NULL, LIVE_WAIT_MS),
				 0);
	cluster_remove(&c);
}

START_TEST(close_gives_back_every_descriptor_and_thread)
{
	open_use_and_close(); /* libuv keeps a pool of threads for good */
	struct usage before = usage_now();

	for (int i = 0; i < 3; i++)
		open_use_and_close();
	ck_assert_msg(live_wait(no_more_than, &before),
		      "%zu descriptors and %zu threads, before %zu and %zu",
		      usage_now().fds, usage_now().threads, before.fds,
		      before.threads);
}
END_TEST

/* Early, by its identity, and late, when all but the listener is there. */
START_TEST(an_open_that_fails_leaves_nothing_behind)
{
	struct hf_options other, busy;
	struct cluster c;
	struct hf_node *node;

	open_use_and_close();
	cluster_make(&c, 3);
	cluster_open_node(&c, 0);
	ck_assert_int_eq(hf_close(c.nodes[0], 0), 0);
	c.nodes[0] = NULL;
	int listener = live_listen(c.addresses[1]);
	struct usage before = usage_now();
	other = cluster_options(&c, 0);
	other.cluster = "other";
	busy = cluster_options(&c, 1);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(hf_open(&node, &other, NULL), HF_EIDENTITY);
		ck_assert_int_eq(hf_open(&node, &busy, NULL), HF_EADDRESS);
	}
	ck_assert(live_wait(no_more_than, &before));
	close(listener);
	cluster_remove(&c);
}
END_TEST

static volatile sig_atomic_t taken;

static void on_signal(int number)
{
	(void)number;
	taken++;
}

START_TEST(a_nodes_thread_takes_none_of_the_processs_signals)
{
	const struct timespec nap = { .tv_nsec = 20000000 };
	struct cluster c;
	sigset_t set, old, pending;

	cluster_make(&c, 1);
	cluster_open(&c);
	signal(SIGUSR1, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGUSR1);
	nanosleep(&nap, NULL); /* enough for another thread to take it */
	sigpending(&pending);
	ck_assert(sigismember(&pending, SIGUSR1));
	ck_assert_int_eq(taken, 0);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	ck_assert_int_eq(taken, 1);
	signal(SIGUSR1, SIG_DFL);
	cluster_remove(&c);
}
END_TEST

START_TEST(the_working_directory_may_change)
{
	char before[LIVE_PATH_MAX * 4];
	struct cluster c;
	struct hf_lock lock;

	ck_assert_ptr_nonnull(getcwd(before, sizeof(before)));
	cluster_make(&c, 1);
	ck_assert_int_eq(chdir(c.dir), 0);
	strcpy(c.dirs[0], "node-1");
	cluster_open(&c);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(hf_lock(c.nodes[0], &lock, "a", NULL, LIVE_WAIT_MS),
			 0);
	cluster_close_node(&c, 0);
	ck_assert_int_eq(chdir(before), 0);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(a_forked_childs_calls_are_refused_and_the_parent_is_unharmed,
	   a_child_that_lives_on_does_not_keep_the_directory,
	   close_gives_back_every_descriptor_and_thread,
	   an_open_that_fails_leaves_nothing_behind,
	   a_nodes_thread_takes_none_of_the_processs_signals,
	   the_working_directory_may_change)

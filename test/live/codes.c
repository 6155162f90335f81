/* Each error of the header comes out of a call; test/lib/errors looks whether
 * one is left out. */
#include "lib/seen.h"
#include "live/lib/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHORT_MS 50
#define UNSURE_TTL_MS 500

static bool is_called(void *arg)
{
	return ((struct seen_lock *)arg)->called;
}

static bool is_told(void *arg)
{
	return ((struct seen_failure *)arg)->told;
}

static void take(struct hf_node *node, struct hf_lock *lock)
{
	int rc = hf_lock(node, lock, "a", NULL, LIVE_WAIT_MS);

	ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
}

static void open_three(struct cluster *c)
{
	cluster_make(c, 3);
	cluster_open(c);
}

/* Close without waiting for the session's end. */
static void leave(struct cluster *c, size_t i)
{
	ck_assert_int_eq(hf_close(c->nodes[i], 0), 0);
	c->nodes[i] = NULL;
}

static void lose_the_majority(struct cluster *c)
{
	leave(c, 1);
	leave(c, 2);
}

/* calloc fails in this thread. The library's own comes first; a sanitizer has
 * one of its own, which is left alone. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZER
#endif
#endif
#if !defined(SANITIZER) && !defined(__SANITIZE_ADDRESS__) && \
	!defined(__SANITIZE_THREAD__)
static _Thread_local bool out_of_memory;

void *__libc_calloc(size_t len, size_t size);

__attribute__((visibility("default"))) void *calloc(size_t len, size_t size)
{
	return out_of_memory ? NULL : __libc_calloc(len, size);
}

START_TEST(an_open_without_memory_says_so)
{
	struct hf_node *node;
	struct cluster c;

	cluster_make(&c, 1);
	struct hf_options o = cluster_options(&c, 0);
	out_of_memory = true;
	bool well = is_error(HF_ENOMEM, hf_open, &node, &o, NULL);
	out_of_memory = false;
	ck_assert(well);
	ck_assert_ptr_null(node);
	cluster_remove(&c);
}
END_TEST
#else
START_TEST(an_open_without_memory_says_so)
{
	/* Asked without a sanitizer. */
}
END_TEST
#endif

START_TEST(an_open_that_cannot_be_says_why)
{
	struct hf_options o = { .size = sizeof(o) };
	struct hf_node *node;
	struct cluster c;
	char path[LIVE_PATH_MAX + 32];

	expect_error(HF_EINVAL, hf_open, &node, &o, NULL);
	o.dir = "/proc/nowhere/at/all";
	expect_error(HF_EIO, hf_open, &node, &o, NULL);
	o.dir = "/proc/self";
	expect_error(HF_EFILESYSTEM, hf_open, &node, &o, NULL);
	cluster_make(&c, 1);
	cluster_open(&c);
	o = cluster_options(&c, 0);
	expect_error(HF_EINUSE, hf_open, &node, &o, NULL);
	cluster_close_node(&c, 0);
	o.cluster = "another";
	expect_error(HF_EIDENTITY, hf_open, &node, &o, NULL);
	snprintf(path, sizeof(path), "%s/identity", c.dirs[0]);
	FILE *file = fopen(path, "r+");
	ck_assert_ptr_nonnull(file);
	fputc('#', file);
	fclose(file);
	o = cluster_options(&c, 0);
	expect_error(HF_ECORRUPT, hf_open, &node, &o, NULL);
	cluster_remove(&c);
}
END_TEST

START_TEST(an_open_at_an_address_that_is_taken_says_so)
{
	struct hf_node *node;
	struct cluster c;

	cluster_make(&c, 3);
	int listener = live_listen(c.addresses[0]);
	struct hf_options o = cluster_options(&c, 0);
	expect_error(HF_EADDRESS, hf_open, &node, &o, NULL);
	close(listener);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_request_that_the_cluster_refuses_says_why)
{
	struct hf_lock_options permits = { .size = sizeof(permits),
					   .mode = HF_PERMITS,
					   .limit = 3 };
	struct hf_lock_options delayed = { .size = sizeof(delayed),
					   .delay_ms = 3600001 };
	struct hf_lock lock, other;
	struct cluster c;

	open_three(&c);
	take(c.nodes[0], &lock);
	expect_error(HF_EHELD, hf_trylock, c.nodes[1], &other, "a", NULL);
	expect_error(HF_ETIMEDOUT, hf_lock, c.nodes[1], &other, "a", NULL,
		     SHORT_MS);
	expect_error(HF_ELIMIT, hf_trylock, c.nodes[1], &other, "b", &delayed);
	ck_assert_int_eq(hf_unlock(&lock, LIVE_WAIT_MS), 0);
	expect_error(HF_ENOTHELD, hf_unlock, &lock, LIVE_WAIT_MS);
	ck_assert_int_eq(
		hf_lock(c.nodes[0], &lock, "s", &permits, LIVE_WAIT_MS), 0);
	permits.limit = 4;
	expect_error(HF_EPERMITS, hf_trylock, c.nodes[1], &other, "s",
		     &permits);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_stale_token_is_fenced)
{
	struct hf_guard guard = { 0 };
	struct hf_lock lock;
	struct cluster c;
	uint64_t tokens[2];

	cluster_make(&c, 1);
	cluster_open(&c);
	for (int i = 0; i < 2; i++) {
		take(c.nodes[0], &lock);
		tokens[i] = hf_lock_token(&lock);
		ck_assert_int_eq(hf_unlock(&lock, LIVE_WAIT_MS), 0);
	}
	ck_assert_int_eq(hf_guard_check(&guard, HF_EXCLUSIVE, tokens[1]), 0);
	expect_error(HF_EFENCED, hf_guard_check, &guard, HF_EXCLUSIVE,
		     tokens[0]);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_wait_that_is_cancelled_or_closed_says_so)
{
	struct seen_lock cancelled = { .rc = 0 }, closed = { .rc = 0 };
	struct hf_lock lock;
	struct cluster c;

	open_three(&c);
	take(c.nodes[0], &lock);
	ck_assert_int_eq(
		seen_lock_start(c.nodes[1], &cancelled, "a", HF_FOREVER), 0);
	ck_assert_int_eq(hf_lock_cancel(&cancelled.lock), 0);
	ck_assert(live_wait(is_called, &cancelled));
	expect_result(HF_ECANCELED, &cancelled);
	ck_assert_int_eq(seen_lock_start(c.nodes[1], &closed, "a", HF_FOREVER),
			 0);
	cluster_close_node(&c, 1);
	expect_result(HF_ECLOSED, &closed);
	cluster_remove(&c);
}
END_TEST

START_TEST(without_a_majority_a_lock_has_no_leader_and_an_unlock_is_unknown)
{
	struct hf_lock lock, other;
	struct cluster c;

	open_three(&c);
	take(c.nodes[0], &lock);
	lose_the_majority(&c);
	expect_error(HF_EUNKNOWN, hf_unlock, &lock, SHORT_MS);
	leave(&c, 0);
	/* One that has never had a session. */
	cluster_open_node(&c, 0);
	expect_error(HF_ENOLEADER, hf_lock, c.nodes[0], &other, "a", NULL,
		     SHORT_MS);
	cluster_remove(&c);
}
END_TEST

static bool is_lost(void *arg)
{
	struct hf_lock *lock = arg;

	return status_of(lock->node).session_state == HF_SESSION_LOST ||
	       hf_lock_validate(lock, SHORT_MS) == HF_ESESSION;
}

START_TEST(a_hold_of_a_session_that_was_given_up_is_lost)
{
	struct hf_lock lock;
	struct cluster c;

	cluster_make(&c, 3);
	for (size_t i = 0; i < 3; i++) {
		struct hf_options o = cluster_options(&c, i);

		o.ttl_ms = UNSURE_TTL_MS;
		o.unsure_is_lost = true;
		ck_assert_int_eq(hf_open(&c.nodes[i], &o, NULL), 0);
	}
	take(c.nodes[0], &lock);
	lose_the_majority(&c);
	ck_assert(live_wait(is_lost, &lock));
	expect_error(HF_ESESSION, hf_unlock, &lock, LIVE_WAIT_MS);
	cluster_remove(&c);
}
END_TEST

struct inside {
	bool refused;
	atomic_bool called;
};

static void on_inside(struct hf_lock *lock, int rc)
{
	struct inside *in = lock->data;

	in->refused = rc == 0 &&
		      is_error(HF_EINCALLBACK, hf_unlock, lock, LIVE_WAIT_MS);
	in->called = true;
}

static bool was_inside(void *arg)
{
	return ((struct inside *)arg)->called;
}

START_TEST(a_call_that_would_block_the_nodes_thread_is_refused)
{
	struct inside in = { .refused = false };
	struct hf_lock lock = { .data = &in };
	struct cluster c;

	cluster_make(&c, 1);
	cluster_open(&c);
	ck_assert_int_eq(hf_lock_start(c.nodes[0], &lock, "a", 1, NULL,
				       LIVE_WAIT_MS, on_inside),
			 0);
	ck_assert(live_wait(was_inside, &in));
	ck_assert(in.refused);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_call_in_a_forked_child_is_refused)
{
	struct hf_lock lock;
	struct cluster c;
	int status;

	cluster_make(&c, 1);
	cluster_open(&c);
	pid_t pid = fork();
	if (pid == 0)
		_exit(!is_error(HF_EFORKED, hf_trylock, c.nodes[0], &lock, "a",
				NULL));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cluster_remove(&c);
}
END_TEST

/* Member 1's directory as it was after its first process, copied; then two
 * more processes of it, which the cluster remembers. */
static void grow_old(struct cluster *c, const char *copy)
{
	struct hf_lock lock;

	cluster_open(c);
	take(c->nodes[0], &lock);
	cluster_close_node(c, 0);
	live_copy(c->dirs[0], copy);
	for (int i = 0; i < 2; i++) {
		cluster_open_node(c, 0);
		take(c->nodes[0], &lock);
		cluster_close_node(c, 0);
	}
}

START_TEST(an_older_process_of_a_member_fails_and_serves_no_more)
{
	struct seen_failure failure = { .rc = 0 };
	char copy[LIVE_PATH_MAX + 32];
	struct hf_lock lock;
	struct cluster c;

	cluster_make(&c, 3);
	snprintf(copy, sizeof(copy), "%s/copy", c.dir);
	grow_old(&c, copy);
	/* Those who had a link to the newer one would refuse an older's. */
	for (size_t i = 1; i < 3; i++) {
		cluster_close_node(&c, i);
		cluster_open_node(&c, i);
	}
	struct hf_options o = cluster_options(&c, 0);
	o.dir = copy;
	o.adopt = true;
	o.on_event = seen_on_event;
	o.arg = &failure;
	ck_assert_int_eq(hf_open(&c.nodes[0], &o, NULL), 0);
	ck_assert(live_wait(is_told, &failure));
	expect_failure(HF_EOLDBOOT, &failure);
	expect_error(HF_EFAILED, hf_trylock, c.nodes[0], &lock, "a", NULL);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(an_open_without_memory_says_so, an_open_that_cannot_be_says_why,
	   an_open_at_an_address_that_is_taken_says_so,
	   a_request_that_the_cluster_refuses_says_why, a_stale_token_is_fenced,
	   a_wait_that_is_cancelled_or_closed_says_so,
	   without_a_majority_a_lock_has_no_leader_and_an_unlock_is_unknown,
	   a_hold_of_a_session_that_was_given_up_is_lost,
	   a_call_that_would_block_the_nodes_thread_is_refused,
	   a_call_in_a_forked_child_is_refused,
	   an_older_process_of_a_member_fails_and_serves_no_more)

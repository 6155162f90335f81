/* Requests other than for locks: when they call back, and with what. */
#include "lib/seen.h"
#include "live/lib/peer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHORT_MS 50
#define LARGE 65536
#define MANY 60 /* more than are sent at once */

static void put(struct hf_node *node, const char *name, const char *value)
{
	int rc = hf_put(node, name, value, strlen(value), NULL, NULL,
			LIVE_WAIT_MS);

	ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
}

/* An asynchronous request. */
struct async {
	struct hf_request request;
	int rc;
	atomic_int calls;
};

static void on_end(struct hf_request *request, int rc)
{
	struct async *a = request->data;

	a->rc = rc;
	a->calls++;
}

static bool is_called(void *arg)
{
	return ((struct async *)arg)->calls > 0;
}

static void on_change(struct hf_watch *watch, const struct hf_change *change)
{
	(void)watch;
	(void)change;
}

static void finished(struct async *a, int rc)
{
	ck_assert(live_wait(is_called, a));
	ck_assert_msg(a->rc == rc, "%s", hf_strerror(a->rc));
	ck_assert_int_eq(a->calls, 1);
}

static struct async *async_new(struct async *a)
{
	*a = (struct async){ .rc = 1 };
	a->request.data = a;
	return a;
}

START_TEST(each_asynchronous_call_calls_back_once)
{
	struct hf_put_options other = { .size = sizeof(other),
					.if_version = true };
	struct cluster c;
	struct async a;
	struct hf_value v = { 0 };
	char bytes[8] = "";

	cluster_make(&c, 3);
	cluster_open(&c);
	struct hf_node *node = c.nodes[cluster_follower(&c)];
	ck_assert_int_eq(hf_put_start(node, &async_new(&a)->request, "a", 1,
				      "abc", 3, NULL, LIVE_WAIT_MS, on_end),
			 0);
	finished(&a, 0);
	uint64_t version = a.request.version;
	ck_assert_uint_gt(version, 0);
	ck_assert_int_eq(hf_get_start(node, &async_new(&a)->request, "a", 1,
				      bytes, 8, &v, HF_LATEST, LIVE_WAIT_MS,
				      on_end),
			 0);
	finished(&a, 0);
	ck_assert_str_eq(bytes, "abc");
	ck_assert_uint_eq(v.version, version);
	ck_assert_int_eq(hf_get_start(node, &async_new(&a)->request, "b", 1,
				      NULL, 0, NULL, HF_LOCAL, 0, on_end),
			 0);
	finished(&a, HF_ENOVALUE);
	ck_assert_int_eq(hf_add_start(node, &async_new(&a)->request, "n", 1, 3,
				      NULL, LIVE_WAIT_MS, on_end),
			 0);
	finished(&a, 0);
	ck_assert_int_eq(a.request.number, 3);
	ck_assert_int_eq(
		hf_get(node, "n", NULL, 0, &v, HF_LATEST, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_add_start(node, &async_new(&a)->request, "n", 1, 3,
				      &other, LIVE_WAIT_MS, on_end),
			 0);
	finished(&a, HF_EVERSION);
	ck_assert_uint_eq(a.request.version, v.version);
	ck_assert_int_eq(hf_await_start(node, &async_new(&a)->request, "n", 1,
					HF_AT_LEAST, 2, LIVE_WAIT_MS, on_end),
			 0);
	finished(&a, 0);
	ck_assert_int_eq(a.request.number, 3);
	ck_assert_int_eq(hf_delete_start(node, &async_new(&a)->request, "a", 1,
					 NULL, LIVE_WAIT_MS, on_end),
			 0);
	finished(&a, 0);
	ck_assert_int_eq(hf_revoke_start(node, &async_new(&a)->request, 99999,
					 0, "why", LIVE_WAIT_MS, on_end),
			 0);
	finished(&a, HF_ENOTHELD);
	ck_assert_int_eq(hf_set_limit_start(node, &async_new(&a)->request, "s",
					    1, 0, LIVE_WAIT_MS, on_end),
			 0);
	finished(&a, 0);
	cluster_remove(&c);
}
END_TEST

/* What is allowed in a callback, and what isn't. */
static void on_inside(struct hf_request *request, int rc)
{
	struct async *a = request->data;
	struct hf_node *node = request->node;
	bool well = rc == 0;

	well = well && is_error(HF_EINCALLBACK, hf_put, node, "a", "", 0, NULL,
				NULL, 1000);
	well = well &&
	       is_error(HF_EINCALLBACK, hf_delete, node, "a", NULL, 1000);
	well = well &&
	       is_error(HF_EINCALLBACK, hf_add, node, "n", 1, NULL, NULL, 1000);
	well = well && is_error(HF_EINCALLBACK, hf_get, node, "a", NULL, 0,
				NULL, HF_LATEST, 1000);
	well = well && is_error(HF_EINCALLBACK, hf_await, node, "a", HF_ABSENT,
				0, 1000);
	well = well &&
	       is_error(HF_EINCALLBACK, hf_revoke, node, 1, 0, NULL, 1000);
	well = well &&
	       is_error(HF_EINCALLBACK, hf_set_limit, node, "s", 1, 1000);
	well = well && hf_retry_ms(node, 0) > 0 &&
	       hf_get(node, "a", NULL, 0, NULL, HF_LOCAL, 0) == 0;
	a->rc = well ? hf_delete_start(node, request, "a", 1, NULL,
				       LIVE_WAIT_MS, on_end)
		     : -1;
	if (a->rc)
		a->calls++;
}

START_TEST(a_callback_may_start_others_and_look_but_not_wait)
{
	struct cluster c;
	struct async a;

	cluster_make(&c, 1);
	cluster_open(&c);
	ck_assert_int_eq(hf_put_start(c.nodes[0], &async_new(&a)->request, "a",
				      1, "x", 1, NULL, LIVE_WAIT_MS, on_inside),
			 0);
	finished(&a, 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_bad_argument_is_refused)
{
	struct hf_put_options o = { .size = 0 };
	char name[HF_NAME_MAX + 1] = "";
	struct hf_request r = { 0 };
	struct cluster c;

	cluster_make(&c, 1);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0];
	expect_error(HF_EINVAL, hf_put, NULL, "a", "", 0, NULL, NULL, 1);
	expect_error(HF_EINVAL, hf_put, node, NULL, "", 0, NULL, NULL, 1);
	expect_error(HF_EINVAL, hf_put, node, "", "", 0, NULL, NULL, 1);
	expect_error(HF_EINVAL, hf_put, node, "a", NULL, 1, NULL, NULL, 1);
	expect_error(HF_EINVAL, hf_put, node, "a", "", 0, &o, NULL, 1);
	expect_error(HF_EINVAL, hf_put_start, node, NULL, "a", 1, "", 0, NULL,
		     1, on_end);
	expect_error(HF_EINVAL, hf_put_start, node, &r, "a", 1, "", 0, NULL, 1,
		     NULL);
	expect_error(HF_EINVAL, hf_put_start, node, &r, name, sizeof(name), "",
		     0, NULL, 1, on_end);
	expect_error(HF_EINVAL, hf_delete, node, NULL, NULL, 1);
	expect_error(HF_EINVAL, hf_delete_start, node, &r, "", 0, NULL, 1,
		     on_end);
	expect_error(HF_EINVAL, hf_add, node, "", 1, NULL, NULL, 1);
	o = (struct hf_put_options){ .size = sizeof(o), .if_version = true };
	o.version = UINT64_MAX - 1;
	expect_error(HF_EINVAL, hf_put, node, "a", "", 0, &o, NULL, 1);
	expect_error(HF_EINVAL, hf_get, node, NULL, NULL, 0, NULL, HF_LATEST,
		     1);
	expect_error(HF_EINVAL, hf_get, node, "a", NULL, 1, NULL, HF_LATEST, 1);
	expect_error(HF_EINVAL, hf_get, node, "a", NULL, 0, NULL,
		     (enum hf_read)2, 1);
	expect_error(HF_EINVAL, hf_get, NULL, "a", NULL, 0, NULL, HF_LOCAL, 1);
	expect_error(HF_EINVAL, hf_await, node, "a", (enum hf_condition)0, 0,
		     1);
	expect_error(HF_EINVAL, hf_await, node, "a", (enum hf_condition)6, 0,
		     1);
	expect_error(HF_EINVAL, hf_await, node, "", HF_ABSENT, 0, 1);
	expect_error(HF_EINVAL, hf_await, node, "a", HF_AT_MOST, INT64_MAX, 1);
	cluster_remove(&c);
}
END_TEST

/* In a child: what each call answers, as bits of the exit status. */
static int in_a_child(struct hf_node *node, struct hf_watch *watch)
{
	struct hf_request r = { 0 };
	struct hf_watch other = { 0 };
	bool well =
		is_error(HF_EFORKED, hf_put, node, "a", "", 0, NULL, NULL, 1) &&
		is_error(HF_EFORKED, hf_put_start, node, &r, "a", 1, "", 0,
			 NULL, 1, on_end) &&
		is_error(HF_EFORKED, hf_get, node, "a", NULL, 0, NULL, HF_LOCAL,
			 1) &&
		is_error(HF_EFORKED, hf_await, node, "a", HF_ABSENT, 0, 1) &&
		is_error(HF_EFORKED, hf_watch, node, &other, "a", 1, 0, 0,
			 on_change) &&
		is_error(HF_EFORKED, hf_unwatch, watch) &&
		hf_retry_ms(node, 0) > 0;

	return well ? 0 : 1;
}

START_TEST(a_forked_child_has_no_part_in_it)
{
	struct hf_watch watch;
	struct cluster c;
	int status = 1;

	cluster_make(&c, 1);
	cluster_open(&c);
	ck_assert_int_eq(hf_watch(c.nodes[0], &watch, "a", 1, 0, 0, on_change),
			 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(in_a_child(c.nodes[0], &watch));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(hf_unwatch(&watch), 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(without_a_majority_it_is_said_whether_anything_can_have_happened)
{
	struct cluster c;
	struct async a;
	struct hf_value v = { 0 };
	int rc = 0;

	cluster_make(&c, 3);
	cluster_open(&c);
	size_t leader = cluster_leader(&c);
	struct hf_node *node = c.nodes[leader];
	put(node, "a", "x");
	for (size_t i = 0; i < 3; i++)
		if (i != leader) {
			hf_close(c.nodes[i], 0);
			c.nodes[i] = NULL;
		}
	ck_assert_int_eq(hf_put_start(node, &async_new(&a)->request, "a", 1,
				      "y", 1, NULL, 1500, on_end),
			 0);
	ck_assert(live_wait(is_called, &a));
	/* It had been sent, unless the leader had noticed already. */
	ck_assert(a.rc == HF_EUNKNOWN || a.rc == HF_ENOLEADER ||
		  a.rc == HF_ETIMEDOUT);
	rc = hf_put(node, "a", "z", 1, NULL, NULL, SHORT_MS);
	ck_assert(rc == HF_ENOLEADER || rc == HF_ETIMEDOUT);
	rc = hf_get(node, "a", NULL, 0, &v, HF_LATEST, SHORT_MS);
	ck_assert(rc == HF_ENOLEADER || rc == HF_ETIMEDOUT);
	ck_assert_int_eq(hf_get(node, "a", NULL, 0, &v, HF_LOCAL, 0), 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(close_calls_back_everybody_who_waits)
{
	struct async a[3];
	struct cluster c;

	cluster_make(&c, 3);
	cluster_open(&c);
	size_t i = cluster_follower(&c);
	ck_assert_int_eq(hf_await_start(c.nodes[i], &async_new(&a[0])->request,
					"a", 1, HF_PRESENT, 0, HF_FOREVER,
					on_end),
			 0);
	ck_assert_int_eq(hf_await_start(c.nodes[i], &async_new(&a[1])->request,
					"n", 1, HF_AT_LEAST, 5, HF_FOREVER,
					on_end),
			 0);
	ck_assert_int_eq(hf_put_start(c.nodes[i], &async_new(&a[2])->request,
				      "b", 1, "x", 1, NULL, HF_FOREVER, on_end),
			 0);
	cluster_close_node(&c, i);
	for (size_t k = 0; k < 3; k++)
		ck_assert_int_eq(a[k].calls, 1);
	ck_assert_int_eq(a[0].rc, HF_ECLOSED);
	ck_assert_int_eq(a[1].rc, HF_ECLOSED);
	ck_assert(a[2].rc == 0 || a[2].rc == HF_ECLOSED ||
		  a[2].rc == HF_EUNKNOWN);
	cluster_remove(&c);
}
END_TEST

START_TEST(the_time_before_another_try_doubles_and_differs)
{
	struct cluster c;
	uint32_t least = UINT32_MAX, most = 0;

	cluster_make(&c, 1);
	cluster_open(&c);
	put(c.nodes[0], "a", "x");
	for (unsigned i = 0; i < 100; i++) {
		uint32_t ms = hf_retry_ms(c.nodes[0], 6);

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
		ck_assert_uint_gt(hf_retry_ms(c.nodes[0], i), 0);
		ck_assert_uint_le(hf_retry_ms(c.nodes[0], UINT_MAX - i), 6000);
	}
	ck_assert_uint_lt(least, most);
	ck_assert_uint_gt(least, 300);
	ck_assert_uint_gt(hf_retry_ms(NULL, 0), 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(many_large_values_come_through)
{
	static struct async a[MANY];
	char *large = calloc(1, LARGE);
	struct cluster c;

	cluster_make(&c, 3);
	cluster_open(&c);
	struct hf_node *node = c.nodes[cluster_follower(&c)];
	for (size_t i = 0; i < MANY; i++)
		ck_assert_int_eq(hf_put_start(node, &async_new(&a[i])->request,
					      "a", 1, large, LARGE, NULL,
					      HF_FOREVER, on_end),
				 0);
	for (size_t i = 0; i < MANY; i++) {
		finished(&a[i], 0);
		ck_assert_uint_gt(a[i].request.version, 0);
	}
	free(large);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(a_forked_child_has_no_part_in_it,
	   each_asynchronous_call_calls_back_once,
	   a_callback_may_start_others_and_look_but_not_wait,
	   a_bad_argument_is_refused,
	   without_a_majority_it_is_said_whether_anything_can_have_happened,
	   close_calls_back_everybody_who_waits,
	   the_time_before_another_try_doubles_and_differs,
	   many_large_values_come_through)

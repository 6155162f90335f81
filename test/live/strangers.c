/* Strangers at a member's port. They may cost memory and time, but bounded. */
#include "lib/random.h"
#include "live/lib/peer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STRANGERS 200
#define HELLO_MAX 4096
#define HELLO_WAIT_MS 10000

/* Three members, of which the first is only this test: it listens there, and
 * the others, whose ids are larger, dial it. */
struct hall {
	struct cluster cluster;
	int listener;
};

static void hall_open(struct hall *h)
{
	cluster_make(&h->cluster, 3);
	h->listener = live_listen(h->cluster.addresses[0]);
	cluster_open_node(&h->cluster, 1);
	cluster_open_node(&h->cluster, 2);
}

static void hall_close(struct hall *h)
{
	close(h->listener);
	cluster_remove(&h->cluster);
}

static void works(struct hall *h)
{
	struct hf_lock lock;

	for (size_t i = 1; i < 3; i++) {
		struct hf_node *node = h->cluster.nodes[i];
		int rc = hf_lock(node, &lock, "a", NULL, LIVE_WAIT_MS);

		ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
		ck_assert_int_eq(hf_unlock(&lock, LIVE_WAIT_MS), 0);
		ck_assert(!status_of(node).failed);
	}
}

static void say(int fd, const void *bytes, size_t len)
{
	/* Its answer may be to hang up before we have ended. */
	ssize_t written = send(fd, bytes, len, MSG_NOSIGNAL);

	ck_assert(written > 0 || errno == EPIPE || errno == ECONNRESET);
}

/* Say these bytes to both members, then leave. */
static void say_to_both(struct hall *h, const void *bytes, size_t len)
{
	for (size_t i = 1; i < 3; i++) {
		int fd = live_connect(h->cluster.addresses[i]);

		ck_assert_int_ge(fd, 0);
		say(fd, bytes, len);
		close(fd);
	}
}

static void random_bytes(struct random *r, uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)random_next(r);
}

/* What a member says first to another that it dials. */
static size_t overhear(struct hall *h, uint8_t *bytes)
{
	struct pollfd at = { .fd = h->listener, .events = POLLIN };

	ck_assert_int_eq(poll(&at, 1, HELLO_WAIT_MS), 1);
	int fd = accept(h->listener, NULL, NULL);
	at.fd = fd;
	ck_assert_int_eq(poll(&at, 1, HELLO_WAIT_MS), 1);
	ssize_t len = read(fd, bytes, HELLO_MAX);
	ck_assert_int_gt(len, 0);
	close(fd);
	return (size_t)len;
}

START_TEST(garbage_does_no_harm)
{
	struct random r = { 1 };
	uint8_t bytes[1000];
	struct hall h;

	hall_open(&h);
	for (int i = 0; i < 50; i++) {
		random_bytes(&r, bytes, sizeof(bytes));
		say_to_both(&h, bytes, 1 + random_below(&r, sizeof(bytes)));
	}
	memset(bytes, 0xff, sizeof(bytes)); /* any length in it is huge */
	say_to_both(&h, bytes, sizeof(bytes));
	memset(bytes, 0, sizeof(bytes));
	say_to_both(&h, bytes, sizeof(bytes));
	works(&h);
	hall_close(&h);
}
END_TEST

START_TEST(a_greeting_cut_short_or_changed_does_no_harm)
{
	uint8_t hello[HELLO_MAX], changed[HELLO_MAX];
	struct random r = { 2 };
	struct hall h;

	hall_open(&h);
	size_t len = overhear(&h, hello);
	for (size_t i = 1; i < len; i += 1 + len / 40)
		say_to_both(&h, hello, i);
	for (int i = 0; i < 100; i++) {
		memcpy(changed, hello, len);
		changed[random_below(&r, len)] ^=
			(uint8_t)(1 + random_below(&r, 255));
		say_to_both(&h, changed, len);
	}
	works(&h);
	hall_close(&h);
}
END_TEST

START_TEST(a_greeting_sent_back_or_twice_does_no_harm)
{
	uint8_t hello[HELLO_MAX];
	struct random r = { 3 };
	struct hall h;

	hall_open(&h);
	for (int i = 0; i < 5; i++) {
		size_t len = overhear(&h, hello);

		say_to_both(&h, hello, len);
		random_bytes(&r, hello + len / 2, HELLO_MAX - len / 2);
		say_to_both(&h, hello, HELLO_MAX);
	}
	works(&h);
	hall_close(&h);
}
END_TEST

START_TEST(many_who_say_nothing_do_not_keep_members_apart)
{
	int fds[STRANGERS];
	struct hall h;

	hall_open(&h);
	for (size_t i = 0; i < STRANGERS; i++) {
		fds[i] = live_connect(h.cluster.addresses[1 + i % 2]);
		if (fds[i] >= 0 && i % 3 == 0)
			say(fds[i], "half a", 6);
	}
	works(&h);
	/* Also one that comes back while they are there. */
	size_t follower = cluster_follower(&h.cluster);
	ck_assert_int_eq(hf_close(h.cluster.nodes[follower], 1000), 0);
	h.cluster.nodes[follower] = NULL;
	cluster_open_node(&h.cluster, follower);
	works(&h);
	for (size_t i = 0; i < STRANGERS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	hall_close(&h);
}
END_TEST

START_TEST(a_member_of_another_cluster_is_not_let_in)
{
	struct cluster c;
	struct hf_lock lock;

	cluster_make(&c, 3);
	for (size_t i = 0; i < 3; i++) {
		struct hf_options o = cluster_options(&c, i);

		o.cluster = i == 0 ? "one" : "other";
		ck_assert_int_eq(hf_open(&c.nodes[i], &o, NULL), 0);
	}
	ck_assert_int_eq(hf_lock(c.nodes[1], &lock, "a", NULL, LIVE_WAIT_MS),
			 0);
	int rc = hf_lock(c.nodes[0], &lock, "a", NULL, 500);
	ck_assert_msg(rc == HF_ENOLEADER || rc == HF_ETIMEDOUT, "%s",
		      hf_strerror(rc));
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(garbage_does_no_harm, a_greeting_cut_short_or_changed_does_no_harm,
	   a_greeting_sent_back_or_twice_does_no_harm,
	   many_who_say_nothing_do_not_keep_members_apart,
	   a_member_of_another_cluster_is_not_let_in)

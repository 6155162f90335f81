/* Connections over the loopback device. */
#include "holdfast.h"
#include "host/address.h"
#include "host/net.h"
#include "lib/scratch.h"
#include "lib/suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

/* Both ends of what is tested: what was reported of each connection, by owner.
 */
struct end {
	struct conn *conn;
	size_t received;
	uint64_t sum; /* of position and byte */
	int connected, closed;
};

struct rig {
	uv_loop_t loop;
	struct net net;
	struct listener listener;
	struct end in, out;
	char address[64];
	char error[HF_ERROR_TEXT];
	bool refuse;        /* close what comes in */
	bool close_on_data; /* from inside the report */
	int fds;
};

static uint64_t digest(uint64_t sum, size_t at, const uint8_t *bytes,
		       size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += (at + i) * bytes[i];
	return sum;
}

static void incoming(void *arg, struct conn *conn)
{
	struct rig *r = arg;

	if (r->refuse) {
		conn_close(conn);
		return;
	}
	r->in.conn = conn;
	conn_own(conn, &r->in);
}

static void connected(void *arg, void *owner)
{
	(void)arg;
	((struct end *)owner)->connected++;
}

static void data(void *arg, void *owner, const uint8_t *bytes, size_t len)
{
	struct rig *r = arg;
	struct end *e = owner;

	e->sum = digest(e->sum, e->received, bytes, len);
	e->received += len;
	if (r->close_on_data) {
		conn_close(e->conn);
		e->conn = NULL;
	}
}

static void closed(void *arg, void *owner)
{
	struct end *e = owner;

	(void)arg;
	e->closed++;
	/* As the node does. */
	if (e->conn)
		conn_close(e->conn);
	e->conn = NULL;
}

static const struct net_calls calls = { incoming, connected, data, closed };

static void rig_begin(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	ck_assert_int_eq(uv_loop_init(&r->loop), 0);
	ck_assert_int_eq(uv_loop_close(&r->loop), 0);
	r->fds = scratch_fds();
	ck_assert_int_eq(uv_loop_init(&r->loop), 0);
	ck_assert_int_eq(net_init(&r->net, &r->loop, &calls, r, true), 0);
	ck_assert_int_eq(
		listener_open(&r->listener, &r->net, "127.0.0.1:0", r->error),
		0);
	snprintf(r->address, sizeof(r->address), "127.0.0.1:%u",
		 r->listener.port);
}

static void rig_end(struct rig *r)
{
	listener_close(&r->listener);
	net_close(&r->net);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&r->loop), 0);
	net_free(&r->net);
	ck_assert_int_eq(scratch_fds(), r->fds);
}

static void pass(struct rig *r)
{
	net_flush(&r->net);
	uv_run(&r->loop, UV_RUN_ONCE);
}

static void rig_connect(struct rig *r)
{
	r->out.conn = net_connect(&r->net, r->address, &r->out);
	ck_assert_ptr_nonnull(r->out.conn);
	ck_assert_int_eq(r->out.connected, 0); /* never inside the call */
	while (!r->out.connected || !r->in.conn)
		pass(r);
}

/* A socket of the test's own, connected to the listener. */
static int raw_connect(struct rig *r)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(r->listener.port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	while (!r->in.conn)
		pass(r);
	return fd;
}

START_TEST(bytes_arrive_in_both_directions)
{
	struct rig r;

	rig_begin(&r);
	rig_connect(&r);
	conn_write(r.out.conn, (const uint8_t *)"hello", 5);
	conn_write(r.out.conn, (const uint8_t *)" you", 4);
	conn_write(r.in.conn, (const uint8_t *)"hi", 2);
	while (r.in.received < 9 || r.out.received < 2)
		pass(&r);
	ck_assert_uint_eq(r.in.sum,
			  digest(0, 0, (const uint8_t *)"hello you", 9));
	ck_assert_int_eq(r.in.closed + r.out.closed, 0);
	rig_end(&r);
}
END_TEST

START_TEST(a_write_before_the_connection_is_up_is_kept)
{
	struct rig r;

	rig_begin(&r);
	r.out.conn = net_connect(&r.net, r.address, &r.out);
	conn_write(r.out.conn, (const uint8_t *)"early", 5);
	ck_assert_uint_eq(conn_queued(r.out.conn), 5);
	while (r.in.received < 5)
		pass(&r);
	ck_assert_uint_eq(conn_queued(r.out.conn), 0);
	rig_end(&r);
}
END_TEST

START_TEST(a_name_is_resolved_and_its_addresses_are_tried)
{
	struct rig r;

	rig_begin(&r);
	snprintf(r.address, sizeof(r.address), "localhost:%u", r.listener.port);
	rig_connect(&r);
	rig_end(&r);
}
END_TEST

START_TEST(a_refused_connection_is_reported_once_and_later)
{
	struct rig r;

	rig_begin(&r);
	/* A port that nobody listens on: one that was bound and given back. */
	listener_close(&r.listener);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	r.out.conn = net_connect(&r.net, r.address, &r.out);
	ck_assert_ptr_nonnull(r.out.conn);
	ck_assert_int_eq(r.out.closed, 0);
	while (!r.out.closed)
		pass(&r);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(r.out.closed, 1);
	ck_assert_int_eq(r.out.connected, 0);
	rig_end(&r);
}
END_TEST

START_TEST(a_connection_that_is_closed_at_once_reports_nothing)
{
	struct rig r;

	rig_begin(&r);
	struct conn *numeric = net_connect(&r.net, r.address, &r.out);
	conn_write(numeric, (const uint8_t *)"x", 1);
	conn_close(numeric);
	conn_close(net_connect(&r.net, "localhost:1", &r.out));
	net_flush(&r.net);
	rig_end(&r);
	ck_assert_int_eq(r.out.closed + r.out.connected, 0);
}
END_TEST

START_TEST(what_is_no_address_cannot_be_connected_to)
{
	static const char *const bad[] = { "",        "host",       ":1",
					   "host:",   "host:99999", "a:b:1",
					   "[::1]",   "[x]:1",      "host:-1",
					   "host:1x", "[]:1",       "::1:1" };
	struct address a;
	struct rig r;

	rig_begin(&r);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_msg(!address_parse(&a, bad[i]), "%s", bad[i]);
		ck_assert_ptr_null(net_connect(&r.net, bad[i], &r.out));
	}
	ck_assert(address_parse(&a, "[::1]:80") && a.numeric);
	ck_assert(address_parse(&a, "example.org:80") && !a.numeric);
	rig_end(&r);
}
END_TEST

START_TEST(plain_tcp_leaves_and_enters_by_loopback_only)
{
	struct listener elsewhere = { 0 };
	struct rig r;

	rig_begin(&r);
	ck_assert_ptr_null(net_connect(&r.net, "192.0.2.1:7000", &r.out));
	ck_assert_int_eq(
		listener_open(&elsewhere, &r.net, "0.0.0.0:0", r.error),
		HF_EINVAL);
	ck_assert_ptr_nonnull(strstr(r.error, "plain_tcp"));
	r.net.loopback_only = false;
	ck_assert_int_eq(
		listener_open(&elsewhere, &r.net, "0.0.0.0:0", r.error), 0);
	listener_close(&elsewhere);
	rig_end(&r);
}
END_TEST

START_TEST(an_address_in_use_and_one_of_others_are_refused)
{
	struct listener other = { 0 }, foreign = { 0 }, unknown = { 0 };
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(listener_open(&other, &r.net, r.address, r.error),
			 HF_EADDRESS);
	ck_assert_ptr_nonnull(strstr(r.error, "in use"));
	r.net.loopback_only = false;
	ck_assert_int_eq(
		listener_open(&foreign, &r.net, "192.0.2.1:7000", r.error),
		HF_EADDRESS);
	ck_assert_int_eq(
		listener_open(&unknown, &r.net, "no.invalid:7000", r.error),
		HF_EADDRESS);
	ck_assert_ptr_nonnull(strstr(r.error, "resolve"));
	uv_run(&r.loop, UV_RUN_NOWAIT);
	rig_end(&r);
}
END_TEST

START_TEST(a_reset_is_reported_as_the_end)
{
	struct linger now = { 1, 0 };
	struct rig r;

	rig_begin(&r);
	int fd = raw_connect(&r);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	while (!r.in.closed)
		pass(&r);
	ck_assert_int_eq(r.in.closed, 1);
	rig_end(&r);
}
END_TEST

/* More than the kernel's buffers hold. */
#define BIG ((size_t)24 << 20)

static uint8_t *big_bytes(void)
{
	uint8_t *bytes = malloc(BIG);

	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
	return bytes;
}

START_TEST(big_writes_wait_for_the_peer_and_arrive_whole)
{
	uint8_t *bytes = big_bytes();
	struct rig r;

	rig_begin(&r);
	rig_connect(&r);
	conn_write(r.out.conn, bytes, BIG / 2);
	net_flush(&r.net);
	ck_assert_uint_gt(conn_queued(r.out.conn), 0);
	conn_write(r.out.conn, bytes + BIG / 2, BIG / 2);
	ck_assert_uint_gt(conn_queued(r.out.conn), BIG / 2);
	while (r.in.received < BIG)
		pass(&r);
	ck_assert_uint_eq(r.in.sum, digest(0, 0, bytes, BIG));
	while (conn_queued(r.out.conn) > 0)
		pass(&r);
	free(bytes);
	rig_end(&r);
}
END_TEST

START_TEST(a_peer_that_never_reads_is_given_up_at_the_limit)
{
	uint8_t *bytes = big_bytes();
	struct rig r;

	rig_begin(&r);
	int fd = raw_connect(&r);
	for (int i = 0; i < 20 && !r.in.closed; i++) {
		conn_write(r.in.conn, bytes, BIG);
		ck_assert_int_eq(r.in.closed, 0); /* never inside */
		net_flush(&r.net);
	}
	ck_assert_int_eq(r.in.closed, 1);
	free(bytes);
	close(fd);
	rig_end(&r);
}
END_TEST

START_TEST(a_connection_closed_amid_a_write_lets_go_of_it)
{
	uint8_t *bytes = big_bytes();
	struct rig r;

	rig_begin(&r);
	rig_connect(&r);
	conn_write(r.out.conn, bytes, BIG);
	net_flush(&r.net);
	conn_close(r.out.conn);
	while (!r.in.closed)
		pass(&r);
	ck_assert_uint_lt(r.in.received, BIG);
	ck_assert_int_eq(r.out.closed, 0);
	free(bytes);
	rig_end(&r);
}
END_TEST

static volatile sig_atomic_t signalled;

static void on_sigpipe(int number)
{
	(void)number;
	signalled = 1;
}

/* As on the host's thread: SIGPIPE is blocked and stays pending. */
START_TEST(a_write_to_a_peer_that_is_gone_is_an_end_not_a_signal)
{
	struct linger now = { 1, 0 };
	sigset_t pipe_only;
	struct rig r;

	signal(SIGPIPE, on_sigpipe);
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
	rig_begin(&r);
	int fd = raw_connect(&r);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	/* The first takes note of the reset, the second meets a dead socket. */
	for (int i = 0; i < 3 && !r.in.closed; i++) {
		conn_write(r.in.conn, (const uint8_t *)"x", 1);
		net_flush(&r.net);
	}
	while (!r.in.closed)
		pass(&r);
	ck_assert_int_eq(r.in.closed, 1);
	ck_assert_int_eq(signalled, 0);
	rig_end(&r);
}
END_TEST

START_TEST(a_connection_may_be_closed_inside_its_own_report)
{
	struct rig r;

	rig_begin(&r);
	r.close_on_data = true;
	rig_connect(&r);
	conn_write(r.out.conn, (const uint8_t *)"x", 1);
	while (!r.out.closed)
		pass(&r);
	ck_assert_int_eq(r.in.closed, 0);
	rig_end(&r);
}
END_TEST

START_TEST(an_incoming_connection_may_be_refused_inside_its_report)
{
	struct rig r;

	rig_begin(&r);
	r.refuse = true;
	for (int i = 0; i < 3; i++) {
		r.out.closed = 0;
		r.out.conn = net_connect(&r.net, r.address, &r.out);
		while (!r.out.closed)
			pass(&r);
	}
	rig_end(&r);
}
END_TEST

SUITE(bytes_arrive_in_both_directions,
      a_write_before_the_connection_is_up_is_kept,
      a_name_is_resolved_and_its_addresses_are_tried,
      a_refused_connection_is_reported_once_and_later,
      a_connection_that_is_closed_at_once_reports_nothing,
      what_is_no_address_cannot_be_connected_to,
      plain_tcp_leaves_and_enters_by_loopback_only,
      an_address_in_use_and_one_of_others_are_refused,
      a_reset_is_reported_as_the_end,
      big_writes_wait_for_the_peer_and_arrive_whole,
      a_peer_that_never_reads_is_given_up_at_the_limit,
      a_connection_closed_amid_a_write_lets_go_of_it,
      a_write_to_a_peer_that_is_gone_is_an_end_not_a_signal,
      a_connection_may_be_closed_inside_its_own_report,
      an_incoming_connection_may_be_refused_inside_its_report)

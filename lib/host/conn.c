#include "host/conn.h"

#include "holdfast.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

/* libuv reads a connection up to 32 times in a row: more than the kernel keeps
 * for one, so that a turn has seen all that had come in before it. */
#define INPUT_BYTES ((size_t)256 << 10)
/* A peer that takes nothing: the node has its own limits far below. */
#define QUEUED_BYTES_MAX ((size_t)256 << 20)
/* A buffer that has grown beyond this is given back when it is empty. */
#define KEPT_BYTES_MAX ((size_t)1 << 20)
/* The kernel gives up a connection whose bytes nobody acknowledges for so long;
 * its retries would come minutes apart after a partition. */
#define UNACKED_MS 5000
#define KEEPALIVE_S 5

int net_init(struct net *net, uv_loop_t *loop, const struct net_calls *calls,
	     void *arg, bool loopback_only)
{
	*net = (struct net){ .loop = loop,
			     .calls = calls,
			     .arg = arg,
			     .loopback_only = loopback_only };
	list_init(&net->conns);
	list_init(&net->dirty);
	net->input = malloc(INPUT_BYTES);
	return net->input ? 0 : HF_ENOMEM;
}

void net_free(struct net *net)
{
	free(net->input);
	net->input = NULL;
}

struct conn *conn_new(struct net *net, void *owner)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->net = net;
	c->owner = owner;
	list_push(&net->conns, &c->link);
	list_init(&c->dirty);
	return c;
}

int conn_handle(struct conn *c)
{
	int rc = uv_tcp_init(c->net->loop, &c->tcp);

	c->tcp.data = c;
	c->has_handle = rc == 0;
	return rc;
}

void conn_release(struct conn *c)
{
	if (c->has_handle || c->looking_up)
		return;
	if (c->found)
		uv_freeaddrinfo(c->found);
	buf_free(&c->out);
	buf_free(&c->sent);
	list_remove(&c->link);
	free(c);
}

void conn_handle_closed(uv_handle_t *handle)
{
	struct conn *c = handle->data;

	c->has_handle = false;
	if (c->closing)
		conn_release(c);
	else
		dial_next(c);
}

static void let_go(struct conn *c)
{
	list_remove(&c->dirty);
	if (c->looking_up)
		uv_cancel((uv_req_t *)&c->lookup);
	if (c->has_handle && !uv_is_closing((uv_handle_t *)&c->tcp))
		uv_close((uv_handle_t *)&c->tcp, conn_handle_closed);
	conn_release(c);
}

void conn_close(struct conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	let_go(c);
}

void conn_fail(struct conn *c)
{
	if (c->closing)
		return;
	/* Its owner may close it inside the report: then nothing is left to
	 * do, but it must still be there. */
	c->closing = true;
	c->net->stirred = true;
	c->net->calls->closed(c->net->arg, c->owner);
	let_go(c);
}

/* For net_flush. */
static void mark(struct conn *c)
{
	if (list_empty(&c->dirty))
		list_push(&c->net->dirty, &c->dirty);
}

void conn_own(struct conn *c, void *owner)
{
	c->owner = owner;
}

void conn_write(struct conn *c, const uint8_t *bytes, size_t len)
{
	if (c->closing || c->failed)
		return;
	buf_put(&c->out, bytes, len);
	c->failed = c->out.failed || conn_queued(c) > QUEUED_BYTES_MAX;
	mark(c);
}

size_t conn_queued(const struct conn *c)
{
	return c->out.len + (c->writing ? c->tcp.write_queue_size : 0);
}

void conn_received(struct conn *c, const uint8_t *bytes, size_t len)
{
	c->net->stirred = true;
	c->net->calls->data(c->net->arg, c->owner, bytes, len);
}

static void lend_input(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct conn *c = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)c->net->input, INPUT_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = stream->data;

	if (n > 0)
		conn_received(c, (const uint8_t *)buf->base, (size_t)n);
	else if (n < 0)
		conn_fail(c);
}

/* Best effort: without them a dead peer is noticed later. */
static void tune(struct conn *c)
{
	int fd, interval = 2, count = 3, unacked = UNACKED_MS;

	uv_tcp_nodelay(&c->tcp, 1);
	uv_tcp_keepalive(&c->tcp, 1, KEEPALIVE_S);
	if (uv_fileno((uv_handle_t *)&c->tcp, &fd) < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof(int));
}

void conn_opened(struct conn *c)
{
	c->open = true;
	tune(c);
	if (uv_read_start((uv_stream_t *)&c->tcp, lend_input, on_read) < 0)
		c->failed = true;
	mark(c);
}

static void emptied(struct buf *b)
{
	if (b->cap > KEPT_BYTES_MAX)
		buf_free(b);
	else
		buf_clear(b);
}

static void on_written(uv_write_t *write, int status)
{
	struct conn *c = write->data;

	c->writing = false;
	emptied(&c->sent);
	if (c->closing)
		return;
	c->failed |= status < 0;
	mark(c);
}

/* What the kernel doesn't take at once is libuv's until it does; what is
 * written meanwhile collects in `out`. */
static int hand_over(struct conn *c)
{
	uv_stream_t *stream = (uv_stream_t *)&c->tcp;
	uv_buf_t all =
		uv_buf_init((char *)c->out.base, (unsigned int)c->out.len);
	int taken = uv_try_write(stream, &all, 1);

	if (taken < 0 && taken != UV_EAGAIN)
		return taken;
	if (taken == (int)c->out.len) {
		emptied(&c->out);
		return 0;
	}
	if (taken < 0)
		taken = 0;
	struct buf empty = c->sent;
	c->sent = c->out;
	c->out = empty;
	uv_buf_t rest =
		uv_buf_init((char *)c->sent.base + taken,
			    (unsigned int)c->sent.len - (unsigned int)taken);
	c->write.data = c;
	c->writing = true;
	return uv_write(&c->write, stream, &rest, 1, on_written);
}

static void flush(struct conn *c)
{
	if (!c->failed && c->open && !c->writing && c->out.len > 0)
		c->failed = hand_over(c) < 0;
	if (c->failed)
		conn_fail(c);
}

void net_flush(struct net *net)
{
	while (!list_empty(&net->dirty)) {
		struct conn *c =
			container_of(net->dirty.next, struct conn, dirty);
		list_remove(&c->dirty);
		flush(c);
	}
}

void net_close(struct net *net)
{
	list_for_safe (it, &net->conns) {
		conn_close(container_of(it, struct conn, link));
	}
}

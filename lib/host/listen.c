/* Where other nodes' connections come in. */
#include "host/address.h"
#include "host/conn.h"
#include "host/fail.h"

#include <netdb.h>

#define BACKLOG 64

static void on_incoming(uv_stream_t *stream, int status);

static void on_refused(uv_handle_t *handle)
{
	struct listener *l = handle->data;

	l->refusing = false;
	/* libuv holds the next one back until the one before was taken. */
	if (l->open)
		on_incoming((uv_stream_t *)&l->tcp, 0);
}

/* Without memory: take it and drop it, else libuv would never tell again. */
static void refuse(struct listener *l)
{
	if (l->refusing || uv_tcp_init(l->net->loop, &l->refusal) < 0)
		return;
	l->refusing = true;
	l->refusal.data = l;
	(void)uv_accept((uv_stream_t *)&l->tcp, (uv_stream_t *)&l->refusal);
	uv_close((uv_handle_t *)&l->refusal, on_refused);
}

static void on_incoming(uv_stream_t *stream, int status)
{
	struct listener *l = stream->data;
	struct net *net = l->net;

	if (status < 0 || !l->open)
		return;
	struct conn *c = conn_new(net, NULL);
	if (!c || conn_handle(c) < 0) {
		if (c)
			conn_close(c);
		refuse(l);
		return;
	}
	if (uv_accept(stream, (uv_stream_t *)&c->tcp) < 0) {
		conn_close(c);
		return;
	}
	conn_opened(c);
	net->stirred = true;
	net->calls->incoming(net->arg, c);
}

static int bind_to(struct listener *l, const struct sockaddr *at)
{
	struct sockaddr_storage bound;
	int len = sizeof(bound);
	int rc = uv_tcp_init(l->net->loop, &l->tcp);

	if (rc < 0)
		return rc;
	l->tcp.data = l;
	l->open = true;
	rc = uv_tcp_bind(&l->tcp, at, 0);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_incoming);
	if (rc == 0)
		rc = uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&bound,
					&len);
	if (rc < 0) {
		listener_close(l);
		return rc;
	}
	l->port = ntohs(bound.ss_family == AF_INET6
				? ((struct sockaddr_in6 *)&bound)->sin6_port
				: ((struct sockaddr_in *)&bound)->sin_port);
	return 0;
}

static int listen_at(struct listener *l, const struct sockaddr *at,
		     const char *text, char *error)
{
	if (l->net->loopback_only && !address_is_loopback(at))
		return fail(error, HF_EINVAL,
			    "the address %s is not loopback: links are not "
			    "encrypted, so this needs the option plain_tcp and "
			    "a network that you trust",
			    text);
	int rc = bind_to(l, at);
	return rc == 0 ? 0
		       : fail(error, HF_EADDRESS, "cannot listen on %s: %s",
			      text, uv_strerror(rc));
}

int listener_open(struct listener *l, struct net *net, const char *text,
		  char *error)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE };
	struct addrinfo *found;
	struct address address;

	l->net = net;
	if (!address_parse(&address, text))
		return fail(error, HF_EINVAL,
			    "'%s' is not an address: host:port or [v6]:port",
			    text);
	if (address.numeric)
		return listen_at(l, (struct sockaddr *)&address.at, text,
				 error);
	int rc = getaddrinfo(address.host, address.port, &hints, &found);
	if (rc != 0)
		return fail(error, HF_EADDRESS, "cannot resolve %s: %s", text,
			    gai_strerror(rc));
	rc = listen_at(l, found->ai_addr, text, error);
	freeaddrinfo(found);
	return rc;
}

void listener_close(struct listener *l)
{
	if (!l->open)
		return;
	l->open = false;
	uv_close((uv_handle_t *)&l->tcp, NULL);
}

/* The way to another node: resolve its name, try its addresses in turn. */
#include "host/address.h"
#include "host/conn.h"

#include <string.h>

static void on_connected(uv_connect_t *connect, int status)
{
	struct conn *c = connect->data;

	if (c->closing)
		return;
	if (status < 0) {
		uv_close((uv_handle_t *)&c->tcp, conn_handle_closed);
		return;
	}
	conn_opened(c);
	c->net->stirred = true;
	c->net->calls->connected(c->net->arg, c->owner);
}

/* 0: on its way. */
static int try_address(struct conn *c, const struct sockaddr *at)
{
	int rc = c->net->loopback_only && !address_is_loopback(at)
			 ? UV_EACCES
			 : conn_handle(c);

	if (rc < 0)
		return rc;
	c->connect.data = c;
	return uv_tcp_connect(&c->connect, &c->tcp, at, on_connected);
}

void dial_next(struct conn *c)
{
	while (c->next) {
		const struct sockaddr *at = c->next->ai_addr;

		c->next = c->next->ai_next;
		if (try_address(c, at) == 0)
			return;
		if (c->has_handle) {
			uv_close((uv_handle_t *)&c->tcp, conn_handle_closed);
			return;
		}
	}
	conn_fail(c);
}

static void on_found(uv_getaddrinfo_t *lookup, int status,
		     struct addrinfo *found)
{
	struct conn *c = lookup->data;

	c->looking_up = false;
	c->found = c->next = status == 0 ? found : NULL;
	if (c->closing)
		conn_release(c);
	else
		dial_next(c);
}

static int look_up(struct conn *c, const struct address *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

	c->lookup.data = c;
	int rc = uv_getaddrinfo(c->net->loop, &c->lookup, on_found,
				address->host, address->port, &hints);
	c->looking_up = rc == 0;
	return rc;
}

struct conn *net_connect(struct net *net, const char *text, void *owner)
{
	struct address address;

	if (!address_parse(&address, text))
		return NULL;
	struct conn *c = conn_new(net, owner);
	if (!c)
		return NULL;
	int rc = address.numeric
			 ? try_address(c, (struct sockaddr *)&address.at)
			 : look_up(c, &address);
	if (rc == 0)
		return c;
	conn_close(c);
	return NULL;
}

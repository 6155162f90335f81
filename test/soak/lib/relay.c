#include "relay.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN_MS 5 /* within which a cut is seen */

static struct sockaddr_in parse(const char *address)
{
	struct sockaddr_in at = { .sin_family = AF_INET };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
	return at;
}

static int open_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

struct relay *relays_add(struct relays *r, const char *target)
{
	struct relay *relay = &r->all[r->len];
	int one = 1;

	if (r->len == RELAYS_MAX || !place_address(relay->address))
		return NULL;
	snprintf(relay->target, sizeof(relay->target), "%s", target);
	struct sockaddr_in at = parse(relay->address);
	relay->listener = open_socket();
	setsockopt(relay->listener, SOL_SOCKET, SO_REUSEADDR, &one,
		   sizeof(one));
	if (bind(relay->listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(relay->listener, RELAY_WAYS_MAX) != 0)
		return NULL;
	r->len++;
	return relay;
}

static void way_close(struct way *w)
{
	close(w->from);
	close(w->to);
	memset(w, 0, sizeof(*w));
}

static struct way *way_free(struct relay *relay)
{
	for (int i = 0; i < RELAY_WAYS_MAX; i++)
		if (relay->ways[i].from == 0)
			return &relay->ways[i];
	return NULL;
}

/* A member that isn't there is one that refuses. */
static void way_open(struct relay *relay)
{
	struct sockaddr_in at = parse(relay->target);
	struct way *w = way_free(relay);
	int one = 1;

	if (!w)
		return;
	int from = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC);
	if (from < 0)
		return;
	w->from = from;
	w->to = open_socket();
	setsockopt(w->from, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one,
		   sizeof(one));
	setsockopt(w->to, IPPROTO_TCP, 1, &one, sizeof(one));
	if (connect(w->to, (struct sockaddr *)&at, sizeof(at)) != 0)
		way_close(w);
}

static short wants(const struct flow *f)
{
	return f->sent < f->len ? POLLOUT : POLLIN;
}

/* A little in, or what waits out; never in one's way for long: a member that
 * reads nothing holds up nobody but itself. False: the way has ended. */
static bool pass(struct flow *f, int from, int to, bool readable, bool writable)
{
	if (f->sent < f->len) {
		ssize_t n = writable ? send(to, f->bytes + f->sent,
					    f->len - f->sent,
					    MSG_NOSIGNAL | MSG_DONTWAIT)
				     : 0;

		f->sent += n > 0 ? (size_t)n : 0;
		return n >= 0;
	}
	if (!readable)
		return true;
	ssize_t n = recv(from, f->bytes, sizeof(f->bytes), MSG_DONTWAIT);
	f->len = n > 0 ? (size_t)n : 0;
	f->sent = 0;
	return n > 0;
}

static void way_poll(const struct way *w, struct pollfd at[2])
{
	short forth = wants(&w->forth), back = wants(&w->back);

	at[0].fd = w->from;
	at[0].events = (short)((forth & POLLIN) | (back & POLLOUT));
	at[1].fd = w->to;
	at[1].events = (short)((back & POLLIN) | (forth & POLLOUT));
	at[0].revents = at[1].revents = 0;
}

static void way_turn(struct way *w)
{
	struct pollfd at[2];
	const short in = POLLIN | POLLHUP | POLLERR;

	way_poll(w, at);
	if (poll(at, 2, 0) > 0 &&
	    (!pass(&w->forth, w->from, w->to, at[0].revents & in,
		   at[1].revents & POLLOUT) ||
	     !pass(&w->back, w->to, w->from, at[1].revents & in,
		   at[0].revents & POLLOUT)))
		way_close(w);
}

static void relay_turn(struct relay *relay)
{
	struct pollfd at = { .fd = relay->listener, .events = POLLIN };

	if (relay->cut)
		return;
	if (poll(&at, 1, 0) > 0)
		way_open(relay);
	for (int i = 0; i < RELAY_WAYS_MAX; i++)
		if (relay->ways[i].from)
			way_turn(&relay->ways[i]);
}

/* Sleep until something moves on a road that is open. */
static void wait_for_any(struct relays *r)
{
	struct pollfd at[RELAYS_MAX * (1 + 2 * RELAY_WAYS_MAX)];
	nfds_t len = 0;

	for (unsigned i = 0; i < r->len; i++) {
		struct relay *relay = &r->all[i];

		if (relay->cut)
			continue;
		at[len++] = (struct pollfd){ relay->listener, POLLIN, 0 };
		for (int k = 0; k < RELAY_WAYS_MAX; k++) {
			struct way *w = &relay->ways[k];

			if (w->from == 0)
				continue;
			way_poll(w, &at[len]);
			len += 2;
		}
	}
	poll(at, len, TURN_MS);
}

static void *run(void *arg)
{
	struct relays *r = arg;

	while (!r->over) {
		wait_for_any(r);
		for (unsigned i = 0; i < r->len; i++)
			relay_turn(&r->all[i]);
	}
	return NULL;
}

bool relays_begin(struct relays *r)
{
	r->running = pthread_create(&r->thread, NULL, run, r) == 0;
	return r->running;
}

void relays_end(struct relays *r)
{
	r->over = true;
	if (r->running)
		pthread_join(r->thread, NULL);
	for (unsigned i = 0; i < r->len; i++) {
		close(r->all[i].listener);
		for (int k = 0; k < RELAY_WAYS_MAX; k++)
			if (r->all[i].ways[k].from)
				way_close(&r->all[i].ways[k]);
	}
}

#include "wire.h"

#include "packet.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define READS_MAX 64         /* of one device in a row */
#define IDLE_US 20000        /* at most, between two looks at `stopping` */
#define QUEUED_US_MAX 500000 /* a clogged link keeps no more than this */

static bool sooner(const struct packet *a, const struct packet *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void swap(struct packet **a, struct packet **b)
{
	struct packet *was = *a;

	*a = *b;
	*b = was;
}

static void heap_push(struct wire *w, struct packet *p)
{
	size_t i = w->heap_len++;

	w->heap[i] = p;
	while (i > 0 && sooner(p, w->heap[(i - 1) / 2])) {
		swap(&w->heap[i], &w->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static struct packet *heap_pop(struct wire *w)
{
	struct packet *first = w->heap[0];
	size_t i = 0;

	w->heap[0] = w->heap[--w->heap_len];
	for (size_t child; (child = 2 * i + 1) < w->heap_len; i = child) {
		if (child + 1 < w->heap_len &&
		    sooner(w->heap[child + 1], w->heap[child]))
			child++;
		if (!sooner(w->heap[child], w->heap[i]))
			break;
		swap(&w->heap[child], &w->heap[i]);
	}
	return first;
}

static bool happens(struct wire *w, uint32_t ppm)
{
	return ppm > 0 && random_below(&w->random, MILLION) < ppm;
}

/* A device whose queue is full loses the packet, as any router does. */
static void deliver(struct wire *w, unsigned to, const uint8_t *bytes,
		    size_t len)
{
	if (write(w->ends[to].tun, bytes, len) < 0)
		w->counts[WIRE_LOST]++;
	else
		w->counts[WIRE_CARRIED]++;
}

/* When a packet arrives that is sent now; 0: never, the link is clogged. */
static uint64_t arrival(struct wire *w, unsigned from, unsigned to, size_t len,
			uint64_t now)
{
	struct link_rules *r = &w->links[from][to];
	uint64_t due = now + r->delay_us;
	uint32_t jitter = r->jitter_us, rate = r->bytes_per_s;
	uint64_t *busy = &w->busy_until[from][to];

	if (jitter)
		due += random_below(&w->random, jitter);
	if (!rate)
		return due;
	*busy = *busy > now ? *busy : now;
	if (*busy - now > QUEUED_US_MAX)
		return 0;
	*busy += len * MILLION / rate;
	if (*busy - now > due - now)
		w->counts[WIRE_CLOGGED]++;
	return due + (*busy - now);
}

static void delay(struct wire *w, unsigned from, unsigned to,
		  const uint8_t *bytes, size_t len, uint64_t due)
{
	struct packet *p;

	if (w->heap_len == WIRE_PACKETS_MAX ||
	    !(p = malloc(sizeof(*p) + len))) {
		w->counts[WIRE_LOST]++;
		return;
	}
	*p = (struct packet){ due, w->orders++, from, to, len };
	memcpy(p->bytes, bytes, len);
	heap_push(w, p);
	w->counts[WIRE_DELAYED]++;
	if (due < w->latest_due[from][to])
		w->counts[WIRE_REORDERED]++;
	else
		w->latest_due[from][to] = due;
}

static void send_on(struct wire *w, unsigned from, unsigned to,
		    const uint8_t *bytes, size_t len, uint64_t now)
{
	uint64_t due = arrival(w, from, to, len, now);

	if (due == 0)
		w->counts[WIRE_LOST]++;
	else if (due > now)
		delay(w, from, to, bytes, len, due);
	else
		deliver(w, to, bytes, len);
}

/* What the rules make of the packet itself; the new length. */
static size_t change(struct wire *w, struct link_rules *r, uint8_t *bytes,
		     size_t len)
{
	if (r->resets > 0 && packet_has_payload(bytes, len)) {
		size_t reset_len = packet_reset(bytes, len);
		if (reset_len > 0) {
			r->resets--;
			w->counts[WIRE_RESET]++;
			return reset_len;
		}
	}
	if (happens(w, r->corrupt_ppm) &&
	    packet_corrupt(bytes, len, random_next(&w->random), false))
		w->counts[WIRE_CORRUPTED]++;
	if (happens(w, r->forge_ppm) &&
	    packet_corrupt(bytes, len, random_next(&w->random), true))
		w->counts[WIRE_FORGED]++;
	return len;
}

static void carry(struct wire *w, unsigned from, uint8_t *bytes, size_t len,
		  uint64_t now)
{
	int to = packet_target(bytes, len);

	if (to < 0)
		return;
	struct link_rules *r = &w->links[from][to];
	if (r->cut) {
		w->counts[WIRE_CUT]++;
		return;
	}
	if (happens(w, r->loss_ppm)) {
		w->counts[WIRE_LOST]++;
		return;
	}
	len = change(w, r, bytes, len);
	send_on(w, from, (unsigned)to, bytes, len, now);
	if (happens(w, r->duplicate_ppm)) {
		w->counts[WIRE_DUPLICATED]++;
		send_on(w, from, (unsigned)to, bytes, len, now);
	}
}

static void take_in(struct wire *w, unsigned from, uint64_t now)
{
	uint8_t bytes[NETNS_MTU + 64];

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t len = read(w->ends[from].tun, bytes, sizeof(bytes));
		if (len <= 0)
			return;
		carry(w, from, bytes, (size_t)len, now);
	}
}

static void deliver_due(struct wire *w, uint64_t now)
{
	while (w->heap_len > 0 && w->heap[0]->due <= now) {
		struct packet *p = heap_pop(w);
		if (w->links[p->from][p->to].cut)
			w->counts[WIRE_CUT]++;
		else
			deliver(w, p->to, p->bytes, p->len);
		free(p);
	}
}

static void wait_for_packets(struct wire *w, struct pollfd *ends)
{
	uint64_t now = now_us(), us = IDLE_US;

	if (w->heap_len > 0) {
		uint64_t due = w->heap[0]->due;
		us = due <= now ? 0 : due - now < us ? due - now : us;
	}
	struct timespec wait = { .tv_nsec = (long)us * 1000 };
	if (ppoll(ends, MEMBERS_MAX, &wait, NULL) < 0)
		for (unsigned i = 0; i < MEMBERS_MAX; i++)
			ends[i].revents = 0;
}

static void *run(void *arg)
{
	struct wire *w = arg;
	struct pollfd ends[MEMBERS_MAX];

	for (unsigned i = 0; i < MEMBERS_MAX; i++)
		ends[i] = (struct pollfd){ .fd = w->ends[i].tun,
					   .events = POLLIN };
	while (!w->stopping) {
		wait_for_packets(w, ends);
		uint64_t now = now_us();
		for (unsigned i = 0; i < MEMBERS_MAX; i++)
			if (ends[i].revents)
				take_in(w, i, now);
		deliver_due(w, now_us());
	}
	while (w->heap_len > 0)
		free(heap_pop(w));
	return NULL;
}

int wire_start(struct wire *wire, uint64_t seed, char *error, size_t error_len)
{
	wire->random.state = seed;
	for (unsigned i = 0; i < MEMBERS_MAX; i++)
		if (netns_make(&wire->ends[i], i, error, error_len) < 0)
			return -1;
	if (pthread_create(&wire->thread, NULL, run, wire) != 0) {
		snprintf(error, error_len, "no thread for the wire");
		return -1;
	}
	return 0;
}

void wire_stop(struct wire *wire)
{
	wire->stopping = true;
	pthread_join(wire->thread, NULL);
	for (unsigned i = 0; i < MEMBERS_MAX; i++) {
		close(wire->ends[i].tun);
		close(wire->ends[i].fd);
	}
}

static void heal_link(struct link_rules *r)
{
	r->cut = false;
	r->loss_ppm = r->duplicate_ppm = 0;
	r->corrupt_ppm = r->forge_ppm = 0;
	r->delay_us = r->jitter_us = r->bytes_per_s = r->resets = 0;
}

void wire_heal(struct wire *wire)
{
	for (unsigned from = 0; from < MEMBERS_MAX; from++)
		for (unsigned to = 0; to < MEMBERS_MAX; to++)
			heal_link(&wire->links[from][to]);
}

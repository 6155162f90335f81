/* A node's links under strangers, impostors and peers gone mad.
 *
 * The input is a list of commands: connections come, connect and go, bytes
 * arrive raw, framed or as well-formed messages with wild contents, time
 * passes, disk or memory fail, the node's own user acquires and releases. The
 * node must not crash, leak, or keep much more memory than it was sent bytes;
 * each callback that it owes its user runs once; and only its disk and Raft's
 * own messages, whose senders are members and believed, can make it fail. */
#include "codec/raftmsg.h"
#include "fuzz/lib/asserts.h"
#include "fuzz/lib/letter.h"
#include "fuzz/lib/lone.h"
#include "fuzz/lib/target.h"

#include <stdlib.h>

/* Commands of one input. */
#define COMMANDS_MAX 300
/* What a node may keep beside what it began with: its batches and buffers, and
 * the windows of a few sessions. */
#define HEAP_GROWTH_MAX (24u << 20)

static void time_passes(struct lone *l, struct reader *c)
{
	static const uint64_t steps_us[] = { 300,    1000,   60000,   20000,
					     400000, 700000, 6000000, 10 };
	unsigned how = choose(c, 32);

	for (unsigned i = 0; i <= how / 8; i++)
		lone_pass(l, steps_us[how % 8]);
}

static void machine_fails(struct lone *l, struct reader *c)
{
	struct fake_member *d = l->disk;

	l->may_fail = true;
	switch (choose(c, 10)) {
	case 0:
		l->append_fails = true;
		break;
	case 1:
		d->refuse_append = true;
		break;
	case 2:
		d->fail_term = true;
		break;
	case 3:
		d->fail_vote = true;
		break;
	case 4:
		d->fail_get = d->fail_put = true;
		break;
	case 5:
		d->refuse_put = true;
		break;
	case 6:
		d->stuck = true;
		break;
	case 7:
	case 8:
		l->allocations = 1 + choose_byte(c);
		break;
	default:
		d->disk_us = d->get_us = 1000 * (uint64_t)choose_byte(c);
		break;
	}
}

static void user_acts(struct lone *l, struct reader *c)
{
	switch (choose(c, 4)) {
	case 0:
	case 1:
		lone_acquire(l, c);
		break;
	case 2:
		lone_release(l, c);
		break;
	default:
		lone_validate(l, c);
		break;
	}
}

static void links_change(struct lone *l, struct reader *c)
{
	struct conn *conn = &l->conns[choose(c, LONE_CONNS)];

	switch (choose(c, 4)) {
	case 0:
		lone_incoming(l);
		break;
	case 1:
		lone_connected(l, conn);
		break;
	case 2:
		lone_closed(l, conn);
		break;
	default:
		l->queued = (size_t)choose_byte(c) << 20;
		break;
	}
}

/* Everything that a peer can rightly do, in the right order. */
static void peer_arrives(struct lone *l, struct reader *c)
{
	uint64_t peer = choose(c, 2) ? 3 : 1;
	struct conn *conn = NULL;

	for (size_t i = 0; i < LONE_CONNS && peer == 1; i++)
		if (l->conns[i].open && !l->conns[i].incoming)
			conn = &l->conns[i];
	if (peer == 3)
		conn = lone_incoming(l);
	if (!conn)
		return;
	lone_connected(l, conn);
	letter_hello(l, conn, c, true);
}

static void command(struct lone *l, struct reader *c)
{
	unsigned what = choose(c, 32);
	struct conn *conn = &l->conns[choose(c, LONE_CONNS)];

	if (what < 6)
		time_passes(l, c);
	else if (what < 8)
		links_change(l, c);
	else if (what < 10)
		peer_arrives(l, c);
	else if (what < 11)
		letter_hello(l, conn, c, false);
	else if (what < 12)
		letter_raw(l, conn, c);
	else if (what < 15)
		letter_frame(l, conn, c);
	else if (what < 20)
		letter_raft(l, conn, c);
	else if (what < 27)
		letter_message(l, conn, c);
	else if (what < 28)
		l->helpful = !l->helpful;
	else if (what < 31)
		user_acts(l, c);
	else
		machine_fails(l, c);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader c = reader_of(bytes, len);
	unsigned how = choose_byte(&c);
	struct lone *l = malloc(sizeof(*l));

	must(l);
	lone_open(l, how & 1, how & 2 ? 4 : 0);
	l->helpful = how & 4;
	size_t heap = fuzz_heap();
	for (int i = 0; i < COMMANDS_MAX && choices_left(&c); i++) {
		command(l, &c);
		must(fuzz_heap() < heap + HEAP_GROWTH_MAX + 64 * len);
	}
	lone_close(l);
	free(l);
	return 0;
}

/* A sample leads: peers that help come up, a second passes; or follows. */
void fuzz_sample(struct buf *b, struct random *r)
{
	static const uint8_t begin[] = { 0, 0, 2, 8, 0, 0, 0, 0, 8, 0, 1,
					 0, 0, 0, 0, 0, 5, 0, 0, 0, 12 };

	buf_put8(b, (uint8_t)random_next(r));
	if (random_below(r, 8))
		buf_put(b, begin, sizeof(begin));
	for (uint64_t n = random_below(r, 800); n > 0; n--)
		buf_put8(b, (uint8_t)random_next(r));
}

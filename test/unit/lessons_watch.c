/* What observers are told: rules that other lock services learnt the hard way.
 * doc/lessons.md lists them all; a test's number is its rule's. */
#include "lib/machine.h"
#include "lib/stream.h"
#include "lib/suite.h"
#include "node/ring.h"

#include <stdlib.h>
#include <string.h>

#define LONG (1000 * SECOND)
#define TTL (10 * SECOND)
#define THINGS 4096 /* holds and values at one time */
#define OPS 20000

/* What an observer knows from what it was told, and from nothing else. */
struct observer {
	struct thing {
		bool value;
		uint64_t number; /* token or version */
		size_t name_len;
		uint8_t name[LOCK_NAME_MAX];
	} things[THINGS];
	size_t len;
	uint64_t index;
};

static struct thing *find(struct observer *w, const struct output *o,
			  bool value)
{
	for (size_t i = 0; i < w->len; i++) {
		struct thing *t = &w->things[i];

		if (t->value == value && t->name_len == o->name_len &&
		    memcmp(t->name, o->name, o->name_len) == 0 &&
		    (value || t->number == o->token))
			return t;
	}
	return NULL;
}

static struct thing *add(struct observer *w, const struct output *o, bool value)
{
	struct thing *t = &w->things[w->len++];

	ck_assert_uint_le(w->len, THINGS);
	t->value = value;
	t->name_len = o->name_len;
	memcpy(t->name, o->name, o->name_len);
	return t;
}

static void told(struct observer *w, const struct output *o)
{
	bool value = o->change >= CHANGE_PUT;
	struct thing *t = find(w, o, value);

	ck_assert_uint_ge(o->index, w->index);
	w->index = o->index;
	switch (o->change) {
	case CHANGE_HELD:
		ck_assert_ptr_null(t);
		add(w, o, false)->number = o->token;
		break;
	case CHANGE_PUT:
		t = t ? t : add(w, o, true);
		ck_assert_uint_gt(o->token, t->number);
		t->number = o->token;
		break;
	case CHANGE_SHOWN:
		ck_assert_ptr_nonnull(t);
		break;
	default: /* FREED, DELETED */
		ck_assert_ptr_nonnull(t);
		ck_assert_uint_eq(t->number, o->token);
		*t = w->things[--w->len];
		memset(&w->things[w->len], 0, sizeof(*t));
	}
}

static void hear(struct observer *w, const struct machine *m)
{
	for (size_t i = 0; i < m->outputs_len; i++)
		if (m->outputs[i].kind == OUTPUT_CHANGED)
			told(w, &m->outputs[i]);
}

/* Everything that there is, as the observer knows it. */
struct count {
	struct observer *w;
	size_t len;
};

static bool knows(struct observer *w, bool value, uint64_t number)
{
	for (size_t i = 0; i < w->len; i++)
		if (w->things[i].value == value &&
		    w->things[i].number == number)
			return true;
	return false;
}

static bool look(void *ctx, const struct record *r)
{
	struct count *c = ctx;

	if (r->kind == RECORD_REQUEST && r->request.state == REQUEST_HELD) {
		for (size_t i = 0; i <= r->request.more_len; i++)
			ck_assert(knows(c->w, false, r->request.token + i));
		c->len += r->request.more_len + 1;
	} else if (r->kind == RECORD_VALUE && r->value.version > 0) {
		ck_assert(knows(c->w, true, r->value.version));
		c->len++;
	}
	return true;
}

static void compare(struct observer *w, const struct core *core)
{
	struct count c = { .w = w };

	ck_assert_int_eq(core_visit_all(core, look, &c), 0);
	ck_assert_uint_eq(c.len, w->len);
}

/* No gap, nothing twice, in order: an observer that puts together what it is
 * told has the whole state after each entry. */
START_TEST(lesson_25_all_changes_in_order_make_the_whole_state)
{
	struct machine *m = malloc(sizeof(*m));
	struct stream *s = calloc(1, sizeof(*s));
	struct observer *w = calloc(1, sizeof(*w));
	size_t most = 0;

	ck_assert(m && s && w);
	machine_init(m, 1);
	core_check_every(m->core, 0);
	stream_init(s, 25);
	for (size_t ops = 0; ops < OPS;) {
		ops += stream_next(s)->ops_len;
		ck_assert_int_eq(machine_feed(m, s->index, &s->entry), 0);
		hear(w, m);
		compare(w, m->core);
		most = w->len > most ? w->len : most;
	}
	ck_assert_uint_gt(most, 5); /* or nothing was compared */
	machine_end(m);
	free(w);
	free(s);
	free(m);
}
END_TEST

static void *resize(void *ctx, void *ptr, size_t len)
{
	(void)ctx;
	if (len > 0)
		return realloc(ptr, len);
	free(ptr);
	return NULL;
}

/* An observer that comes back has all that it missed, or is told that it
 * hasn't. */
START_TEST(lesson_25_a_past_that_is_gone_is_an_error)
{
	const struct mem mem = { resize, NULL };
	struct ring ring;
	struct hf_change c;
	uint64_t behind, slow;

	ck_assert_int_eq(ring_open(&ring, &mem, RING_BYTES_MIN), 0);
	ring_restart(&ring, 0);
	behind = slow = ring.head;
	for (uint64_t i = 1; i <= 100; i++) {
		const struct output o = { .kind = OUTPUT_CHANGED,
					  .change = CHANGE_PUT,
					  .token = i,
					  .index = i,
					  .name = (const uint8_t *)"a",
					  .name_len = 1 };

		ring_put(&ring, &o);
		/* One that keeps up misses none. */
		ck_assert_int_eq(ring_next(&ring, &behind, &c), 1);
		ck_assert_uint_eq(c.index, i);
		ck_assert_int_eq(ring_next(&ring, &behind, &c), 0);
	}
	ck_assert_int_eq(ring_next(&ring, &slow, &c), HF_EGAP);
	ck_assert_uint_gt(ring.past, 0);
	slow = ring.tail;
	for (uint64_t i = ring.past + 1; i <= 100; i++) {
		ck_assert_int_eq(ring_next(&ring, &slow, &c), 1);
		ck_assert_uint_eq(c.index, i);
	}
	ring_free(&ring);
}
END_TEST

/* The ways in which a leadership ends. */
static void end_hold(struct machine *m, int way, uint64_t s, uint64_t token)
{
	switch (way) {
	case 0:
		machine_release(m, 1, s, token);
		break;
	case 1:
		machine_cancel(m, 1, s, m->seq[1]);
		break;
	case 2:
		machine_close(m, 1, s);
		break;
	case 3: /* it was held for too long */
		machine_pass(m, TTL / 2);
		break;
	default: /* the session's end */
		machine_pass(m, TTL);
	}
}

START_TEST(lesson_24_observers_are_told_when_nobody_leads)
{
	for (int way = 0; way < 5; way++) {
		struct machine m;
		struct op op;

		machine_init(&m, 1);
		uint64_t s = machine_open(&m, 1, TTL);
		op = machine_acquire_op(&m, 1, s, "leader", 0);
		op.acquire.hold = way == 3 ? TTL / 2 : 0;
		ck_assert_int_eq(machine_do(&m, &op), 0);
		uint64_t token = m.answer.token;
		const struct output *o = machine_said(&m, OUTPUT_CHANGED);
		ck_assert(o && o->change == CHANGE_HELD && o->token == token);
		end_hold(&m, way, s, token);
		o = machine_said(&m, OUTPUT_CHANGED);
		ck_assert_msg(o && o->change == CHANGE_FREED &&
				      o->token == token,
			      "way %d", way);
		ck_assert_uint_eq(machine_said_often(&m, OUTPUT_CHANGED), 1);
		/* An orderly end is told apart from a failure. */
		ck_assert_int_eq(o->status == 0, way == 0 || way == 2);
		machine_end(&m);
	}
}
END_TEST

SUITE(lesson_24_observers_are_told_when_nobody_leads,
      lesson_25_all_changes_in_order_make_the_whole_state,
      lesson_25_a_past_that_is_gone_is_an_error)

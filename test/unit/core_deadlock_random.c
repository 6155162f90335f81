/* Random small schedules of a few owners and locks: at every operation that may
 * close a circle the verdict is that of reduce.h, which tries every order, and
 * after it nobody waits who never gets through.
 *
 * DEADLOCK_SCHEDULES in the environment: how many, instead of 10000;
 * DEADLOCK_FIRST: the seed of the first. A failure prints its schedule in the
 * language of the golden scripts. */
#include "lib/machine.h"
#include "lib/picture.h"
#include "lib/random.h"
#include "lib/suite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG (1000 * SECOND)

enum { SCHEDULES = 10000, OPS = 30, NAMES = 4, SESSIONS = 3, STORY = 1 << 13 };
enum { ENOUGH = 100 }; /* of each kind, to mean something */

/* What a verdict was about. */
enum aspect { PERMITS, PRIORITIES, PARTS, CONVERSIONS, LIMITS_SET, ALL };

static const char aspect_names[][12] = { "permits",     "priorities", "parts",
					 "conversions", "limits set", "all" };

struct counts_of {
	size_t deadlocks[ALL + 1], waits[ALL + 1], broken;
};

struct schedule {
	struct machine m;
	struct random random;
	struct picture picture, after; /* before and after an operation */
	struct counts_of *counts;
	struct op_part parts[REDUCE_PARTS];
	char story[STORY];
	size_t story_len;
	uint64_t sessions[SESSIONS];
	bool permits, priorities, several, conversions, limits;
};

static uint64_t below(struct schedule *s, uint64_t n)
{
	return random_below(&s->random, n);
}

static const uint8_t *some_name(struct schedule *s)
{
	static const char names[NAMES + 1] = "abcd";

	return (const uint8_t *)&names[below(s, NAMES)];
}

__attribute__((format(printf, 2, 3))) static void tell(struct schedule *s,
						       const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(s->story + s->story_len, STORY - s->story_len, format,
			args);
	va_end(args);
	if (len > 0 && s->story_len + (size_t)len < STORY)
		s->story_len += (size_t)len;
}

static void tell_part(struct schedule *s, const char *key, const uint8_t *name,
		      enum mode mode, uint32_t permits, uint32_t limit)
{
	tell(s, " %s=%c", key, name[0]);
	if (mode == MODE_SHARED)
		tell(s, key[0] == 'a' ? ",shared" : " mode=shared");
	else if (mode == MODE_PERMITS)
		tell(s, key[0] == 'a' ? ",%u/%u" : " permits=%u limit=%u",
		     permits, limit);
}

static void tell_acquire(struct schedule *s, const struct op *op)
{
	tell(s, "acquire s%ju %ju", (uintmax_t)op->session, (uintmax_t)op->seq);
	tell_part(s, "name", op->acquire.name, op->acquire.mode,
		  op->acquire.permits, op->acquire.limit);
	for (size_t i = 0; i < op->acquire.more_len; i++) {
		const struct op_part *p = &op->acquire.more[i];

		tell_part(s, "also", p->name, p->mode, p->permits, p->limit);
	}
	if (op->acquire.from > 0)
		tell(s, " from=%ju", (uintmax_t)op->acquire.from);
	tell(s, " owner=%ju priority=%d%s\n", (uintmax_t)op->acquire.owner,
	     (int)op->acquire.priority,
	     op->acquire.wait > 0 ? " wait=forever" : "");
}

/* What it was about: all that its owner may have to wait for. */
static void count_verdict(struct schedule *s, size_t at, int verdict)
{
	bool found[REDUCE_REQUESTS], seen[ALL + 1] = { [ALL] = true };
	size_t *counts =
		verdict == HF_EDEADLK ? s->counts->deadlocks : s->counts->waits;

	reduce_closure(&s->picture.r, at, found);
	for (size_t i = 0; i < s->picture.r.requests_len; i++) {
		const struct reduce_request *r = &s->picture.r.requests[i];

		if (!found[i])
			continue;
		for (size_t k = 0; k < r->parts_len; k++)
			seen[PERMITS] |= r->parts[k].mode == MODE_PERMITS;
		seen[PRIORITIES] |= r->waits && r->priority != 0;
		seen[PARTS] |= r->waits && r->parts_len > 1;
		seen[CONVERSIONS] |= r->from != REDUCE_NONE;
	}
	for (size_t i = 0; i <= ALL; i++)
		counts[i] += seen[i];
}

/* Was there need to end waits? The picture is of before, with the operation's
 * own effect; who is let in by it, reduce.h lets in. */
static void expect_need(struct schedule *s)
{
	for (size_t i = 0; i < s->m.outputs_len; i++) {
		const struct output *o = &s->m.outputs[i];

		if (o->kind != OUTPUT_ENDED || o->status != HF_EDEADLK)
			continue;
		s->counts->broken++;
		if (!picture_stuck(
			    &s->picture,
			    picture_find(&s->picture, o->session, o->seq)))
			ck_abort_msg("a wait was ended without need:\n%s",
				     s->story);
	}
}

/* Whatever the operation did, nobody must be left who never gets through. */
static void expect_no_circle(struct schedule *s)
{
	picture_take(&s->after, s->m.core);
	for (size_t i = 0; i < s->after.r.requests_len; i++) {
		const struct reduce_request *r = &s->after.r.requests[i];

		if (r->waits && picture_stuck(&s->after, i))
			ck_abort_msg("place %ju never gets through:\n%s",
				     (uintmax_t)r->place, s->story);
	}
}

static bool is_verdict(int status)
{
	return status >= 0 || status == HF_EDEADLK || status == HF_EHELD;
}

static void do_request(struct schedule *s, const struct op *op)
{
	int status, verdict;
	size_t at;

	picture_take(&s->picture, s->m.core);
	tell_acquire(s, op);
	status = machine_do(&s->m, op);
	if (!is_verdict(status))
		return;
	verdict = picture_acquire(&s->picture, op, &at);
	if (status == HF_EHELD && verdict != 0)
		return;
	ck_assert_msg(status == verdict,
		      "answer %d, but the orders say %d:\n%s", status, verdict,
		      s->story);
	if (verdict != 0)
		count_verdict(s, at, verdict);
	expect_need(s);
	expect_no_circle(s);
}

static void some_session(struct schedule *s, struct op *op)
{
	size_t i = below(s, SESSIONS);

	op->node = i + 1;
	op->session = s->sessions[i];
	op->seq = ++s->m.seq[op->node];
}

static void set_part(struct schedule *s, enum mode *mode, uint32_t *permits,
		     uint32_t *limit)
{
	*mode = (enum mode)below(s, s->permits ? 3 : 2);
	if (*mode == MODE_EXCLUSIVE && s->permits)
		*mode = (enum mode)below(s, 3);
	if (*mode == MODE_PERMITS) {
		*permits = 1 + (uint32_t)below(s, 2);
		*limit = 3;
	}
}

static void do_acquire(struct schedule *s)
{
	struct op op = { .kind = OP_ACQUIRE };

	some_session(s, &op);
	op.acquire.owner = below(s, 8) ? 1 + below(s, 2) : 0;
	op.acquire.name = some_name(s);
	op.acquire.name_len = 1;
	op.acquire.wait = below(s, 10) ? WAIT_FOREVER : 0;
	set_part(s, &op.acquire.mode, &op.acquire.permits, &op.acquire.limit);
	if (s->priorities)
		op.acquire.priority = (int32_t)below(s, 3) - 1;
	for (size_t i = 0; s->several && below(s, 3) == 0 && i < 2; i++) {
		struct op_part *p = &s->parts[i];

		*p = (struct op_part){ .name = some_name(s), .name_len = 1 };
		set_part(s, &p->mode, &p->permits, &p->limit);
		op.acquire.more = s->parts;
		op.acquire.more_len = i + 1;
	}
	do_request(s, &op);
}

/* A hold or wait, and its session; NULL: none. */
static const struct record *some_request(struct schedule *s, struct op *op,
					 bool waits)
{
	const struct record *found = NULL;

	picture_take(&s->picture, s->m.core);
	for (size_t i = 0; i < s->picture.r.requests_len; i++) {
		if (s->picture.r.requests[i].waits == waits &&
		    (!found || below(s, 3) == 0))
			found = &s->picture.records[i];
	}
	if (!found)
		return NULL;
	for (size_t i = 0; i < SESSIONS; i++) {
		if (s->sessions[i] == found->request.session)
			op->node = i + 1;
	}
	op->session = found->request.session;
	op->seq = ++s->m.seq[op->node];
	return found;
}

static void do_conversion(struct schedule *s)
{
	struct op op = { .kind = OP_ACQUIRE };
	const struct record *hold = some_request(s, &op, false);

	if (!hold || hold->request.more_len > 0)
		return;
	op.acquire.from = hold->request.token;
	op.acquire.owner = hold->request.owner;
	op.acquire.name = picture_name(&s->picture, hold->request.lock);
	op.acquire.name_len = 1;
	op.acquire.mode = (enum mode)below(s, 2);
	op.acquire.wait = WAIT_FOREVER;
	if (hold->request.mode == MODE_PERMITS) {
		op.acquire.mode = MODE_PERMITS;
		op.acquire.permits = 1 + (uint32_t)below(s, 3);
	}
	do_request(s, &op);
}

/* After whatever lets others in. */
static void after_release(struct schedule *s)
{
	expect_need(s);
	expect_no_circle(s);
}

static void do_release(struct schedule *s)
{
	struct op op = { .kind = OP_RELEASE };
	const struct record *hold = some_request(s, &op, false);

	if (!hold)
		return;
	picture_drop(&s->picture, hold->request.session, hold->request.seq);
	op.release.token = hold->request.token;
	tell(s, "release s%ju %ju token=%ju\n", (uintmax_t)op.session,
	     (uintmax_t)op.seq, (uintmax_t)op.release.token);
	ck_assert_int_eq(machine_do(&s->m, &op), 0);
	after_release(s);
}

static void do_cancel(struct schedule *s)
{
	struct op op = { .kind = OP_CANCEL };
	const struct record *wait = some_request(s, &op, true);

	if (!wait)
		return;
	op.seq = wait->request.seq;
	picture_drop(&s->picture, op.session, op.seq);
	tell(s, "cancel s%ju %ju\n", (uintmax_t)op.session, (uintmax_t)op.seq);
	ck_assert_int_eq(machine_do(&s->m, &op), HF_ECANCELED);
	after_release(s);
}

static void do_permits(struct schedule *s)
{
	struct op op = { .kind = OP_PERMITS };
	int status, verdict;

	some_session(s, &op);
	op.permits.name = some_name(s);
	op.permits.name_len = 1;
	op.permits.limit = (uint32_t)below(s, 4);
	picture_take(&s->picture, s->m.core);
	tell(s, "permits s%ju %ju name=%c limit=%u\n", (uintmax_t)op.session,
	     (uintmax_t)op.seq, op.permits.name[0], op.permits.limit);
	status = machine_do(&s->m, &op);
	verdict = picture_permits(&s->picture, &op);
	ck_assert_msg(status == verdict,
		      "answer %d, but the orders say %d:\n%s", status, verdict,
		      s->story);
	if (verdict)
		s->counts->deadlocks[LIMITS_SET]++;
	else
		s->counts->waits[LIMITS_SET]++;
	picture_take(&s->picture, s->m.core);
	expect_no_circle(s);
}

static void do_something(struct schedule *s)
{
	uint64_t dice = below(s, 100);

	if (dice < 62)
		do_acquire(s);
	else if (dice < 72 && s->conversions)
		do_conversion(s);
	else if (dice < 80 && s->limits)
		do_permits(s);
	else if (dice < 94)
		do_release(s);
	else
		do_cancel(s);
}

static void run_schedule(struct schedule *s, uint64_t seed,
			 struct counts_of *counts)
{
	machine_init(&s->m, seed);
	s->random.state = seed;
	s->counts = counts;
	s->story_len = 0;
	s->permits = below(s, 2);
	s->priorities = below(s, 2);
	s->several = below(s, 2);
	s->conversions = below(s, 2);
	s->limits = below(s, 2);
	for (size_t i = 0; i < SESSIONS; i++) {
		s->sessions[i] = machine_open(&s->m, i + 1, LONG);
		tell(s, "open s%ju node=%zu ttl=1000s\n",
		     (uintmax_t)s->sessions[i], i + 1);
	}
	for (size_t i = 0; i < OPS; i++)
		do_something(s);
	machine_end(&s->m);
}

static uint64_t from_environment(const char *name, uint64_t other)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : other;
}

START_TEST(the_search_says_what_all_orders_say)
{
	struct schedule *s = malloc(sizeof(*s));
	struct counts_of counts = { { 0 }, { 0 }, 0 };
	uint64_t first = from_environment("DEADLOCK_FIRST", 1);
	uint64_t len = from_environment("DEADLOCK_SCHEDULES", SCHEDULES);

	ck_assert_ptr_nonnull(s);
	for (uint64_t i = 0; i < len; i++)
		run_schedule(s, first + i, &counts);
	free(s);
	for (size_t i = 0; i <= ALL && len >= SCHEDULES; i++)
		ck_assert_msg(counts.deadlocks[i] >= ENOUGH &&
				      counts.waits[i] >= ENOUGH,
			      "%s: %zu deadlocks and %zu waits only",
			      aspect_names[i], counts.deadlocks[i],
			      counts.waits[i]);
	ck_assert(len < SCHEDULES || counts.broken >= ENOUGH);
}
END_TEST

SUITE(the_search_says_what_all_orders_say)

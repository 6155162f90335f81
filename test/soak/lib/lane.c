#include "lane.h"

#include <holdfast.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BESIDE LANE_VICTIMS /* the number of the lock beside, in its lane */
#define PHASE_MS 150        /* at most, from the brink to the stop */
#define LINE_MS 2000
#define GRANT_MS 200 /* until the third member's replica shows it */
#define LOOK_US 1000
#define AFTER_TTL_MS 20
#define ANSWER_MS (2 * SLEEPER_WAIT_MS)

static bool broken(struct lane *l, const char *what)
{
	if (!*l->interrupted)
		fprintf(stderr, "pause: cluster %u: %s\n", l->number + 1, what);
	return false;
}

static unsigned lock_of(const struct lane *l, unsigned lock)
{
	return l->number * LANE_LOCKS + lock;
}

static unsigned draw(struct lane *l, unsigned below)
{
	return (unsigned)rand_r(&l->seed) % below;
}

static bool hear(struct lane *l, struct child *c, const char *format, ...)
	__attribute__((format(scanf, 3, 4)));
static bool hear(struct lane *l, struct child *c, const char *format, ...)
{
	char line[CHILD_LINE_MAX];
	va_list args;

	if (!child_hear(c, line, ANSWER_MS))
		return broken(l, "a member has ended, or says nothing");
	va_start(args, format);
	int fields = vsscanf(line, format, args);
	va_end(args);
	return fields > 0 || broken(l, line);
}

static bool find_leader(struct lane *l, unsigned *leader)
{
	uint64_t end = now_ms() + SLEEPER_WAIT_MS, who;

	while (now_ms() < end && !*l->interrupted) {
		for (unsigned i = 0; i < LANE_MEMBERS; i++) {
			struct child *c = &l->members[i];

			child_say(c, "leader\n");
			if (!hear(l, c, "leader %" SCNu64, &who))
				return false;
			*leader = i;
			if (who == i + 1)
				return true;
		}
		nap_us(20000);
	}
	return broken(l, "no leader");
}

/* Half of the time the leader is the first to be stopped, else the first is
 * any. The states that need a third member's help are the first victim's. */
static bool plan(struct lane *l, struct round *r)
{
	unsigned leader = 0, first = draw(l, LANE_MEMBERS);

	if (!find_leader(l, &leader))
		return false;
	if (draw(l, 2) == 0)
		first = leader;
	unsigned second =
		(first + 1 + draw(l, LANE_MEMBERS - 1)) % LANE_MEMBERS;
	unsigned members[LANE_VICTIMS] = { first, second };
	unsigned lives = 0;
	struct child *living[LANE_MEMBERS] = { 0 };
	for (unsigned i = 0; i < LANE_MEMBERS; i++)
		if (i != first && i != second)
			living[lives++] = &l->members[i];
	for (unsigned i = 0; i < LANE_VICTIMS; i++)
		r->victims[i] = (struct victim){
			.child = &l->members[members[i]],
			.heir = living[i],
			.lock = lock_of(l, i),
			.leads = members[i] == leader,
		};
	r->third = living[LANE_VICTIMS];
	r->victims[0].state = (enum sleeper_state)draw(l, SLEEPER_STATES);
	r->victims[1].state = draw(l, 2) ? SLEEPER_VALIDATING : SLEEPER_WRITING;
	return true;
}

static bool needs_third(const struct victim *v)
{
	return v->state == SLEEPER_WAITING || v->state == SLEEPER_GRANTED;
}

static bool third_takes(struct lane *l, struct round *r)
{
	int taken;

	child_say(r->third, "take %u\n", lock_of(l, BESIDE));
	return hear(l, r->third, "took %*u %*u %d", &taken);
}

/* A majority lives, so that the unlock of a living holder is answered. */
static bool gives(struct lane *l, struct child *c, unsigned lock)
{
	int given;

	child_say(c, "give %u\n", lock);
	if (!hear(l, c, "gave %d", &given))
		return false;
	return given != HF_EUNKNOWN ||
	       broken(l, "an unlock was never confirmed");
}

static bool third_gives(struct lane *l, struct round *r)
{
	return gives(l, r->third, lock_of(l, BESIDE));
}

static bool stand_all(struct lane *l, struct round *r)
{
	for (unsigned i = 0; i < LANE_VICTIMS; i++) {
		struct victim *v = &r->victims[i];

		child_say(v->child, "brink %u %u %u\n", v->lock,
			  (unsigned)v->state, lock_of(l, BESIDE));
		if (!hear(l, v->child, "brink %" SCNu64, &v->token))
			return false;
		child_say(v->heir, "take %u\n", v->lock);
	}
	return true;
}

static bool stop_all(struct lane *l, struct round *r)
{
	nap_us(draw(l, PHASE_MS * 1000));
	for (unsigned i = 0; i < LANE_VICTIMS; i++) {
		struct victim *v = &r->victims[i];

		if (!child_stop(v->child))
			return broken(l, "a member can't be stopped");
		v->stopped_us = now_us();
	}
	return true;
}

/* Until each lock is another's, who has written under it. */
static bool others_take(struct lane *l, struct round *r)
{
	for (unsigned i = 0; i < LANE_VICTIMS; i++) {
		struct victim *v = &r->victims[i];
		unsigned safe_ms;
		int rc;

		if (!hear(l, v->heir, "took %" SCNu64 " %u %d", &v->heir_token,
			  &safe_ms, &rc))
			return false;
		v->heir_refused = safe_ms > 0 && rc == HF_EFENCED;
		if (safe_ms == 0 || (rc != 0 && !v->heir_refused))
			v->heir_token = 0;
	}
	return true;
}

static bool others_give(struct lane *l, struct round *r)
{
	for (unsigned i = 0; i < LANE_VICTIMS; i++)
		if (!gives(l, r->victims[i].heir, r->victims[i].lock))
			return false;
	return true;
}

static bool continue_all(struct lane *l, struct round *r)
{
	uint64_t end = r->victims[LANE_VICTIMS - 1].stopped_us / 1000 +
		       SLEEPER_TTL_MS + AFTER_TTL_MS;

	while (now_ms() < end)
		nap_us(1000);
	for (unsigned i = 0; i < LANE_VICTIMS; i++) {
		r->victims[i].continued_us = now_us();
		child_continue(r->victims[i].child);
	}
	for (unsigned i = 0; i < LANE_VICTIMS; i++) {
		struct victim *v = &r->victims[i];
		char line[CHILD_LINE_MAX];

		if (!child_hear(v->child, line, ANSWER_MS) ||
		    !woke_scan(line, &v->woke))
			return broken(l, "a member that woke says nothing");
	}
	return true;
}

static bool ask_who(struct lane *l, struct round *r, unsigned *who,
		    unsigned *claims)
{
	child_say(r->third, "who %u\n", lock_of(l, BESIDE));
	return hear(l, r->third, "who %u %u", who, claims);
}

/* Until the first victim stands in line behind the third member. */
static bool wait_for_line(struct lane *l, struct round *r)
{
	uint64_t end = now_ms() + LINE_MS;
	unsigned who, claims = 0;

	while (claims < 2 && now_ms() < end) {
		if (!ask_who(l, r, &who, &claims))
			return false;
		nap_us(LOOK_US);
	}
	return true;
}

/* Has the first victim, who sleeps, got the lock beside? */
static bool note_grant(struct lane *l, struct round *r)
{
	struct victim *v = &r->victims[0];
	uint64_t end = now_ms() + GRANT_MS;
	unsigned who, claims;

	while (!v->granted && now_ms() < end) {
		if (!ask_who(l, r, &who, &claims))
			return false;
		v->granted = who > 0 && v->child == &l->members[who - 1];
		nap_us(LOOK_US);
	}
	return true;
}

/* What is done with the lock beside while the first victim is stopped: it is
 * given to the victim, and once the victim's session has ended, taken. */
static bool beside(struct lane *l, struct round *r)
{
	switch (r->victims[0].state) {
	case SLEEPER_GRANTED:
		return third_gives(l, r) && note_grant(l, r) &&
		       third_takes(l, r);
	case SLEEPER_CHURNING:
		return third_takes(l, r);
	default:
		return true;
	}
}

static bool play(struct lane *l, struct round *r)
{
	bool early = draw(l, 2);

	if (needs_third(&r->victims[0]) && !third_takes(l, r))
		return false;
	if (!stand_all(l, r) ||
	    (needs_third(&r->victims[0]) && !wait_for_line(l, r)) ||
	    !stop_all(l, r) || !beside(l, r) || !others_take(l, r))
		return false;
	/* Half of the time others hold the locks when they wake. */
	if ((early && !others_give(l, r)) || !continue_all(l, r) ||
	    (!early && !others_give(l, r)))
		return false;
	return (!needs_third(&r->victims[0]) &&
		r->victims[0].state != SLEEPER_CHURNING) ||
	       third_gives(l, r);
}

bool lane_round(struct lane *l, struct round *r)
{
	return plan(l, r) && play(l, r);
}

static bool start_member(struct lane *l, unsigned i, const struct lane_place *p)
{
	char id[12], beliefs[12], end[12], dir[PLACE_DIR_LEN + 32];
	const char *arguments[CHILD_ARGUMENTS_MAX] = { "member", id, beliefs,
						       end, dir };
	unsigned writer = l->number * LANE_MEMBERS + i;

	for (unsigned k = 0; k < LANE_MEMBERS; k++)
		arguments[5 + k] = l->addresses[k];
	snprintf(id, sizeof(id), "%u", i + 1);
	snprintf(beliefs, sizeof(beliefs), "%d", p->beliefs_fd);
	snprintf(end, sizeof(end), "%d", p->ends[writer]);
	snprintf(dir, sizeof(dir), "%s/%u-%u", p->dir, l->number + 1, i + 1);
	return child_start(&l->members[i], arguments);
}

bool lane_begin(struct lane *l, unsigned number, const struct lane_place *p)
{
	l->number = number;
	l->seed = (unsigned)now_us() + number;
	for (unsigned i = 0; i < LANE_MEMBERS; i++)
		if (!place_address(l->addresses[i]))
			return false;
	for (unsigned i = 0; i < LANE_MEMBERS; i++)
		if (!start_member(l, i, p))
			return false;
	return true;
}

void lane_end(struct lane *l)
{
	for (unsigned i = 0; i < LANE_MEMBERS; i++)
		child_kill(&l->members[i]);
}

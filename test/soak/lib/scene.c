#include "scene.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_US 5000
#define ORDER_US 60000 /* by then all members' lines of a moment are here */

const char *const job_names[ACTOR_JOBS] = { "backup", "billing", "mailer" };

static void add_line(struct scene *s, uint64_t at_us, const char *text)
{
	unsigned i = s->lines_len;

	if (i == SCENE_LINES_MAX)
		return;
	for (; i > 0 && s->lines[i - 1].at_us > at_us; i--)
		s->lines[i] = s->lines[i - 1];
	s->lines[i].at_us = at_us;
	snprintf(s->lines[i].text, SCENE_TEXT_MAX, "%s", text);
	s->lines_len++;
}

static void print_until(struct scene *s, uint64_t us)
{
	unsigned n = 0;

	for (; n < s->lines_len && s->lines[n].at_us <= us; n++) {
		uint64_t at = s->lines[n].at_us;

		if (s->begin_us == 0 || at < s->begin_us)
			continue; /* it was between two drills */
		at -= s->begin_us;
		printf("  %3" PRIu64 ".%03" PRIu64 "  %s\n", at / 1000000,
		       at / 1000 % 1000, s->lines[n].text);
	}
	s->lines_len -= n;
	memmove(s->lines, s->lines + n, s->lines_len * sizeof(*s->lines));
}

void scene_flush(struct scene *s)
{
	print_until(s, UINT64_MAX);
}

void scene_line(struct scene *s, uint64_t at_us, const char *format, ...)
{
	char text[SCENE_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add_line(s, at_us, text);
}

void scene_say(struct scene *s, const char *format, ...)
{
	char text[SCENE_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add_line(s, now_us(), text);
}

void scene_surprise(struct scene *s, const char *format, ...)
{
	char text[SCENE_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	s->surprises++;
	scene_line(s, now_us(), "SURPRISE: %s", text);
	if (s->begin_us == 0)
		fprintf(stderr, "drill: between two drills: %s\n", text);
}

static void turn(struct scene *s)
{
	char line[CHILD_LINE_MAX];

	for (int i = 0; i < ACTOR_MEMBERS; i++)
		while (s->members[i].pid && child_hear(&s->members[i], line, 0))
			scene_told(s, i, line);
	print_until(s, now_us() - ORDER_US);
	nap_us(TURN_US);
}

void scene_go_on(struct scene *s, unsigned ms)
{
	uint64_t end = now_ms() + ms;

	while (now_ms() < end && !*s->interrupted)
		turn(s);
}

bool scene_until(struct scene *s, const char *what,
		 bool (*done)(const struct scene *s, int member), int member)
{
	uint64_t end = now_ms() + SCENE_WAIT_MS;

	while (!done(s, member) && !*s->interrupted) {
		if (now_ms() > end) {
			scene_surprise(s, "waited in vain: %s", what);
			s->broken = true;
			return false;
		}
		turn(s);
	}
	return !*s->interrupted;
}

/* The higher of two dials the lower, over the road between. */
static const char *address_for(const struct scene *s, int from, int to)
{
	return to < from && from < ACTOR_MEMBERS ? s->roads[to][from]->address
						 : s->addresses[to];
}

bool scene_start(struct scene *s, int member)
{
	char id[12], board[12], end[12], dir[PLACE_DIR_LEN + 24];
	const char *arguments[CHILD_ARGUMENTS_MAX] = { "member", id, board, end,
						       dir };

	snprintf(id, sizeof(id), "%d", member + 1);
	snprintf(board, sizeof(board), "%d", s->board_fd);
	snprintf(end, sizeof(end), "%d", s->resource.ends[member]);
	snprintf(dir, sizeof(dir), "%s/member-%d", s->dir, member + 1);
	for (int i = 0; i < ACTOR_MEMBERS; i++)
		arguments[5 + i] = address_for(s, member, i);
	s->states[member] = HF_SESSION_NONE;
	return child_start(&s->members[member], arguments);
}

void scene_want_all(struct scene *s, int member)
{
	/* Its own job first. */
	for (int i = 0; i < ACTOR_JOBS; i++)
		child_say(&s->members[member], "want %d\n",
			  (member + i) % ACTOR_JOBS);
}

void scene_cut(struct scene *s, int member, bool cut)
{
	for (int i = 0; i < ACTOR_MEMBERS; i++)
		if (i < member)
			s->roads[i][member]->cut = cut;
		else if (i > member)
			s->roads[member][i]->cut = cut;
}

static bool has_own(const struct scene *s, int member)
{
	return s->leases[member].holder == member && !s->leases[member].gone &&
	       s->leases[member].zero_us == 0 &&
	       s->states[member] == HF_SESSION_SAFE && s->leader >= 0;
}

bool scene_settle(struct scene *s)
{
	s->begin_us = 0;
	for (int i = 0; i < ACTOR_MEMBERS; i++)
		for (int k = 0; k < ACTOR_JOBS; k++)
			if (k != i)
				child_say(&s->members[i], "drop %d\n", k);
	for (int i = 0; i < ACTOR_MEMBERS; i++) {
		child_say(&s->members[i], "want %d\n", i);
		if (!scene_until(s, "a job done by its own member", has_own, i))
			return false;
	}
	for (int i = 0; i < ACTOR_MEMBERS; i++)
		scene_want_all(s, i);
	scene_go_on(s, 500);
	return !*s->interrupted;
}

void scene_begin(struct scene *s, unsigned may_lose)
{
	scene_flush(s);
	for (int i = 0; i < ACTOR_JOBS; i++) {
		s->leases[i].first_holder = s->leases[i].holder;
		s->leases[i].first_token = s->leases[i].token;
		s->leases[i].gap_us = s->leases[i].passed_us = 0;
	}
	s->may_lose = may_lose;
	s->stale_refused = s->woke = 0;
	s->continued_us = 0;
	s->begin_us = now_us();
	s->board->gap_us = 0;
}

static bool build_roads(struct scene *s)
{
	for (int i = 0; i < ACTOR_MEMBERS; i++)
		if (!place_address(s->addresses[i]))
			return false;
	for (int i = 0; i < ACTOR_MEMBERS; i++)
		for (int k = i + 1; k < ACTOR_MEMBERS; k++) {
			s->roads[i][k] =
				relays_add(&s->relays, s->addresses[i]);
			if (!s->roads[i][k])
				return false;
		}
	return relays_begin(&s->relays);
}

bool scene_open(struct scene *s)
{
	s->leader = -1;
	for (int i = 0; i < ACTOR_JOBS; i++)
		s->leases[i].holder = -1;
	s->board = place_share(sizeof(*s->board), &s->board_fd);
	if (!s->board || !place_make(s->dir, "drill") || !build_roads(s) ||
	    !resource_begin(&s->resource, ACTOR_MEMBERS))
		return false;
	for (int i = 0; i < ACTOR_MEMBERS; i++)
		if (!scene_start(s, i))
			return false;
	return true;
}

void scene_close(struct scene *s)
{
	for (int i = 0; i < ACTOR_MEMBERS; i++)
		if (!child_kill(&s->members[i]) && !*s->interrupted)
			scene_surprise(s, "member %d has ended by itself",
				       i + 1);
	relays_end(&s->relays);
	resource_end(&s->resource);
	if (s->dir[0])
		place_remove(s->dir);
}

/* What the members tell, in an operator's words, and held against what is
 * promised. */
#include "scene.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct told_line {
	uint64_t at_us, a, b, c;
	int kind;
	int member; /* who tells, from 0 */
};

static double seconds(uint64_t us)
{
	return (double)us / 1000000;
}

/* The jobs whose lease a member has, as far as is known: "backup and mailer".
 */
static void jobs_of(const struct scene *s, int member, char *text, size_t size)
{
	text[0] = '\0';
	for (int i = 0; i < ACTOR_JOBS; i++) {
		size_t len = strlen(text);

		if (s->leases[i].holder == member && !s->leases[i].gone)
			snprintf(text + len, size - len, "%s%s",
				 len ? " and " : "", job_names[i]);
	}
}

static void on_session(struct scene *s, const struct told_line *t)
{
	char jobs[64];
	int who = t->member + 1;

	jobs_of(s, t->member, jobs, sizeof(jobs));
	s->states[t->member] = (enum hf_session_state)t->a;
	switch (s->states[t->member]) {
	case HF_SESSION_SAFE:
		scene_line(s, t->at_us, "member %d  SAFE       %s%s", who,
			   jobs[0] ? "certain of " : "has a session", jobs);
		return;
	case HF_SESSION_JEOPARDY:
		scene_line(s, t->at_us,
			   "member %d  JEOPARDY   renewals are missing; %s "
			   "certain for %" PRIu64 " ms more",
			   who, jobs[0] ? jobs : "nothing held,", t->b);
		return;
	case HF_SESSION_UNSURE:
		scene_line(s, t->at_us,
			   "member %d  UNSURE     certain of nothing any more",
			   who);
		return;
	case HF_SESSION_LOST:
		scene_line(s, t->at_us,
			   "member %d  LOST       the cluster has ended its "
			   "session",
			   who);
		if (!(s->may_lose >> t->member & 1))
			scene_surprise(s,
				       "member %d lived and was in touch with "
				       "a majority, and lost its session",
				       who);
		return;
	default:
		return;
	}
}

static void on_leader(struct scene *s, const struct told_line *t)
{
	if (t->b < s->term || t->a == 0)
		return;
	if (t->b > s->term || s->leader != (int)t->a - 1)
		scene_line(s, t->at_us,
			   "member %" PRIu64 "  leads      term %" PRIu64, t->a,
			   t->b);
	s->term = t->b;
	s->leader = (int)t->a - 1;
}

/* The belief under a token. */
static const struct belief *find(const struct scene *s, uint64_t token)
{
	for (uint32_t i = s->board->beliefs.len; i > 0; i--)
		if (i <= BELIEFS_MAX &&
		    s->board->beliefs.all[i - 1].token == token)
			return &s->board->beliefs.all[i - 1];
	return NULL;
}

/* `gap`: since nobody was certain. */
static void tell_grant(struct scene *s, const struct told_line *t, uint64_t gap)
{
	const struct lease *l = &s->leases[t->a];
	const char *job = job_names[t->a];
	char certain[64] = "; not certain yet";

	if (l->holder < 0) {
		scene_line(s, t->at_us,
			   "member %d  takes      %s with token %" PRIu64,
			   t->member + 1, job, t->b);
		return;
	}
	if (t->c > 0)
		snprintf(certain, sizeof(certain),
			 "; nobody was certain for %.3f s", seconds(gap));
	scene_line(s, t->at_us,
		   "member %d  TAKES OVER %s from member %d: token %" PRIu64
		   " -> %" PRIu64 "%s",
		   t->member + 1, job, l->holder + 1, l->token, t->b, certain);
}

static void on_granted(struct scene *s, const struct told_line *t)
{
	struct lease *l = &s->leases[t->a];
	const struct belief *before = find(s, l->token);
	uint64_t end = before ? belief_end(before) : 0;
	uint64_t gap = end && end < t->at_us ? t->at_us - end : 0;

	if (t->b <= l->token)
		scene_surprise(s, "%s: token %" PRIu64 " after %" PRIu64,
			       job_names[t->a], t->b, l->token);
	if (end > t->at_us)
		scene_surprise(s,
			       "%s: members %d and %d were certain of it at "
			       "one time",
			       job_names[t->a], l->holder + 1, t->member + 1);
	tell_grant(s, t, gap);
	if (gap > l->gap_us)
		l->gap_us = gap;
	l->holder = t->member;
	l->token = t->b;
	/* Granted to one who was out of touch: it isn't certain yet. */
	l->zero_us = t->c ? 0 : t->at_us - gap;
	l->gone = false;
	if (l->passed_us == 0 && t->member != l->first_holder && s->begin_us &&
	    t->at_us > s->begin_us)
		l->passed_us = t->at_us - s->begin_us;
}

/* Only of those who have the lease as far as is known. */
static bool is_holder(const struct scene *s, const struct told_line *t)
{
	return s->leases[t->a].holder == t->member &&
	       s->leases[t->a].token == t->b;
}

static void on_safe(struct scene *s, const struct told_line *t)
{
	struct lease *l = &s->leases[t->a];

	if (t->kind == TOLD_ZERO && is_holder(s, t))
		l->zero_us = t->at_us;
	if (t->kind == TOLD_ZERO)
		scene_line(s, t->at_us,
			   "member %d  stops work %s: safe_ms is 0",
			   t->member + 1, job_names[t->a]);
	else if (t->kind == TOLD_SAFE)
		scene_line(
			s, t->at_us,
			"member %d             %s: safe_ms is down to %" PRIu64,
			t->member + 1, job_names[t->a], t->c);
	if (t->kind != TOLD_AGAIN)
		return;
	uint64_t gap = l->zero_us ? t->at_us - l->zero_us : 0;
	scene_line(s, t->at_us,
		   "member %d  works on   %s with token %" PRIu64
		   "; nobody was certain for %.3f s",
		   t->member + 1, job_names[t->a], t->b, seconds(gap));
	if (gap > l->gap_us)
		l->gap_us = gap;
	l->zero_us = 0;
}

static void on_lost(struct scene *s, const struct told_line *t)
{
	struct lease *l = &s->leases[t->a];

	scene_line(s, t->at_us,
		   "member %d  is told    that it has lost %s (token %" PRIu64
		   ")",
		   t->member + 1, job_names[t->a], t->b);
	if (l->lost_token == t->b)
		scene_surprise(s,
			       "%s: told twice of the loss of token %" PRIu64,
			       job_names[t->a], t->b);
	l->lost_token = t->b;
	l->gone = l->gone || l->token == t->b;
}

static void on_stale(struct scene *s, const struct told_line *t)
{
	bool refused = t->c == (uint64_t)-HF_EFENCED;

	s->stale_refused += refused;
	scene_line(s, t->at_us,
		   "member %d  writes     %s with its old token %" PRIu64
		   " all the same: %s",
		   t->member + 1, job_names[t->a], t->b,
		   refused ? "refused by the resource" : "let in");
	if (!refused && s->leases[t->a].token > t->b)
		scene_surprise(s, "%s: a stale write wasn't refused",
			       job_names[t->a]);
}

static void on_woke(struct scene *s, const struct told_line *t)
{
	/* Else a thread that starved, while its node went on renewing. */
	bool stopped = s->continued_us && t->at_us >= s->continued_us;

	s->woke += stopped;
	scene_line(s, t->at_us,
		   "member %d  wakes      after %.3f s; first look at %s: "
		   "safe_ms is %" PRIu64,
		   t->member + 1, (double)t->b / 1000, job_names[t->a], t->c);
	if (stopped && t->c > 0)
		scene_surprise(s, "it woke beyond its lease, and was certain");
}

void scene_told(struct scene *s, int member, const char *line)
{
	struct told_line t = { .member = member };

	if (sscanf(line, "%" SCNu64 " %d %" SCNu64 " %" SCNu64 " %" SCNu64,
		   &t.at_us, &t.kind, &t.a, &t.b, &t.c) != 5)
		return;
	if (t.kind >= TOLD_GRANTED && t.kind <= TOLD_REFUSED &&
	    t.a >= ACTOR_JOBS)
		return;
	switch (t.kind) {
	case TOLD_SESSION:
		on_session(s, &t);
		break;
	case TOLD_LEADER:
		on_leader(s, &t);
		break;
	case TOLD_GRANTED:
		on_granted(s, &t);
		break;
	case TOLD_LOST:
		on_lost(s, &t);
		break;
	case TOLD_STALE:
		on_stale(s, &t);
		break;
	case TOLD_WOKE:
		on_woke(s, &t);
		break;
	case TOLD_REFUSED:
		scene_surprise(s,
			       "%s: the write of a certain holder was refused",
			       job_names[t.a]);
		break;
	case TOLD_FAILED:
		scene_surprise(s, "member %d has failed: %s", member + 1,
			       hf_strerror(-(int)t.a));
		break;
	default:
		on_safe(s, &t);
		break;
	}
}

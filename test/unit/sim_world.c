/* The simulator's checkers find what they are for in a world as it is after a
 * run: unspoilt it passes all of them, and with one thing wrong in it the one
 * that is meant for that says so. */
#include "lib/suite.h"
#include "sim/lib/check.h"
#include "sim/lib/ending.h"
#include "sim/lib/resource.h"
#include "sim/lib/spoil.h"

static void check_all(struct world *w)
{
	ending_recovered(w);
	ending_check_idle(w);
	w->cluster_then = core_now(w->oracle.core);
	ending_check(w);
	for (unsigned i = 0; i < w->plan.members; i++) {
		check_process(member(w, i));
		check_told(member(w, i));
	}
}

START_TEST(a_world_after_a_run_without_faults_passes)
{
	CAUGHT(3, check_all, "none");
}
END_TEST

static void session_not_back(struct world *w)
{
	member(w, 1)->session = HF_SESSION_UNSURE;
	ending_recovered(w);
}

static void lock_not_taken(struct world *w)
{
	w->probes_waiting = 1;
	ending_recovered(w);
}

static void lock_not_released(struct world *w)
{
	w->probes_left = 1;
	check_all(w);
}

START_TEST(what_isnt_back_in_time_is_found)
{
	CAUGHT(3, session_not_back, "progress");
	CAUGHT(3, lock_not_taken, "progress");
	CAUGHT(3, lock_not_released, "progress");
}
END_TEST

static void two_certain(struct world *w)
{
	believe(w, 0, 5);
	believe(w, 1, 6);
	check_belief(member(w, 0), &some_user(w)->parts[0]);
}

static void certain_of_nothing(struct world *w)
{
	believe(w, 0, 5);
	check_belief(member(w, 0), &some_user(w)->parts[0]);
}

static void certain_of_the_ended(struct world *w)
{
	check_session_ended(w, 1, session_of(w, 0), false);
}

static void certain_and_fenced(struct world *w)
{
	struct hold_record *r = believe(w, 0, 5);

	w->names[0].guard.newest = w->names[0].guard.newest_exclusive = 6;
	resource_write(w, r, true, 0);
}

START_TEST(certainty_that_isnt_justified_is_found)
{
	CAUGHT(3, two_certain, "belief");
	CAUGHT(3, certain_of_nothing, "certain");
	CAUGHT(3, certain_of_the_ended, "certain");
	CAUGHT(3, certain_and_fenced, "resource");
}
END_TEST

static void expires_alone(struct world *w)
{
	w->agenda.now += 1000 * SECOND; /* it isn't certain any more */
	check_session_ended(w, 1, session_of(w, 0), true);
}

static void says_safe(struct world *w)
{
	w->agenda.now += 1000 * SECOND;
	check_told(member(w, 0));
}

static void says_nothing_of_losses(struct world *w)
{
	believe(w, 0, 5)->session++;
	member(w, 0)->lease_session = 0;
	check_told(member(w, 0));
}

START_TEST(what_a_node_should_have_told_is_found)
{
	CAUGHT(1, expires_alone, "expiry");
	CAUGHT(3, says_safe, "told");
	CAUGHT(3, says_nothing_of_losses, "told");
}
END_TEST

static void another_leads(struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++) {
		struct process *p = member(w, i);
		uint64_t term = repl_term(node_repl(p->node));
		p->term = 0;
		w->leader_of[term] = (uint8_t)(10 + i);
		check_process(p);
	}
}

static void another_state(struct world *w)
{
	const struct core *core = node_core(member(w, 0)->node);

	w->oracle.hashes[core_index(core)] ^= 1;
	member(w, 0)->applied = 0;
	check_process(member(w, 0));
}

static void time_stands_still(struct world *w)
{
	ending_recovered(w);
	w->agenda.now += 10 * SECOND;
	ending_check(w);
}

static void time_flies(struct world *w)
{
	w->recovered_at = world_now(w);
	w->agenda.now /= 2;
	ending_check(w);
}

START_TEST(a_cluster_that_isnt_one_is_found)
{
	CAUGHT(3, another_leads, "leader");
	CAUGHT(3, another_state, "hash");
	CAUGHT(3, time_stands_still, "time");
	CAUGHT(3, time_flies, "time");
}
END_TEST

/* A hold of the first member's session in the oracle's state, which nobody of
 * its users has. */
static void hold_for(struct world *w, uint64_t owner)
{
	struct core *core = w->oracle.core;
	struct record session;

	core_session(core, session_of(w, 0), &session);
	struct op op = { .kind = OP_ACQUIRE,
			 .node = 1,
			 .session = session.session.id,
			 .seq = session.session.low + 200, /* is free */
			 .acquire = { .owner = owner,
				      .name = (const uint8_t *)"x",
				      .name_len = 1 } };
	struct entry entry = { .version = SEMANTICS_VERSION,
			       .stamp = core_now(core),
			       .proposer = 1,
			       .ops = &op,
			       .ops_len = 1 };
	core_apply(core, core_index(core) + 1, &entry,
		   &(struct output_sink){ 0 });
}

/* Only what was told is looked at again, as nothing else happens. */
static void refused(struct world *w, uint64_t owner)
{
	struct user *u = some_user(w);

	w->agenda = (struct agenda){ .now = world_now(w) };
	member(w, 0)->session = HF_SESSION_SAFE;
	u->identity = 12345;
	hold_for(w, owner);
	answer_refused(u, session_of(w, 0), HF_ETIMEDOUT);
	agenda_step(&w->agenda, UINT64_MAX);
}

static void refused_and_gone(struct world *w)
{
	uint64_t kept = w->counters.refusals_kept;

	refused(w, 54321);
	if (w->counters.refusals_kept != kept + 1)
		world_violation(w, "world", "it wasn't looked at");
}

static void refused_but_held(struct world *w)
{
	refused(w, 12345);
}

static void overlap(struct world *w)
{
	struct hold_record *a = history_add(&w->history);
	struct hold_record *b = history_add(&w->history);

	a->token = UINT64_C(1) << 40;
	b->token = a->token + 1;
	a->granted = b->granted = a->called = b->called = world_now(w);
	a->held_until = world_now(w) + 1;
	check_histories(w);
}

static void left_over(struct world *w)
{
	ending_recovered(w);
	hold_for(w, 1);
	w->cluster_then = core_now(w->oracle.core);
	ending_check(w);
}

START_TEST(a_hold_that_must_not_be_is_found)
{
	CAUGHT(3, overlap, "history");
	CAUGHT(3, left_over, "leak");
	CAUGHT(3, refused_and_gone, "none");
	CAUGHT(3, refused_but_held, "orphan");
}
END_TEST

SUITE(a_world_after_a_run_without_faults_passes,
      what_isnt_back_in_time_is_found, certainty_that_isnt_justified_is_found,
      what_a_node_should_have_told_is_found, a_cluster_that_isnt_one_is_found,
      a_hold_that_must_not_be_is_found)

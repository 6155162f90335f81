/* What happens to leases when things go wrong, shown on a real cluster: for
 * those who run one.
 *
 * Three processes, each with a job of its own under a lease, and waiting in
 * line for the jobs of the others. Four drills: the leader is killed, a
 * majority is killed, the leader is cut off, a holder is stopped. Each prints a
 * timeline in seconds since the fault (doc/drill.md explains the words), what
 * became of each lease, and what there is to learn. Whatever doc/guarantees.md
 * doesn't allow is a surprise.
 *
 * The program runs itself as the members: "drill member ...". It ends with
 * "drill: 4 drills, N leases watched, S surprises"; the exit status is 0
 * without surprises. */
#include "lib/scene.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DRILLS 4
/* Beyond what is promised, for a slow machine: for processes to be scheduled,
 * disks to write, links to be dialled. */
#define SLACK_MS 1500
#define ELECTION_MS (2 * ACTOR_ELECTION_MS)
/* With processes to start and links to dial first, and votes that may split. */
#define WAY_BACK_MS (10 * ACTOR_ELECTION_MS)
#define PASS_ON_MS (ACTOR_TTL_MS + 1000 + ELECTION_MS)

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void head(int number, const char *title, const char *text,
		 const char *promise)
{
	printf("\n%d. %s\n  %s\n  Promised: %s\n\n", number, title, text,
	       promise);
}

static int other_than(int a, int b)
{
	return ACTOR_MEMBERS - a - b;
}

static bool knows_leader(const struct scene *s, int member)
{
	(void)member;
	return s->leader >= 0 && s->members[s->leader].pid;
}

static bool leader_changed(const struct scene *s, int before)
{
	return s->leader >= 0 && s->leader != before;
}

static bool is_safe(const struct scene *s, int member)
{
	return s->states[member] == HF_SESSION_SAFE;
}

static bool is_unsure(const struct scene *s, int member)
{
	return s->states[member] == HF_SESSION_UNSURE;
}

/* Has another taken over the job that is this member's own? */
static bool taken_over(const struct scene *s, int member)
{
	return s->leases[member].holder != member;
}

static bool has_lost(const struct scene *s, int member)
{
	const struct lease *l = &s->leases[member];

	return l->lost_token == l->first_token && s->stale_refused > 0;
}

static void kill_one(struct scene *s, int member)
{
	scene_say(s, "member %d  KILLED     it held %s", member + 1,
		  job_names[member]);
	if (!child_kill(&s->members[member]))
		scene_surprise(s, "member %d has ended by itself", member + 1);
	s->leases[member].gone = true;
	if (s->leader == member)
		s->leader = -1;
}

static bool start_one(struct scene *s, int member)
{
	scene_say(s, "member %d  STARTED    again, on its old directory",
		  member + 1);
	if (!scene_start(s, member))
		return false;
	scene_want_all(s, member);
	return true;
}

/* The longest time in which no member could take any lock. */
static uint64_t gap_ms(const struct scene *s)
{
	uint64_t last = s->board->probed_us, now = now_us();
	uint64_t still = last && now > last ? now - last : 0;

	return (still > s->board->gap_us ? still : s->board->gap_us) / 1000;
}

static void expect_at_most(struct scene *s, const char *what, uint64_t ms,
			   uint64_t bound_ms)
{
	if (ms > bound_ms + SLACK_MS)
		scene_surprise(s, "%s took %" PRIu64 " ms; promised: %" PRIu64,
			       what, ms, bound_ms);
}

/* From the fault on. */
static void expect_passed_on(struct scene *s, int job, uint64_t bound_ms)
{
	const struct lease *l = &s->leases[job];

	expect_at_most(s, job_names[job], l->passed_us / 1000, bound_ms);
}

static void expect_kept(struct scene *s, int job)
{
	const struct lease *l = &s->leases[job];

	if (l->token != l->first_token)
		scene_surprise(s,
			       "%s was passed on, though its holder lived and "
			       "was in touch with a majority",
			       job_names[job]);
}

static void tell_lease(const struct scene *s, int job)
{
	const struct lease *l = &s->leases[job];

	if (l->token == l->first_token && l->gap_us == 0)
		printf("  %-8s stayed with member %d, token %" PRIu64
		       ", certain all the time\n",
		       job_names[job], l->holder + 1, l->token);
	else if (l->token == l->first_token)
		printf("  %-8s stayed with member %d, token %" PRIu64
		       ", which wasn't certain for %.3f s\n",
		       job_names[job], l->holder + 1, l->token,
		       (double)l->gap_us / 1000000);
	else
		printf("  %-8s went from member %d to member %d after %.3f s, "
		       "token %" PRIu64 " -> %" PRIu64
		       "; nobody was certain for %.3f s\n",
		       job_names[job], l->first_holder + 1, l->holder + 1,
		       (double)l->passed_us / 1000000, l->first_token, l->token,
		       (double)l->gap_us / 1000000);
}

static void foot(struct scene *s, const char *learn)
{
	scene_flush(s);
	s->begin_us = 0;
	putchar('\n');
	for (int i = 0; i < ACTOR_JOBS; i++)
		tell_lease(s, i);
	printf("  %-8s nobody could take a new lock for %.3f s\n", "(any)",
	       (double)gap_ms(s) / 1000);
	printf("  Learn: %s\n", learn);
}

static bool leader_loss(struct scene *s)
{
	head(1, "The leader dies",
	     "The member that leads is killed, with the lease that it holds.",
	     "new locks after one election, 0.3 to 0.6 s; its lease passes on "
	     "after 3.6 s at most;\n            the other leases stay.");
	if (!scene_settle(s))
		return false;
	int dead = s->leader;

	scene_begin(s, 1u << dead);
	kill_one(s, dead);
	if (!scene_until(s, "another leader", leader_changed, -1) ||
	    !scene_until(s, "its job done by another", taken_over, dead))
		return false;
	expect_passed_on(s, dead, PASS_ON_MS);
	scene_go_on(s, 300);
	if (!start_one(s, dead) ||
	    !scene_until(s, "its new session", is_safe, dead))
		return false;
	scene_go_on(s, 500);
	expect_kept(s, (dead + 1) % ACTOR_JOBS);
	expect_kept(s, (dead + 2) % ACTOR_JOBS);
	expect_at_most(s, "the time without a leader", gap_ms(s), ELECTION_MS);
	foot(s, "a dead leader stops new locks for one election; leases of the "
		"living\n         don't notice. What the dead one held passes "
		"on one TTL after its last\n         renewal.");
	return true;
}

static bool majority_loss(struct scene *s)
{
	head(2, "A majority dies",
	     "Two of three are killed, the leader too. One lives, with its "
	     "lease.",
	     "no lock for anybody until a majority is back, and up to 3 s "
	     "more; the living member\n            keeps its lease.");
	if (!scene_settle(s))
		return false;
	int lives = (s->leader + 1) % ACTOR_MEMBERS, first = s->leader;
	int second = other_than(lives, first);

	scene_begin(s, (1u << first) | (1u << second));
	kill_one(s, first);
	kill_one(s, second);
	if (!scene_until(s, "that the last one is unsure", is_unsure, lives))
		return false;
	scene_go_on(s, 1500);
	if (s->leases[first].holder != first ||
	    s->leases[second].holder != second)
		scene_surprise(s, "something was granted without a majority");
	uint64_t back = now_us();
	if (!start_one(s, first) || !start_one(s, second) ||
	    !scene_until(s, "a leader", knows_leader, -1) ||
	    !scene_until(s, "that the last one is safe", is_safe, lives))
		return false;
	expect_at_most(s, "the way back", (now_us() - back) / 1000,
		       WAY_BACK_MS);
	if (!scene_until(s, "a job done by another", taken_over, first) ||
	    !scene_until(s, "a job done by another", taken_over, second))
		return false;
	scene_go_on(s, 500);
	expect_kept(s, lives);
	foot(s, "without a majority nothing is granted and nothing expires: "
		"the cluster's time\n         stands still. A living holder "
		"stops when safe_ms is 0, and goes on with the\n         same "
		"token once a majority is back. What a restarted member held "
		"passes on at\n         once, since its own restart proves "
		"that it is dead.");
	return true;
}

static bool partition(struct scene *s)
{
	head(3, "The leader is cut off",
	     "Nothing passes between the leader and the other two. It lives, "
	     "and holds its lease.",
	     "new locks elsewhere after 0.6 s; its lease passes on after 3.6 s "
	     "at most, but not before\n            its safe_ms is 0; the other "
	     "leases stay.");
	if (!scene_settle(s))
		return false;
	int cut = s->leader;

	scene_begin(s, 1u << cut);
	scene_say(s, "member %d  CUT OFF    it leads, and holds %s", cut + 1,
		  job_names[cut]);
	scene_cut(s, cut, true);
	if (!scene_until(s, "another leader", leader_changed, cut) ||
	    !scene_until(s, "its job done by another", taken_over, cut))
		return false;
	expect_passed_on(s, cut, PASS_ON_MS);
	scene_go_on(s, 1000);
	scene_say(s, "member %d  HEALED     all can talk to all", cut + 1);
	scene_cut(s, cut, false);
	if (!scene_until(s, "that it hears of its loss", has_lost, cut) ||
	    !scene_until(s, "its new session", is_safe, cut))
		return false;
	scene_go_on(s, 500);
	expect_kept(s, (cut + 1) % ACTOR_JOBS);
	expect_kept(s, (cut + 2) % ACTOR_JOBS);
	expect_at_most(s, "the time without a leader", gap_ms(s), ELECTION_MS);
	foot(s, "who is cut off can't know what the others do, but its clock "
		"tells it when to\n         stop: safe_ms was 0 before anybody "
		"else had the lease. A write that comes late\n         all the "
		"same is refused, by its token.");
	return true;
}

static bool pause_of_a_holder(struct scene *s)
{
	head(4, "A holder is stopped",
	     "A process with a lease, not the leader, stands still for longer "
	     "than its TTL (SIGSTOP).",
	     "its lease passes on after 3 s at most; nobody else waits; on "
	     "waking its safe_ms is 0.");
	if (!scene_settle(s))
		return false;
	int stopped = (s->leader + 1) % ACTOR_MEMBERS;

	scene_begin(s, 1u << stopped);
	scene_say(s, "member %d  STOPPED    it holds %s", stopped + 1,
		  job_names[stopped]);
	if (!child_stop(&s->members[stopped]) ||
	    !scene_until(s, "its job done by another", taken_over, stopped))
		return false;
	expect_passed_on(s, stopped, PASS_ON_MS - ELECTION_MS);
	scene_go_on(s, 1000);
	scene_say(s, "member %d  CONTINUED", stopped + 1);
	s->continued_us = now_us();
	child_continue(&s->members[stopped]);
	if (!scene_until(s, "that it hears of its loss", has_lost, stopped) ||
	    !scene_until(s, "its new session", is_safe, stopped))
		return false;
	scene_go_on(s, 500);
	if (s->woke == 0)
		scene_surprise(s, "nobody saw that it had been stopped");
	expect_kept(s, (stopped + 1) % ACTOR_JOBS);
	expect_kept(s, (stopped + 2) % ACTOR_JOBS);
	expect_at_most(s, "a lock", gap_ms(s), 0);
	foot(s, "a stopped process can't notice that its lease runs out. On "
		"waking, safe_ms is 0\n         at the first look; and a write "
		"that was already on its way is refused, by its\n         "
		"token. Nobody else was held up.");
	return true;
}

int main(int argc, char **argv)
{
	bool (*const drills[DRILLS])(struct scene *) = {
		leader_loss, majority_loss, partition, pause_of_a_holder
	};
	struct sigaction action = { .sa_handler = interrupt };
	static struct scene s = { .interrupted = &interrupted };
	unsigned done = 0;

	if (argc > 1 && strcmp(argv[1], "member") == 0)
		return actor_main(argc - 1, argv + 1);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!scene_open(&s)) {
		perror("drill");
		scene_close(&s);
		return 1;
	}
	printf("Three members; TTL %d ms, election_ms %d. Member 1 does %s, 2 "
	       "%s, 3 %s, each under\na lease, and each waits in line for the "
	       "jobs of the others. Times are in seconds since\nthe fault.\n",
	       ACTOR_TTL_MS, ACTOR_ELECTION_MS, job_names[0], job_names[1],
	       job_names[2]);
	while (done < DRILLS && drills[done](&s))
		done++;
	scene_flush(&s);
	scene_close(&s);
	s.surprises += beliefs_audit(&s.board->beliefs);
	printf("\ndrill: %u drills, %u leases watched, %u surprises\n", done,
	       done * ACTOR_JOBS, s.surprises);
	return done == DRILLS && s.surprises == 0 ? 0 : 1;
}

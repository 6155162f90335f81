/* Processes killed under load, again and again; nothing that was acknowledged
 * may be lost.
 *
 * soak [RESTARTS], default 100. Each restart: at least a thousand operations
 * are acknowledged; then one, two or all of three members are killed at any
 * moment, and started again, some to be killed once more while they start. The
 * ones that lived ask the leader for all that they hold; the ones that were
 * started again must show, in their own replica, all that was acknowledged to
 * anybody (lib/member.c). In between, tokens of each name must rise, and no
 * release be answered as of something lost (lib/clients.c). At the end nothing
 * is held.
 *
 * The program runs itself as the members: "soak member ...". It ends with
 * "soak: R restarts, N acknowledged, L lost". */
#include "lib/child.h"
#include "lib/journal.h"
#include "lib/member.h"
#include "lib/place.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESTARTS 100
#define OPERATIONS_BETWEEN 1000
#define ANSWER_MS (4 * SOAK_WAIT_MS)
#define LOAD_DELAY_MS 200 /* at most, from enough load to the kill */
#define DOWN_MS 500       /* at most, from the kill to the start */
#define STARTING_MS 300   /* at most, from a start to a second kill */
#define PROGRESS_EVERY 10
#define ALL (-1) /* no member of them */

struct soak {
	char dir[PLACE_DIR_LEN];
	char dirs[SOAK_MEMBERS][PLACE_DIR_LEN + 24];
	char addresses[SOAK_MEMBERS][PLACE_ADDRESS_LEN];
	struct child children[SOAK_MEMBERS];
	int journal_fd;
	struct journal *journal;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static bool fail(const char *what, int member)
{
	if (!interrupted && member == ALL)
		fprintf(stderr, "soak: %s\n", what);
	else if (!interrupted)
		fprintf(stderr, "soak: member %d: %s\n", member + 1, what);
	return false;
}

static bool start(struct soak *s, int i)
{
	char number[12], journal[12];
	const char *arguments[CHILD_ARGUMENTS_MAX] = { "member", number,
						       journal, s->dirs[i] };

	for (int k = 0; k < SOAK_MEMBERS; k++)
		arguments[4 + k] = s->addresses[k];
	snprintf(number, sizeof(number), "%d", i);
	snprintf(journal, sizeof(journal), "%d", s->journal_fd);
	return child_start(&s->children[i], arguments) ||
	       fail(strerror(errno), i);
}

static bool kill_member(struct soak *s, int i)
{
	bool lived = child_kill(&s->children[i]);

	/* Its session, and so what it held, is none of a living one. */
	for (int k = 0; k < SOAK_KEEPERS; k++)
		s->journal->kept[i][k] = 0;
	return lived || fail("has ended before it was killed", i);
}

static bool say(struct soak *s, int i, const char *line)
{
	return child_say(&s->children[i], "%s", line) || fail("has ended", i);
}

/* Wait for "done". */
static bool hear(struct soak *s, int i)
{
	char line[CHILD_LINE_MAX];

	return child_hear(&s->children[i], line, ANSWER_MS) ||
	       fail("has ended, or doesn't answer", i);
}

/* Say the one thing to those in the set, the other to the rest; hear all. */
static bool ask_all(struct soak *s, unsigned set, const char *in_set,
		    const char *others)
{
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (!say(s, i, set >> i & 1 ? in_set : others))
			return false;
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (!hear(s, i))
			return false;
	return true;
}

static bool under_load(struct soak *s)
{
	uint64_t enough = s->journal->acknowledged + OPERATIONS_BETWEEN;
	uint64_t end = now_ms() + ANSWER_MS;

	while (s->journal->acknowledged < enough) {
		if (now_ms() > end || interrupted)
			return fail("nothing is acknowledged any more", ALL);
		nap_us(1000);
	}
	nap_up_to_ms(LOAD_DELAY_MS);
	return true;
}

/* Seven times in ten one, twice two, once all. */
static unsigned choose_set(void)
{
	unsigned one = 1u << (unsigned)rand() % SOAK_MEMBERS;
	unsigned all = (1u << SOAK_MEMBERS) - 1;

	switch (rand() % 10) {
	case 0:
		return all;
	case 1:
	case 2:
		return all & ~one;
	default:
		return one;
	}
}

static bool kill_and_start(struct soak *s, unsigned set)
{
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (set >> i & 1 && !kill_member(s, i))
			return false;
	nap_up_to_ms(DOWN_MS);
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (set >> i & 1 && !start(s, i))
			return false;
	return true;
}

static bool restart(struct soak *s)
{
	unsigned set = choose_set();

	if (!under_load(s) || !kill_and_start(s, set))
		return false;
	if (rand() % 5 == 0) {
		nap_up_to_ms(STARTING_MS);
		if (!kill_and_start(s, set))
			return false;
	}
	return ask_all(s, set, "verify\n", "validate\n");
}

static bool run(struct soak *s, unsigned restarts, unsigned *done)
{
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (!start(s, i))
			return false;
	while (*done < restarts && s->journal->lost == 0) {
		if (!restart(s))
			return false;
		if (++*done % PROGRESS_EVERY == 0)
			printf("%u restarts, %" PRIu64 " acknowledged, %" PRIu64
			       " asked again\n",
			       *done, s->journal->acknowledged,
			       s->journal->asked_again);
	}
	return ask_all(s, 0, "", "drain\n") && ask_all(s, 0, "", "empty\n");
}

/* No process is left behind. False: one didn't end well. */
static bool end(struct soak *s, bool kindly)
{
	bool well = true;

	for (int i = 0; i < SOAK_MEMBERS; i++) {
		if (kindly && say(s, i, "quit\n") &&
		    !child_reap(&s->children[i], SOAK_WAIT_MS))
			well = fail("doesn't end, or not with status 0", i);
		child_kill(&s->children[i]);
	}
	return well;
}

static bool prepare(struct soak *s)
{
	if (!place_make(s->dir, "soak"))
		return false;
	for (int i = 0; i < SOAK_MEMBERS; i++) {
		snprintf(s->dirs[i], sizeof(s->dirs[i]), "%s/member-%d", s->dir,
			 i + 1);
		if (!place_address(s->addresses[i]))
			return false;
	}
	s->journal = place_share(sizeof(*s->journal), &s->journal_fd);
	return s->journal;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = interrupt };
	struct soak s = { 0 };
	unsigned done = 0;

	if (argc > 1 && strcmp(argv[1], "member") == 0)
		return member_main(argc - 1, argv + 1);
	unsigned restarts = RESTARTS;
	if (argc > 1 && !place_count(argv[1], &restarts)) {
		fprintf(stderr, "soak: not a number of restarts: %s\n",
			argv[1]);
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!prepare(&s)) {
		perror("soak");
		return 1;
	}
	srand((unsigned)now_ms());
	bool ran = run(&s, restarts, &done);
	ran = end(&s, ran) && ran;
	uint64_t lost = s.journal->lost;
	if ((ran || interrupted) && lost == 0)
		place_remove(s.dir);
	else
		fprintf(stderr, "soak: the members' directories are in %s\n",
			s.dir);
	printf("soak: %u restarts, %" PRIu64 " acknowledged, %" PRIu64
	       " lost\n",
	       done, s.journal->acknowledged, lost);
	return ran && done == restarts && lost == 0 ? 0 : 1;
}

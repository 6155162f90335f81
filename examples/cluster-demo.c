/* A cluster of three processes, one stopped, one killed, and what its locks
 * protect, read back: about 15 seconds.
 *
 * Twelve threads contend for five locks. Each critical section writes its token
 * to a file that refuses older ones (cluster-resource.h). Meanwhile a process
 * is stopped inside a section, beyond its lease, and continued, so that a stale
 * write comes; and the leader is killed, twice. At the end no two sections that
 * a file took may overlap.
 *
 * make demo, or ./cluster-demo with cluster-worker beside it. The exit status
 * is 0 if all of that came true. */
#include "cluster-child.h"
#include "cluster-view.h"

#include <ftw.h>
#include <libgen.h>
#include <poll.h>

#define LOOK_MS 100       /* between two looks at the members */
#define TELL_MS 1000      /* between two lines where there is no terminal */
#define PATIENCE_MS 30000 /* for what must come, also on a slow machine */
#define SECTIONS_MIN 1000
#define ARGUMENTS_LEN (4 + DEMO_MEMBERS + 1) /* and NULL */

struct demo {
	char dir[256], worker[512];
	char addresses[DEMO_MEMBERS][ADDRESS_LEN];
	struct child children[DEMO_MEMBERS];
	struct view view;
	uint64_t looked_us;
	unsigned kills;
	uint64_t written_before, refused_before; /* by processes of the past */
	uint64_t marks[DEMO_LOCKS]; /* sections in each file, at some moment */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static int number_of(const struct demo *d, const struct child *c)
{
	return (int)(c - d->children) + 1;
}

static struct child *leader_of(struct demo *d)
{
	return children_leader(d->children);
}

static void show(struct demo *d)
{
	uint64_t written = d->written_before;

	for (int i = 0; i < DEMO_MEMBERS; i++)
		written += d->children[i].written;
	view_show(&d->view, d->children, written);
}

/* One turn: read what the members say, ask them, show it. */
static void turn(struct demo *d)
{
	struct pollfd fds[DEMO_MEMBERS];

	for (int i = 0; i < DEMO_MEMBERS; i++) {
		struct child *c = &d->children[i];

		fds[i].fd = c->pid && !c->ended ? c->from : -1;
		fds[i].events = POLLIN;
	}
	poll(fds, DEMO_MEMBERS, LOOK_MS / 10);
	for (int i = 0; i < DEMO_MEMBERS; i++)
		if (fds[i].fd >= 0 && fds[i].revents)
			child_read(&d->children[i]);
	if (now_us() - d->looked_us < LOOK_MS * 1000)
		return;
	d->looked_us = now_us();
	for (int i = 0; i < DEMO_MEMBERS; i++) {
		struct child *c = &d->children[i];

		if (!c->pid || c->ended || c->stopped || c->asked)
			continue;
		c->asked = true;
		child_say(c, "status\n");
	}
	show(d);
}

static bool all_well(struct demo *d)
{
	for (int i = 0; i < DEMO_MEMBERS; i++) {
		if (!d->children[i].ended)
			continue;
		tell(&d->view, "member %d ended by itself", i + 1);
		return false;
	}
	return !interrupted;
}

/* Go on until `done`; false if that never comes. */
static bool until(struct demo *d, const char *what,
		  bool (*done)(struct demo *d, struct child *c),
		  struct child *c)
{
	uint64_t end = now_us() + PATIENCE_MS * 1000;

	while (all_well(d)) {
		if (done(d, c))
			return true;
		if (now_us() > end) {
			tell(&d->view, "waited in vain: %s", what);
			return false;
		}
		turn(d);
	}
	return false;
}

static bool go_on(struct demo *d, uint64_t ms)
{
	uint64_t end = now_us() + ms * 1000;

	while (now_us() < end && all_well(d))
		turn(d);
	return all_well(d);
}

static bool has_leader(struct demo *d, struct child *c)
{
	(void)c;
	return leader_of(d);
}

static bool lingers(struct demo *d, struct child *c)
{
	(void)d;
	return c->lingering_token > 0;
}

static bool was_refused(struct demo *d, struct child *c)
{
	(void)d;
	return c->refused > 0;
}

/* Has the cluster ended all claims of this member? */
static bool forgotten(struct demo *d, struct child *c)
{
	struct child *leader = leader_of(d);
	char claim[16];

	snprintf(claim, sizeof(claim), " %d.", number_of(d, c));
	for (int i = 0; leader && i < DEMO_LOCKS; i++)
		if (strstr(leader->claims[i], claim))
			return false;
	return leader;
}

static bool all_passed_on(struct demo *d, struct child *c)
{
	(void)c;
	for (int i = 0; i < DEMO_LOCKS; i++)
		if (resource_sections(d->dir, i) <= d->marks[i])
			return false;
	return true;
}

/* Stop a process between taking a lock and writing, until the cluster has ended
 * its session and others have written under every lock: so what it writes when
 * it wakes is stale. */
static bool stop_a_holder(struct demo *d)
{
	struct child *c = &d->children[0];

	if (c == leader_of(d))
		c++;
	child_say(c, "linger\n");
	if (!until(d, "a section to stop in", lingers, c) || !child_stop(c))
		return false;
	tell(&d->view, "member %d stopped, inside lock-%d with token %" PRIu64,
	     number_of(d, c), c->lingering_lock, c->lingering_token);
	if (!go_on(d, DEMO_TTL_MS) ||
	    !until(d, "the end of its lease", forgotten, c))
		return false;
	for (int i = 0; i < DEMO_LOCKS; i++)
		d->marks[i] = resource_sections(d->dir, i);
	if (!until(d, "sections of others", all_passed_on, c))
		return false;
	tell(&d->view, "member %d continued; others have the locks",
	     number_of(d, c));
	child_continue(c);
	child_say(c, "go\n");
	if (!until(d, "a stale write", was_refused, c))
		return false;
	tell(&d->view, "member %d: stale write refused", number_of(d, c));
	return true;
}

static void gone(struct demo *d, struct child *c)
{
	d->written_before += c->written;
	d->refused_before += c->refused;
	child_reap(c);
}

static bool start_member(struct demo *d, int i)
{
	char id[12], dir[300];
	char *arguments[ARGUMENTS_LEN] = { d->worker, id, dir, d->dir };

	for (int k = 0; k < DEMO_MEMBERS; k++)
		arguments[4 + k] = d->addresses[k];
	snprintf(id, sizeof(id), "%d", i + 1);
	snprintf(dir, sizeof(dir), "%s/member-%d", d->dir, i + 1);
	return child_start(&d->children[i], arguments);
}

static bool kill_the_leader(struct demo *d)
{
	if (!until(d, "a leader", has_leader, NULL))
		return false;
	struct child *c = leader_of(d);
	int number = number_of(d, c);

	kill(c->pid, SIGKILL);
	gone(d, c);
	d->kills++;
	tell(&d->view, "member %d, the leader, killed", number);
	if (!go_on(d, 1500) || !start_member(d, number - 1))
		return false;
	tell(&d->view, "member %d started again", number);
	return go_on(d, 1500);
}

static bool act(struct demo *d)
{
	for (int i = 0; i < DEMO_MEMBERS; i++)
		if (!start_member(d, i))
			return false;
	return until(d, "a leader", has_leader, NULL) && go_on(d, 2000) &&
	       stop_a_holder(d) && go_on(d, 1500) && kill_the_leader(d) &&
	       kill_the_leader(d) && go_on(d, 1000);
}

static bool all_idle(const struct demo *d)
{
	for (int i = 0; i < DEMO_MEMBERS; i++)
		if (!d->children[i].idle && !d->children[i].ended)
			return false;
	return true;
}

static bool all_ended(const struct demo *d)
{
	for (int i = 0; i < DEMO_MEMBERS; i++)
		if (!d->children[i].ended)
			return false;
	return true;
}

static void say_and_wait(struct demo *d, const char *line,
			 bool (*done)(const struct demo *d))
{
	uint64_t end = now_us() + PATIENCE_MS * 1000;

	for (int i = 0; i < DEMO_MEMBERS; i++)
		child_say(&d->children[i], line);
	while (!done(d) && now_us() < end && !interrupted)
		turn(d);
}

/* The threads end first, while there is a majority to take their locks back;
 * then the members; no process is left behind. */
static void finish(struct demo *d, bool kindly)
{
	if (kindly) {
		say_and_wait(d, "stop\n", all_idle);
		say_and_wait(d, "quit\n", all_ended);
	}
	for (int i = 0; i < DEMO_MEMBERS; i++) {
		struct child *c = &d->children[i];

		if (!c->pid)
			continue;
		if (!c->ended)
			kill(c->pid, SIGKILL);
		gone(d, c);
	}
	view_erase(&d->view);
}

/* Did everything come true? */
static bool judge(struct demo *d)
{
	struct audit audit = { 0 };

	if (audit_read(&audit, d->dir) != 0) {
		puts("demo: the files can't be read back");
		free(audit.ends);
		return false;
	}
	printf("demo: %" PRIu64 " critical sections, %" PRIu64
	       " overlaps, tokens %s, %" PRIu64
	       " fenced writes refused, longest gap %" PRIu64 " ms\n",
	       audit.sections, audit.overlaps,
	       audit.falls ? "NOT rising" : "rising", d->refused_before,
	       audit_gap_us(&audit) / 1000);
	free(audit.ends);
	return audit.overlaps == 0 && audit.falls == 0 &&
	       audit.sections >= SECTIONS_MIN && d->refused_before > 0 &&
	       d->kills > 0;
}

static int remove_one(const char *path, const struct stat *status, int type,
		      struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path);
}

/* A directory on disk, and the program of the members beside this one's. */
static bool prepare(struct demo *d)
{
	const char *tmp = getenv("TMPDIR");
	char self[400] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return false;
	snprintf(d->worker, sizeof(d->worker), "%s/cluster-worker",
		 dirname(self));
	snprintf(d->dir, sizeof(d->dir), "%s/holdfast-demo-XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	return free_addresses(d->addresses, DEMO_MEMBERS) && mkdtemp(d->dir);
}

int main(void)
{
	struct demo d = { .view = view_begin() };
	struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!prepare(&d)) {
		perror("cluster-demo");
		return 1;
	}
	bool acted = act(&d);
	finish(&d, acted);
	bool well = judge(&d) && acted;
	nftw(d.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return well ? 0 : 1;
}

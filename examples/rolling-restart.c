/* A rolling restart: of six instances of a service at most two are down at a
 * time, and it is seen at any moment who is up.
 *
 * Instances are present in a group while they are up, and show their version
 * (hf_join). They begin together, at a barrier; each takes one of two permits,
 * leaves the group, restarts, comes back with the new version, and gives the
 * permit back. What it records of its restart is written only if it still has
 * the permit (`guard`). Then all leave the barrier together: the restart is
 * over for each when it is over for all.
 *
 * ./rolling-restart runs three processes of two instances, and in each an
 * operator who looks at the group. */
#include "cluster.h"

#include <pthread.h>

#define GROUP "service/up"
#define PERMITS_NAME "service/down"
#define BARRIER "service/restart"
#define OWN 2 /* instances of each process */
#define INSTANCES (MEMBERS * OWN)
#define DOWN_MAX 2
#define RESTART_MS 40
#define OLD "v1"
#define NEW "v2"
#define VERSION_LEN 2

struct board {
	atomic_uint down, down_most; /* as the instances themselves see it */
	atomic_uint restarted;
	atomic_uint seen; /* by how many operators: all are new */
};

struct instance {
	struct hf_node *node;
	struct board *board;
	unsigned number;
	struct hf_lock up; /* its place in the group */
	pthread_t thread;
	int rc;
};

/* The service itself is stopped and started. */
static void restart(struct board *b)
{
	unsigned down = ++b->down;

	if (down > b->down_most)
		b->down_most = down;
	nap_ms(RESTART_MS);
	b->down--;
}

static int go_down_and_up(struct instance *i, struct hf_lock *permit)
{
	struct hf_put_options guarded = { .size = sizeof(guarded) };
	char name[32];
	int rc = hf_unlock(&i->up, WAIT_MS);

	if (rc != 0)
		return rc;
	restart(i->board);
	rc = hf_join(i->node, &i->up, GROUP, NEW, VERSION_LEN, WAIT_MS);
	if (rc != 0)
		return rc;
	guarded.guard = permit;
	snprintf(name, sizeof(name), "service/version/%u", i->number);
	rc = hf_put(i->node, name, NEW, VERSION_LEN, &guarded, NULL, WAIT_MS);
	if (rc == 0)
		printf("instance %u: " NEW ", by permit %" PRIu64 "\n",
		       i->number, hf_lock_token(permit));
	return rc;
}

static int restart_in_turn(struct instance *i)
{
	struct hf_lock_options options = { .size = sizeof(options) };
	struct hf_lock permit;

	options.mode = HF_PERMITS;
	options.limit = DOWN_MAX;
	int rc = hf_lock(i->node, &permit, PERMITS_NAME, &options, WAIT_MS);
	if (rc != 0)
		return rc;
	rc = go_down_and_up(i, &permit);
	hf_unlock(&permit, WAIT_MS);
	return rc;
}

static int instance_act(struct instance *i)
{
	struct hf_lock barrier;
	int rc = hf_join(i->node, &i->up, GROUP, OLD, VERSION_LEN, WAIT_MS);

	if (rc != 0)
		return rc;
	rc = hf_barrier_enter(i->node, &barrier, BARRIER, INSTANCES, WAIT_MS);
	if (rc != 0)
		return rc;
	rc = restart_in_turn(i);
	i->board->restarted += rc == 0;
	int left = hf_barrier_leave(&barrier, WAIT_MS);
	return rc != 0 ? rc : left;
}

static void *instance_run(void *arg)
{
	struct instance *i = arg;

	i->rc = instance_act(i);
	if (i->rc != 0)
		printf("instance %u: %s\n", i->number, hf_strerror(i->rc));
	return NULL;
}

/* --- the operator: who is up, as this member knows it */

struct view {
	unsigned up, new; /* new: of the new version */
};

static bool count(void *arg, const struct hf_claim *claim)
{
	struct view *view = arg;

	if (claim->token == 0)
		return true; /* waits; nobody does, in a group */
	view->up++;
	view->new += claim->shown_len ==
		     VERSION_LEN &&memcmp(claim->shown, NEW, VERSION_LEN) == 0;
	return true;
}

/* What it sees is a moment of the past, but one that was. From the first at
 * which all were up, there are always enough; to the last, at which all are
 * new. */
static bool observe(struct hf_node *node)
{
	unsigned least = INSTANCES;
	bool begun = false;

	for (unsigned waited = 0; waited < WAIT_MS; waited++) {
		struct view view = { 0 };
		int rc = hf_claims(node, GROUP, strlen(GROUP), count, &view);

		if (rc != 0)
			return expect(rc, 0, "who is up");
		begun = begun || view.up == INSTANCES;
		if (begun && view.up < least)
			least = view.up;
		if (view.new == INSTANCES)
			return say(least >= INSTANCES - DOWN_MAX,
				   "seen: never less than %u of %d up", least,
				   INSTANCES);
		nap_ms(1);
	}
	return say(false, "seen: all are new");
}

static int run(struct hf_node *node, unsigned id, void *board)
{
	struct instance instances[OWN] = { 0 };
	struct board *b = board;
	bool well = true;

	for (unsigned i = 0; i < OWN; i++) {
		instances[i].node = node;
		instances[i].board = b;
		instances[i].number = (id - 1) * OWN + i + 1;
		if (pthread_create(&instances[i].thread, NULL, instance_run,
				   &instances[i]) != 0)
			return 1;
	}
	b->seen += observe(node);
	well = wait_for(&b->seen, MEMBERS);
	for (unsigned i = 0; i < OWN; i++) {
		pthread_join(instances[i].thread, NULL);
		well = well && instances[i].rc == 0 &&
		       hf_unlock(&instances[i].up, WAIT_MS) == 0;
	}
	return well ? 0 : 1;
}

int main(void)
{
	struct cluster c;

	if (!cluster_begin(&c, sizeof(struct board)))
		return 1;
	struct board *b = c.board;
	c.ttl_ms = 10000; /* nobody dies here */
	bool well = cluster_start(&c, run);
	well = cluster_end(&c, well) && b->restarted == INSTANCES &&
	       b->down_most <= DOWN_MAX;
	say(well, "rolling-restart: %u restarted, at most %u down at once",
	    b->restarted, b->down_most);
	return well ? 0 : 1;
}

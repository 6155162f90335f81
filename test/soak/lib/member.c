#include "member.h"

#include "clients.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MEMBER_ARGS 4 /* before the addresses */
#define TTL_MS 60000  /* no living process may lose its session */
/* The last to close has no majority any more to end its session with. */
#define CLOSE_MS 2000
#define CLAIMS_MAX (SOAK_MEMBERS * (SOAK_CHURNERS + 1))

struct member {
	unsigned number;
	struct journal *journal;
	struct hf_node *node;
	struct clients clients;
	atomic_bool closing;
};

/* What stood in the journal at one moment. */
struct past {
	uint64_t granted[SOAK_NAMES], released[SOAK_NAMES];
	uint64_t kept[SOAK_MEMBERS][SOAK_KEEPERS];
};

static void on_event(struct hf_node *node, const struct hf_event *event,
		     void *arg)
{
	struct member *m = arg;

	(void)node;
	if (event->type == HF_EVENT_SESSION &&
	    event->session == HF_SESSION_LOST && !m->closing)
		journal_lost(m->journal, "member %u, alive, lost its session",
			     m->number + 1);
	if (event->type == HF_EVENT_FAILED)
		journal_lost(m->journal, "member %u failed: %s", m->number + 1,
			     event->text);
}

static void past_take(struct past *past, struct journal *j)
{
	for (unsigned i = 0; i < SOAK_NAMES; i++) {
		past->released[i] = j->names[i].released;
		past->granted[i] = j->names[i].granted;
	}
	for (unsigned m = 0; m < SOAK_MEMBERS; m++)
		for (unsigned k = 0; k < SOAK_KEEPERS; k++)
			past->kept[m][k] = j->kept[m][k];
}

static size_t look(struct member *m, const char *name, struct hf_claim *claims)
{
	size_t total = 0;
	int rc = hf_lock_status(m->node, name, strlen(name), claims, CLAIMS_MAX,
				&total);

	if (rc != 0)
		journal_lost(m->journal, "%s: no status: %s", name,
			     hf_strerror(rc));
	return total < CLAIMS_MAX ? total : CLAIMS_MAX;
}

static bool holds(const struct hf_claim *claims, size_t len, uint64_t token)
{
	for (size_t i = 0; i < len; i++)
		if (claims[i].token == token)
			return true;
	return false;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

/* Take a lock and wait until this member's own replica shows it: from then on
 * it shows all that was acknowledged before. */
static bool catch_up(struct member *m)
{
	struct hf_claim claims[CLAIMS_MAX];
	char name[SOAK_NAME_LEN];
	struct hf_lock lock;

	snprintf(name, sizeof(name), "probe/%u", m->number);
	int rc = hf_lock(m->node, &lock, name, NULL, SOAK_WAIT_MS);
	if (rc != 0) {
		journal_lost(m->journal, "%s: %s", name, hf_strerror(rc));
		return false;
	}
	uint64_t token = hf_lock_token(&lock);
	for (int i = 0; i < SOAK_WAIT_MS / 2; i++) {
		if (holds(claims, look(m, name, claims), token)) {
			hf_unlock(&lock, SOAK_WAIT_MS);
			return true;
		}
		nap();
	}
	journal_lost(m->journal, "%s: this member doesn't catch up", name);
	return false;
}

/* A hold as this replica shows it, against what was acknowledged before. */
static void check_hold(struct member *m, const struct past *past, unsigned name,
		       uint64_t token)
{
	if (token <= past->released[name])
		journal_lost(m->journal,
			     "soak/%u: %" PRIu64 " is held, but %" PRIu64
			     " was released",
			     name, token, past->released[name]);
	else if (token < past->granted[name])
		journal_lost(m->journal,
			     "soak/%u: %" PRIu64 " is held, but %" PRIu64
			     " was granted",
			     name, token, past->granted[name]);
	else
		m->journal->asked_again++;
}

static void check_kept(struct member *m, const struct past *past,
		       unsigned keeper_member, unsigned keeper)
{
	uint64_t token = past->kept[keeper_member][keeper];
	struct hf_claim claims[CLAIMS_MAX];
	char name[SOAK_NAME_LEN];

	if (token == 0)
		return;
	journal_name(name, journal_keeper_name(keeper_member, keeper));
	if (holds(claims, look(m, name, claims), token))
		m->journal->asked_again++;
	else
		journal_lost(m->journal,
			     "%s: %" PRIu64 " is kept by member %u, but "
			     "member %u doesn't know",
			     name, token, keeper_member + 1, m->number + 1);
}

/* Does this member know all that was acknowledged by anybody? */
static void verify(struct member *m)
{
	struct hf_claim claims[CLAIMS_MAX];
	char name[SOAK_NAME_LEN];
	struct past past;

	past_take(&past, m->journal);
	if (!catch_up(m))
		return;
	for (unsigned i = 0; i < SOAK_NAMES; i++) {
		journal_name(name, i);
		size_t len = look(m, name, claims);
		for (size_t k = 0; k < len; k++)
			if (claims[k].token > 0)
				check_hold(m, &past, i, claims[k].token);
	}
	for (unsigned i = 0; i < SOAK_MEMBERS; i++)
		for (unsigned k = 0; k < SOAK_KEEPERS; k++)
			check_kept(m, &past, i, k);
}

/* At the end, when nobody asks for anything: is nothing left behind? */
static void expect_empty(struct member *m)
{
	struct hf_claim claims[CLAIMS_MAX];
	char name[SOAK_NAME_LEN];

	for (unsigned i = 0; i < SOAK_NAMES; i++) {
		journal_name(name, i);
		for (int k = 0; k < SOAK_WAIT_MS / 2; k++) {
			if (look(m, name, claims) == 0)
				break;
			nap();
		}
		if (look(m, name, claims) > 0)
			journal_lost(m->journal,
				     "%s: held under %" PRIu64 " by nobody",
				     name, claims[0].token);
	}
}

static void obey(struct member *m)
{
	char line[32];

	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "verify\n") == 0)
			verify(m);
		else if (strcmp(line, "validate\n") == 0)
			clients_validate(&m->clients);
		else if (strcmp(line, "drain\n") == 0)
			clients_drain(&m->clients);
		else if (strcmp(line, "empty\n") == 0)
			expect_empty(m);
		else
			break;
		puts("done");
	}
}

static struct journal *map_journal(int fd)
{
	void *map = mmap(NULL, sizeof(struct journal), PROT_READ | PROT_WRITE,
			 MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

int member_main(int argc, char **argv)
{
	struct member m = { 0 };
	struct hf_options options = { .size = sizeof(options) };
	struct hf_member members[SOAK_MEMBERS];
	char error[HF_ERROR_TEXT];

	if (argc != MEMBER_ARGS + SOAK_MEMBERS)
		return 2;
	m.number = (unsigned)atoi(argv[1]);
	m.journal = map_journal(atoi(argv[2]));
	for (unsigned i = 0; i < SOAK_MEMBERS; i++)
		members[i] = (struct hf_member){ i + 1, argv[MEMBER_ARGS + i] };
	options.id = m.number + 1;
	options.dir = argv[3];
	options.members = members;
	options.members_len = SOAK_MEMBERS;
	options.ttl_ms = TTL_MS;
	options.on_event = on_event;
	options.arg = &m;
	setvbuf(stdout, NULL, _IOLBF, 0);
	srand((unsigned)time(NULL) + m.number);
	if (!m.journal || hf_open(&m.node, &options, error) != 0) {
		fprintf(stderr, "soak: member %u: %s\n", m.number + 1,
			m.journal ? error : "no journal");
		return 1;
	}
	clients_start(&m.clients, m.node, m.journal, m.number);
	obey(&m);
	m.closing = true;
	hf_close(m.node, CLOSE_MS);
	return 0;
}

#include "member.h"

#include "disk_calls.h"
#include "netns.h"
#include "users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_US 2000
#define SHOW_TICKS 50
#define CLOSE_TIMEOUT_MS 1000
/* A step of the wall clock against the monotonic one. */
#define JUMP_US 1000000

struct member {
	unsigned number, members;
	struct shared *shared;
	struct member_memory *memory;
	struct hf_node *node;
	struct users users;
	_Atomic(int) session; /* its state */
	_Atomic(bool) failed, closing;
	int64_t wall_offset_us;
};

static void on_session(struct member *m, enum hf_session_state state)
{
	enum hf_session_state was = (enum hf_session_state)m->session;

	m->session = (int)state;
	if (state == HF_SESSION_LOST)
		m->memory->sessions_lost++;
	if (was == HF_SESSION_UNSURE && state == HF_SESSION_SAFE)
		m->memory->made_safe++;
}

static void on_leader(struct member *m, const struct hf_event *event)
{
	/* The memory outlives the process: a restart is no election. */
	if (event->leader && event->term > m->memory->term) {
		m->memory->term = event->term;
		m->memory->elections++;
	}
	m->memory->leader = event->leader;
}

static void on_event(struct hf_node *node, const struct hf_event *event,
		     void *arg)
{
	struct member *m = arg;

	(void)node;
	switch (event->type) {
	case HF_EVENT_SESSION:
		on_session(m, event->session);
		break;
	case HF_EVENT_LEADER:
		on_leader(m, event);
		break;
	case HF_EVENT_LOST:
		if (!m->closing)
			users_lost(&m->users, event->token);
		break;
	case HF_EVENT_FAILED:
		snprintf(m->memory->text, TEXT_LEN, "%s", event->text);
		m->failed = true;
		break;
	case HF_EVENT_REVOKED: /* nobody revokes here */
		break;
	}
}

static int open_node(struct member *m, const char *dir)
{
	struct hf_options options = { .size = sizeof(options) };
	char addresses[MEMBERS_MAX][NETNS_ADDRESS_LEN];
	struct hf_member members[MEMBERS_MAX];
	char error[HF_ERROR_TEXT] = "";

	for (unsigned i = 0; i < m->members; i++) {
		netns_address(addresses[i], i);
		members[i] = (struct hf_member){ i + 1, addresses[i] };
	}
	options.dir = dir;
	options.cluster = "chaos";
	options.id = m->number + 1;
	options.members = members;
	options.members_len = m->members;
	options.ttl_ms = TTL_MS;
	options.election_ms = ELECTION_MS;
	options.plain_tcp = true;
	options.on_event = on_event;
	options.arg = m;
	int rc = hf_open(&m->node, &options, error);
	m->memory->rc = rc;
	if (rc != 0)
		snprintf(m->memory->text, TEXT_LEN, "%s", error);
	return rc;
}

static int64_t wall_offset_us(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000 -
	       (int64_t)now_us();
}

static void look_at_wall(struct member *m)
{
	int64_t offset = wall_offset_us();
	int64_t step = offset - m->wall_offset_us;

	m->wall_offset_us = offset;
	if (step > JUMP_US || step < -JUMP_US)
		m->memory->clock_jumps++;
}

/* What its replica shows. */
static void show(struct member *m)
{
	struct hf_status status = { .size = sizeof(status) };

	if (hf_status(m->node, &status) != 0)
		return;
	m->memory->shown_holds = status.holds;
	m->memory->shown_waits = status.waits;
	m->memory->shown_applied = status.applied;
}

static bool is_empty(struct member *m)
{
	show(m);
	return m->memory->shown_applied > 0 && m->memory->shown_holds == 0 &&
	       m->memory->shown_waits == 0;
}

static void obey(struct member *m)
{
	int command = m->memory->command;

	m->users.hasty = command != RUN;
	m->users.stopping = command > HASTEN;
	if (command <= HASTEN)
		m->memory->phase = PHASE_OPEN;
	else if (command == DRAIN && users_busy(&m->users) == 0)
		m->memory->phase = PHASE_DRAINED;
	else if (command == CHECK && is_empty(m))
		m->memory->phase = PHASE_EMPTY;
}

/* Every request is answered by the close, at the latest. */
static int end(struct member *m)
{
	m->closing = true;
	m->memory->ended[m->memory->boot] = now_us();
	hf_close(m->node, CLOSE_TIMEOUT_MS);
	users_check_answered(&m->users);
	return m->failed ? END_FAILED : END_WELL;
}

int member_main(int argc, char **argv)
{
	static struct member m;

	if (argc != 5)
		return 2;
	m.number = (unsigned)atoi(argv[1]);
	m.members = (unsigned)atoi(argv[2]);
	m.shared = shared_map(atoi(argv[3]));
	if (!m.shared || m.number >= MEMBERS_MAX || m.members > MEMBERS_MAX)
		return 2;
	m.memory = &m.shared->members[m.number];
	disk_calls_obey(&m.memory->disk);
	/* Events come from the opening on. */
	users_init(&m.users, NULL, m.shared, m.number);
	if (open_node(&m, argv[4]) != 0)
		return END_REFUSED;
	m.users.node = m.node;
	m.wall_offset_us = wall_offset_us();
	for (unsigned tick = 0; m.memory->command != QUIT && !m.failed;
	     tick++) {
		if (tick % SHOW_TICKS == 0)
			show(&m);
		users_tick(&m.users);
		obey(&m);
		look_at_wall(&m);
		nap_us(TICK_US);
	}
	return end(&m);
}

#include "team.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_MS 30000
#define POLL_MS 10
#define CLOSE_MS 2000
/* Below the ports that the kernel gives away by itself: the port of a member
 * that was killed must still be free when it is started again. */
#define PORT_FIRST 20000
#define PORTS 10000

static void answer_status(struct member *member, struct answer *answer)
{
	struct hf_status status = { .size = sizeof(status) };

	answer->rc = hf_status(member->node, &status);
	answer->leader = status.leader;
	answer->term = status.term;
	answer->applied = status.applied;
	answer->ready = status.session_state == HF_SESSION_SAFE &&
			status.members_len == TEAM_LEN;
	for (size_t i = 0; i < status.members_len; i++)
		if (!status.members[i].linked)
			answer->ready = false;
}

static void open_node(const struct team *team, struct member *member)
{
	struct hf_member members[TEAM_LEN];
	char dir[PATH_MAX], error[HF_ERROR_TEXT];
	const struct hf_options options = { .size = sizeof(options),
					    .dir = dir,
					    .members = members,
					    .members_len = TEAM_LEN,
					    .id = member->index + 1 };

	for (unsigned i = 0; i < TEAM_LEN; i++)
		members[i] = (struct hf_member){ i + 1, team->address[i] };
	snprintf(dir, sizeof(dir), "%s/member-%u", team->dir,
		 member->index + 1);
	if (hf_open(&member->node, &options, error))
		die("hf_open: %s", error);
}

/* One order after another, until told to end. */
static void serve(const struct team *team, unsigned index, int orders,
		  int answers)
{
	struct member member = { .index = index, .shared = team->shared };
	struct order order = { 0 };

	open_node(team, &member);
	while (order.what != ORDER_END &&
	       read(orders, &order, sizeof(order)) == sizeof(order)) {
		struct answer answer = { 0 };

		if (order.what == ORDER_END)
			answer.rc = hf_close(member.node, CLOSE_MS);
		else if (order.what == ORDER_STATUS)
			answer_status(&member, &answer);
		else
			team->work(&member, &order, &answer);
		if (write(answers, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
}

void team_start(struct team *team, unsigned i)
{
	int orders[2], answers[2];

	if (pipe2(orders, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	team->child[i].pid = spawn();
	if (team->child[i].pid == 0) {
		close(orders[1]);
		close(answers[0]);
		serve(team, i, orders[0], answers[1]);
		_exit(0);
	}
	/* A copy of the member's end would hide that the member has ended. */
	close(orders[0]);
	close(answers[1]);
	team->child[i].orders = orders[1];
	team->child[i].answers = answers[0];
}

static void forget(struct team *team, unsigned i)
{
	close(team->child[i].orders);
	close(team->child[i].answers);
	waitpid(team->child[i].pid, NULL, 0);
	team->child[i].pid = 0;
}

void team_kill(struct team *team, unsigned i)
{
	kill(team->child[i].pid, SIGKILL);
	forget(team, i);
}

void team_order(const struct team *team, unsigned i, const struct order *order)
{
	if (write(team->child[i].orders, order, sizeof(*order)) !=
	    sizeof(*order))
		die("member %u has ended", i + 1);
}

void team_answer(const struct team *team, unsigned i, struct answer *answer)
{
	if (read(team->child[i].answers, answer, sizeof(*answer)) !=
	    sizeof(*answer))
		die("member %u has ended", i + 1);
}

static void ask(const struct team *team, unsigned i, unsigned what,
		struct answer *answer)
{
	const struct order order = { .what = what };

	team_order(team, i, &order);
	team_answer(team, i, answer);
}

/* Does everybody see the same leader and all members? */
static bool agree(struct team *team)
{
	struct answer answers[TEAM_LEN];

	for (unsigned i = 0; i < TEAM_LEN; i++) {
		const struct answer *answer = &answers[i];

		ask(team, i, ORDER_STATUS, &answers[i]);
		if (answer->rc || !answer->ready || answer->leader == 0 ||
		    answer->leader != answers[0].leader ||
		    answer->term != answers[0].term)
			return false;
	}
	team->leader = (unsigned)answers[0].leader - 1;
	team->term = answers[0].term;
	return true;
}

void team_ready(struct team *team)
{
	const uint64_t end = now_ns() + (uint64_t)READY_MS * 1000000;

	while (!agree(team)) {
		if (now_ns() > end)
			die("no leader that all members see, in %d ms",
			    READY_MS);
		sleep_ms(POLL_MS);
	}
}

static bool port_free(unsigned port)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_in address = { .sin_family = AF_INET };
	int rc;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return rc == 0;
}

/* The process id sets where to look, so that several runs at once don't choose
 * the same. */
static void choose_addresses(struct team *team)
{
	const unsigned first = (unsigned)getpid() * 13 % PORTS;
	unsigned found = 0;

	for (unsigned i = 0; i < PORTS && found < TEAM_LEN; i++) {
		const unsigned port = PORT_FIRST + (first + i) % PORTS;

		if (port_free(port))
			snprintf(team->address[found++],
				 sizeof(team->address[0]), "127.0.0.1:%u",
				 port);
	}
	if (found < TEAM_LEN)
		die("no free ports");
}

void team_gather(struct team *team)
{
	choose_addresses(team);
	for (unsigned i = 0; i < TEAM_LEN; i++)
		team_start(team, i);
	team_ready(team);
}

void team_dismiss(struct team *team)
{
	struct answer answer;

	for (unsigned i = 0; i < TEAM_LEN; i++) {
		ask(team, i, ORDER_END, &answer);
		forget(team, i);
	}
}

/* A service with one leader and standbys, and a client that always finds the
 * leader.
 *
 * Each process campaigns: it waits to lead, and shows its address when it does.
 * The leader answers for as long as it leads for certain (hf_lock_safe_ms), and
 * its answers carry its token; so the client can refuse one of a leader of the
 * past, which was paused on its way. The client is told who leads by a watch,
 * "nobody" included.
 *
 * ./standby runs three processes: 1 leads and hands over to 2, though 3 is
 * before it in the line; 2 is killed; 3, whose priority is above 1's, takes
 * over. Process 1 has the client, too. */
#include "cluster.h"

#include <pthread.h>

#define NAME "service"
#define ENOUGH 5 /* answers of a leader */
#define ANSWER_MS 100
#define ADDRESS_LEN 32

struct board {
	atomic_uint answers[MEMBERS + 1]; /* of each process */
	atomic_uint hand_over;            /* the next leader's id */
	atomic_uint nobody, stale;        /* times */
	atomic_uint over;
};

struct answer {
	uint64_t token;
	unsigned id;
};

/* --- the leader's side */

/* A socket of this process, and its address. Negative: standard error says why.
 */
static int socket_open(struct sockaddr_in *at)
{
	const struct timeval patience = { .tv_usec = ANSWER_MS * 1000 };
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET };
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)at, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)at, &len) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) != 0)
		perror("socket");
	return fd;
}

/* Answer one question, if there is one. Whether this one still leads is asked
 * as late as can be; but only the token helps if it is paused right then. */
static void service_answer(int fd, struct hf_lock *lock, unsigned id)
{
	struct answer answer = { .token = hf_lock_token(lock), .id = id };
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char question;

	if (recvfrom(fd, &question, 1, 0, (struct sockaddr *)&from, &len) ==
		    1 &&
	    hf_lock_safe_ms(lock) > 0)
		sendto(fd, &answer, sizeof(answer), 0, (struct sockaddr *)&from,
		       len);
}

/* Lead until it is over, or somebody else does. */
static void lead(struct hf_lock *lock, int fd, unsigned id, struct board *b)
{
	if (b->over == 0)
		printf("process %u leads, token %" PRIu64 "\n", id,
		       hf_lock_token(lock));
	while (hf_lock_safe_ms(lock) > 0 && b->over == 0) {
		unsigned next = b->hand_over;

		service_answer(fd, lock, id);
		if (next == 0 || next == id)
			continue;
		int rc = hf_handover(lock, next, WAIT_MS);
		if (rc == HF_ENOCANDIDATE)
			continue; /* it doesn't wait yet; this one still leads
				   */
		b->hand_over = 0;
		expect(rc, 0, "handed over");
		return;
	}
	hf_unlock(lock, WAIT_MS);
}

static void stand_by(struct hf_node *node, unsigned id, struct board *b)
{
	struct sockaddr_in at;
	struct hf_lock lock;
	int fd = socket_open(&at);
	char address[ADDRESS_LEN];
	int len = snprintf(address, sizeof(address), "127.0.0.1:%u",
			   ntohs(at.sin_port));

	while (b->over == 0) {
		int rc = hf_campaign(node, &lock, NAME, address, (size_t)len,
				     (int32_t)id, WAIT_MS);
		if (rc == 0)
			lead(&lock, fd, id, b);
		else
			nap_ms(STEP_MS); /* no session, for instance */
	}
	close(fd);
}

/* --- the client's side */

struct client {
	struct board *board;
	struct hf_guard guard; /* against answers of the past */
	pthread_mutex_t mutex; /* of these: */
	uint64_t token;        /* the leader's; 0: nobody leads */
	char address[ADDRESS_LEN];
};

static void on_change(struct hf_watch *watch, const struct hf_change *change)
{
	struct client *c = watch->data;

	pthread_mutex_lock(&c->mutex);
	if (change->type == HF_CHANGE_HELD) {
		snprintf(c->address, sizeof(c->address), "%.*s",
			 (int)change->bytes_len, (const char *)change->bytes);
		c->token = change->token;
	} else if (change->type == HF_CHANGE_NOBODY ||
		   (change->type == HF_CHANGE_FREED &&
		    change->token == c->token)) {
		c->token = 0;
		c->board->nobody++;
	}
	pthread_mutex_unlock(&c->mutex);
}

/* Where the leader is. False: nobody leads now. */
static bool client_look(struct client *c, struct sockaddr_in *at)
{
	unsigned port = 0;

	pthread_mutex_lock(&c->mutex);
	bool found =
		c->token > 0 && sscanf(c->address, "127.0.0.1:%u", &port) == 1;
	pthread_mutex_unlock(&c->mutex);
	at->sin_port = htons((uint16_t)port);
	return found;
}

/* One question. False: no answer; look again who leads. */
static bool client_ask(struct client *c, int fd, const struct sockaddr_in *at)
{
	struct answer answer;

	sendto(fd, "?", 1, 0, (const struct sockaddr *)at, sizeof(*at));
	if (recv(fd, &answer, sizeof(answer), 0) != sizeof(answer))
		return false;
	if (hf_guard_check(&c->guard, HF_EXCLUSIVE, answer.token) != 0)
		c->board->stale++; /* and not believed */
	else
		c->board->answers[answer.id]++;
	return true;
}

static void *client_run(void *arg)
{
	struct client *c = arg;
	struct sockaddr_in own, at;
	int fd = socket_open(&own);

	at = own;
	while (c->board->over == 0)
		if (!client_look(c, &at) || !client_ask(c, fd, &at))
			nap_ms(STEP_MS);
	close(fd);
	return NULL;
}

/* The watch comes first, so that it tells of "nobody" at the beginning. */
static int run_with_client(struct hf_node *node, unsigned id, struct board *b)
{
	struct client client = { .board = b,
				 .mutex = PTHREAD_MUTEX_INITIALIZER };
	struct hf_watch watch = { .data = &client };
	pthread_t thread;

	if (hf_watch(node, &watch, NAME, strlen(NAME), HF_WATCH_NOW, 0,
		     on_change) != 0 ||
	    pthread_create(&thread, NULL, client_run, &client) != 0)
		return 1;
	stand_by(node, id, b);
	pthread_join(thread, NULL);
	return hf_unwatch(&watch) != 0;
}

static int run(struct hf_node *node, unsigned id, void *board)
{
	struct board *b = board;

	if (id == 1)
		return run_with_client(node, id, b);
	if (!wait_for(&b->answers[1], ENOUGH)) /* 1 leads first */
		return 1;
	stand_by(node, id, b);
	return 0;
}

static bool act(struct cluster *c)
{
	struct board *b = c->board;

	if (!cluster_start(c, run) || !wait_for(&b->answers[1], ENOUGH))
		return false;
	b->hand_over = 2;
	if (!wait_for(&b->answers[2], ENOUGH))
		return false;
	unsigned nobody = b->nobody;
	member_kill(c, 2);
	puts("process 2 killed");
	return wait_for(&b->answers[3], ENOUGH) &&
	       say(nobody > 0 && b->nobody > nobody,
		   "the client was told when nobody led");
}

int main(void)
{
	struct cluster c;

	if (!cluster_begin(&c, sizeof(struct board)))
		return 1;
	struct board *b = c.board;
	bool well = act(&c);
	b->over = 1;
	well = cluster_end(&c, well);
	say(well, "standby: answers of leaders 1, 2, 3: %u, %u, %u; %u stale",
	    b->answers[1], b->answers[2], b->answers[3], b->stale);
	return well ? 0 : 1;
}

/* Peers: nodes in processes of their own, which do as they are asked, so that a
 * test can kill and stop them.
 *
 * The test's program runs itself again, as peer_main (see LIVE_SUITE): a
 * process with threads, as a test may be, is no good parent by fork alone. A
 * peer dies with the test. One question at a time; a test may do other things
 * before it takes the answer. */
#ifndef HF_LIVE_PEER_H
#define HF_LIVE_PEER_H

#include "lib/suite.h"
#include "live/lib/cluster.h"

#include <sys/types.h>

#define PEER_NAME_MAX 32
#define PEER_LOCKS_MAX 8

enum peer_verb {
	PEER_OPEN = 1,
	PEER_CLOSE, /* hf_close; the peer stays for another PEER_OPEN */
	PEER_LOCK,  /* `value` of the answer: the token */
	PEER_ENTER, /* a barrier of three; value: the token */
	PEER_UNLOCK,
	PEER_VALIDATE,
	PEER_SAFE,   /* value: hf_lock_safe_ms */
	PEER_TOKEN,  /* value: hf_lock_token */
	PEER_LEADER, /* value: who leads, as far as the peer knows */
	PEER_LOST,   /* value: the token of the last HF_EVENT_LOST */
	PEER_LOSSES, /* value: how many HF_EVENT_LOST there were */
	PEER_LINE,   /* value: claims of a lock, as this peer knows them */
	PEER_SESSION /* value: enum hf_session_state */
};

struct peer_question {
	enum peer_verb verb;
	char name[PEER_NAME_MAX]; /* of a lock */
	uint32_t ms;
};

struct peer_answer {
	int rc;
	uint64_t value;
};

struct peer {
	pid_t pid; /* 0: none */
	int fd;
	const struct cluster *cluster;
	size_t index;
	uint32_t ttl_ms; /* 0: LIVE_TTL_MS */
};

/* Start a process and open node `index` of the cluster in it. */
void peer_start(struct peer *p, const struct cluster *c, size_t index,
		uint32_t ttl_ms);
void peer_kill(struct peer *p); /* SIGKILL, and wait for it */
void peer_stop(struct peer *p); /* SIGSTOP; returns when it stands */
void peer_continue(struct peer *p);

void peer_ask(struct peer *p, enum peer_verb verb, const char *name,
	      uint32_t ms);
struct peer_answer peer_take(struct peer *p);
/* Both; the answer's value where its rc is 0, else the test fails. */
uint64_t peer_do(struct peer *p, enum peer_verb verb, const char *name,
		 uint32_t ms);

/* The index of the peer that says of itself that it leads. */
size_t peers_leader(struct peer *peers, size_t len);

int peer_main(int fd);

/* As suite_main, but "--peer FD" makes the program a peer. */
int live_main(int argc, char **argv, const TTest *const *tests, size_t len);

#define LIVE_SUITE(...)                                           \
	int main(int argc, char **argv)                           \
	{                                                         \
		const TTest *tests[] = { __VA_ARGS__ };           \
		return live_main(argc, argv, tests,               \
				 sizeof(tests) / sizeof(*tests)); \
	}

#endif

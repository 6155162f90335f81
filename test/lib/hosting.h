/* Hosts for tests: a cluster's members in one process, in scratch directories,
 * on ports of the loopback device. */
#ifndef HF_TEST_HOSTING_H
#define HF_TEST_HOSTING_H

#include "host/host.h"
#include "lib/scratch.h"

#include <pthread.h>

#define HOSTING_MAX 3
#define HOSTING_SEGMENT_BYTES ((size_t)256 << 10)

struct hosted {
	struct host *host;
	struct host_config config;
	char dir[SCRATCH_PATH_MAX + 32];
	char address[32];
	struct hosting *all;
	/* What its events said last. */
	enum hf_session_state session;
	uint64_t leader;
	int failed; /* the rc of HF_EVENT_FAILED */
};

struct hosting {
	char root[SCRATCH_PATH_MAX];
	struct hosted hosted[HOSTING_MAX];
	struct hf_member members[HOSTING_MAX];
	size_t len;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	char error[HF_ERROR_TEXT];
};

/* len 1: a cluster of one, which listens nowhere. Opens none yet. */
void hosting_begin(struct hosting *h, size_t len);
/* Removes the directories; hosts must be closed. */
void hosting_end(struct hosting *h);
int hosting_open(struct hosting *h, size_t i);
void hosting_close(struct hosting *h, size_t i);
void hosting_wait_safe(struct hosting *h, size_t i);
void hosting_wait_failed(struct hosting *h, size_t i);
/* Run on the loop's thread, and wait for it. */
void hosting_run(struct hosting *h, size_t i,
		 void (*run)(struct host *host, void *arg), void *arg);

#endif

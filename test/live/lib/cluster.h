/* Clusters for the live tests: real nodes on loopback, in folders that go away.
 *
 * The nodes live in the test's own process. Their ports were free a moment
 * before. Sessions are long, unless a test says otherwise, so that a slow
 * machine ends none by itself. */
#ifndef HF_LIVE_CLUSTER_H
#define HF_LIVE_CLUSTER_H

#include "holdfast.h"

#include <stdbool.h>
#include <stdint.h>

#define LIVE_NODES_MAX 3
#define LIVE_TTL_MS 20000
#define LIVE_WAIT_MS 30000 /* for what must come, also under a sanitizer */
#define LIVE_PATH_MAX 256

struct cluster {
	size_t len;
	char dir[LIVE_PATH_MAX];
	char dirs[LIVE_NODES_MAX][LIVE_PATH_MAX + 16];
	char addresses[LIVE_NODES_MAX][32];
	struct hf_member members[LIVE_NODES_MAX];
	struct hf_node *nodes[LIVE_NODES_MAX]; /* NULL: not open */
};

/* Find folders and ports for up to LIVE_NODES_MAX nodes; opens none. */
void cluster_make(struct cluster *c, size_t len);

/* What node i (from 0) opens with; a test may change it. */
struct hf_options cluster_options(const struct cluster *c, size_t i);

/* Open all nodes; the test fails if one can't. */
void cluster_open(struct cluster *c);
void cluster_open_node(struct cluster *c, size_t i);
void cluster_close_node(struct cluster *c, size_t i);

/* Close what is open and remove the folders. */
void cluster_remove(struct cluster *c);

/* The index of the node that leads, once there is one that says so itself. */
size_t cluster_leader(struct cluster *c);
/* Any other open one. */
size_t cluster_follower(struct cluster *c);

struct hf_status status_of(struct hf_node *node);

/* Look until `done`; false if it never comes. For what has no event to wait
 * for. */
bool live_wait(bool (*done)(void *arg), void *arg);

uint64_t live_now_ms(void);

/* Folders of a test's own, and how to be rid of them. */
void live_folder(char *path, size_t size);
void live_remove(const char *path);
void live_copy(const char *from, const char *to);

/* A free port on loopback; a stream to it, -1 if nobody listens. */
void live_address(char *address, size_t size);
int live_connect(const char *address);
int live_listen(const char *address);

#endif

/* One node of three, alone with a network and a disk that the input commands.
 *
 * Time is virtual, the disk is test/lib's; connections are slots that the input
 * opens, feeds and closes. Whatever comes, the node must live on, or say in
 * good order that it has failed. */
#ifndef HF_TEST_FUZZ_LONE_H
#define HF_TEST_FUZZ_LONE_H

#include "base/env.h"
#include "fuzz/lib/choices.h"
#include "fuzz/lib/crowd.h"
#include "lib/fakeio.h"
#include "node/node.h"

enum { LONE_ID = 2, LONE_MEMBERS = 3, LONE_CONNS = 8, LONE_CLAIMS = 8 };

#define LONE_CLUSTER 77

struct conn { /* struct env's */
	struct lone *lone;
	void *owner;
	bool open;     /* the node hasn't closed it, nor has the network */
	bool incoming; /* else the node dialed */
	bool up;       /* dialed, and connected */
	uint64_t peer; /* whom the input makes it speak for */
	struct buf answers;
};

struct lone {
	struct env env;
	struct fake *fake; /* for the disk's sake */
	struct fake_member *disk;
	struct node *node;
	struct random random;
	struct mem mem;
	unsigned allocations; /* until some fail; 0: none does */
	struct conn conns[LONE_CONNS];
	struct claim *claims[LONE_CLAIMS]; /* NULL: none */
	bool claim_held[LONE_CLAIMS];
	size_t queued;     /* what conn_queued says */
	bool append_fails; /* from now on */
	bool checksum;
	bool helpful; /* peers vote for it and take its entries */
	size_t callbacks_due;
	uint64_t attach_nonce; /* of the newest attach that it sent */
	bool may_fail;         /* there was a reason */
	bool closed;
	struct crowd crowd;
};

void lone_open(struct lone *l, bool checksum, uint32_t snapshot_threshold);
/* Ends the node's life, and proves that every callback has run. */
void lone_close(struct lone *l);

/* Time, disk and ticks, answers of helpful peers, one turn. */
void lone_pass(struct lone *l, uint64_t us);

/* NULL: no slot is free, or the node didn't want it. */
struct conn *lone_incoming(struct lone *l);
void lone_connected(struct lone *l, struct conn *conn);
void lone_closed(struct lone *l, struct conn *conn);
/* In two reads, the first of `cut` bytes at most. */
void lone_data(struct lone *l, struct conn *conn, const uint8_t *bytes,
	       size_t len, size_t cut);
void lone_frame(struct lone *l, struct conn *conn, enum frame_type type,
		enum lane lane, const uint8_t *message, size_t len, size_t cut);

void lone_acquire(struct lone *l, struct reader *c);
void lone_release(struct lone *l, struct reader *c);
void lone_validate(struct lone *l, struct reader *c);

#endif

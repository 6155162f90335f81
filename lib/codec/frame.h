/* Peer frames: what travels on a link between two nodes.
 *
 * A message is cut into frames of at most FRAME_PAYLOAD_MAX bytes, the last one
 * marked. Lanes share a link frame by frame, so that a snapshot in the bulk
 * lane doesn't hold up a heartbeat; in a lane messages come one after the
 * other. Every length is checked before memory is taken for it. doc/format.md
 * has the bytes. */
#ifndef HF_CODEC_FRAME_H
#define HF_CODEC_FRAME_H

#include "base/buf.h"
#include "core/op.h"

#define PROTOCOL_VERSION 1
#define FRAME_HEAD 24
#define FRAME_PAYLOAD_MAX 65536
#define HANDSHAKE_MAX 512 /* of HELLO and REFUSE, which are one frame each */

enum lane {
	LANE_CONTROL = 0, /* Raft's small messages, renewals, handshakes */
	LANE_REQUEST = 1, /* operations, answers, entries */
	LANE_BULK = 2,    /* snapshots */
	LANES
};

/* Most bytes of a whole message, by lane. */
#define MESSAGE_CONTROL_MAX 65536
#define MESSAGE_REQUEST_MAX (16u << 20)
#define MESSAGE_BULK_MAX ((1u << 30) + 65536) /* an image and its head */

enum frame_type {
	FRAME_HELLO = 1,    /* the first in each direction */
	FRAME_REFUSE = 2,   /* why the link is being closed */
	FRAME_REPL = 3,     /* lib/repl's: Raft and its read index */
	FRAME_REQUESTS = 4, /* operations, for the leader */
	FRAME_OUTPUTS = 5,  /* answers and events, from the leader */
	FRAME_ATTACH = 6,   /* a session asks the leader for a resync */
	FRAME_RESYNC = 7,
	FRAME_QUERY = 8, /* reads through the leader */
	FRAME_REPLY = 9,
	FRAME_NOTLEADER = 10 /* answers REQUESTS, ATTACH and QUERY: who is */
};

struct frame {
	enum frame_type type;
	enum lane lane;
	bool last;      /* of its message */
	uint32_t group; /* 1 so far */
	const uint8_t *payload;
	size_t len;
};

/* Append frames for a whole message. `checksum`: the link has none of its own.
 */
void frame_encode(struct buf *b, enum frame_type type, enum lane lane,
		  uint32_t group, bool checksum, const uint8_t *message,
		  size_t len);
/* Append only the next frame of a message, from *offset on, which moves; true:
 * it was the last. */
bool frame_encode_next(struct buf *b, enum frame_type type, enum lane lane,
		       uint32_t group, bool checksum, const uint8_t *message,
		       size_t len, size_t *offset);

/* Take one frame off the reader: 1 and `f`, whose payload points into the
 * bytes; 0: more bytes are needed; HF_ECORRUPT: close the link. */
int frame_decode(struct reader *r, bool checksum, struct frame *f);

/* Joins the frames of one lane into messages. */
struct joiner { /* all zero: empty */
	struct buf message;
	enum frame_type type;
	uint32_t group;
	bool open; /* a message has begun */
};
/* 1: a message is complete in `message` (and `len`), valid until the next call
 * and as long as the frame's payload; 0: not yet; HF_ECORRUPT, HF_ENOMEM: close
 * the link. */
int joiner_add(struct joiner *j, const struct frame *f, const uint8_t **message,
	       size_t *len);
void joiner_free(struct joiner *j);

struct hello {
	uint32_t protocol;
	uint64_t cluster;     /* a digest of the cluster's name */
	uint64_t incarnation; /* of the cluster's data */
	uint64_t node, to;    /* who speaks; whom it wants */
	uint64_t boot;
	bool member;
};
void hello_encode(struct buf *b, const struct hello *h);
/* A hello of another protocol is decoded as far as `protocol` only. */
int hello_decode(const uint8_t *bytes, size_t len, struct hello *h);

#define REFUSE_TEXT_MAX 200
void refuse_encode(struct buf *b, int rc, const char *text);
/* `text` gets REFUSE_TEXT_MAX + 1 bytes at most, printable ones only ('?'
 * stands for others); `rc` is negative. */
int refuse_decode(const uint8_t *bytes, size_t len, int *rc, char *text);

/* Operations in a REQUESTS message, one after the other; count first. The
 * buffer holds this message alone: requests_begin clears it; so do those below.
 */
void requests_begin(struct buf *b);
void requests_add(struct buf *b, const struct op *op);
size_t requests_count(const struct buf *b);
/* Iterate: 1 and `op` (its own bytes in op_bytes), 0: no more, HF_ECORRUPT. It
 * points into the message and into the reader, until the next one is read. */
struct requests_reader {
	struct reader r;
	size_t left;
	struct op_part room[PARTS_MAX - 1];
};
int requests_open(struct requests_reader *it, const uint8_t *m, size_t len);
int requests_next(struct requests_reader *it, struct op *op,
		  const uint8_t **op_bytes, size_t *op_len);

/* Outputs likewise, CHANGED excepted: that is for the member itself. All of a
 * message are for the node that it is sent to. Decoded names and bytes point
 * into the message. */
void outputs_begin(struct buf *b);
void outputs_add(struct buf *b, const struct output *o);
size_t outputs_count(const struct buf *b);
struct outputs_reader {
	struct reader r;
	size_t left;
};
int outputs_open(struct outputs_reader *it, const uint8_t *m, size_t len);
int outputs_next(struct outputs_reader *it, struct output *o);

struct attach {
	uint64_t session;
	uint64_t nonce; /* comes back in the resync */
};
void attach_encode(struct buf *b, const struct attach *a);
int attach_decode(const uint8_t *m, size_t len, struct attach *a);

/* What the leader knows of a session's request as of `index`. Times are cluster
 * times; all that follows `status` is of a hold, and what follows `stamp` of
 * one that is revoked and whose node hasn't noted it. Else they are zero. */
struct resync_item {
	uint64_t seq;
	uint64_t token; /* of a hold, or the version (biased counter) that an
			   AWAIT has seen; 0: none */
	int32_t status; /* STATUS_WAITING; 0: held, or a LEAVE or an AWAIT has
			   come true; negative: it ended so */
	uint64_t deadline;     /* the hold's own: its limit or lease; 0: none */
	uint64_t stamp;        /* granted then */
	uint64_t revoked_at;   /* it will be taken then; 0: not revoked */
	uint64_t noted_at;     /* then, once that is noted */
	uint64_t by;           /* node */
	const uint8_t *reason; /* points into the message */
	size_t reason_len;     /* ..REASON_MAX */
};
struct resync {
	uint64_t session, nonce, index;
	uint64_t term;
	bool alive;
};
void resync_begin(struct buf *b, const struct resync *s);
void resync_add(struct buf *b, const struct resync_item *item);
struct resync_reader {
	struct reader r;
	size_t left;
};
int resync_open(struct resync_reader *it, const uint8_t *m, size_t len,
		struct resync *s);
int resync_next(struct resync_reader *it, struct resync_item *item);

enum query_kind { QUERY_VALIDATE = 1, QUERY_VALUE = 2 };
struct query {
	enum query_kind kind;
	uint64_t id;             /* comes back in the reply */
	uint64_t session, token; /* VALIDATE; else 0 */
	const uint8_t *name;     /* VALUE; points into the message */
	size_t name_len;         /* VALUE: 1..LOCK_NAME_MAX; else 0 */
};
void query_encode(struct buf *b, const struct query *q);
int query_decode(const uint8_t *m, size_t len, struct query *q);
struct reply {
	uint64_t id;
	int32_t status;
	/* All zero but in the answer to VALUE. */
	uint64_t version; /* 0: there is no such value */
	uint64_t index;   /* as of this one, which is never 0 */
	uint64_t session; /* the value goes with it; 0: stays */
	int64_t number;   /* of a counter */
	bool counter;
	const uint8_t *bytes; /* else; they point into the message */
	size_t bytes_len;     /* ..VALUE_MAX */
};
void reply_encode(struct buf *b, const struct reply *y);
int reply_decode(const uint8_t *m, size_t len, struct reply *y);

struct notleader {
	uint64_t leader; /* 0: not known */
	uint64_t term;
};
void notleader_encode(struct buf *b, const struct notleader *n);
int notleader_decode(const uint8_t *m, size_t len, struct notleader *n);

#endif

/* Asks: sequenced requests other than for locks, one operation each.
 *
 * PUT, DELETE, ADD, REVOKE, PERMITS take effect once or not at all; AWAIT waits
 * in the cluster and changes nothing. */
#ifndef HF_NODE_ASK_H
#define HF_NODE_ASK_H

#include "core/op.h"

/* Bytes of all asks that a node keeps, about twice what a leader takes at once;
 * more get HF_EBUSY. */
#define ASKS_BYTES_MAX (16u << 20)
/* Names and values of those that are sent and not answered; the rest waits its
 * turn. Two entries' worth: more would only wait at the leader, so long that it
 * is sent again. */
#define ASKS_SENT_MAX (2u << 20)

struct node;

/* `token`: as OUTPUT_ANSWER says: the version of the value, or the counter with
 * COUNT_BIAS added. */
typedef void (*ask_cb)(void *arg, int rc, uint64_t token);

/* `op` says kind and what is asked; names and bytes are copied. 0, and `cb`
 * runs once, from node_turn or node_close:
 *   what the cluster answered
 *   HF_ETIMEDOUT, HF_ENOLEADER, HF_EBUSY, HF_ECLOSED, HF_EFAILED: it had no
 *     effect, and will have none
 *   HF_EUNKNOWN: it was sent, and no answer came in time. It is asked further
 *     until there is one, or the session has ended
 *   AWAIT: HF_ETIMEDOUT after `timeout_us` in any case. HF_ESESSION
 * Or HF_EINVAL, HF_ENOMEM, HF_EBUSY, HF_ECLOSED, HF_EFAILED, and it won't. */
int node_ask(struct node *node, const struct op *op, uint64_t timeout_us,
	     ask_cb cb, void *arg);

/* The names and bytes that such an operation points to: how many, and copies of
 * them, to which it then points. */
size_t ask_bytes(const struct op *op);
void ask_copy(struct op *op, uint8_t *to);

#endif

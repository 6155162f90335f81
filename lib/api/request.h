/* What requests other than for locks share. */
#ifndef HF_API_REQUEST_H
#define HF_API_REQUEST_H

#include "api/api.h"
#include "node/ask.h"

/* How a request begins: 0, or why it can't. Either `cb` or `wait` is set. */
int request_begin(struct hf_node *node, struct hf_request *request,
		  hf_request_cb cb, struct wait *wait);
/* From the node's thread: the result. The request's memory may be gone after.
 */
void request_end(struct hf_request *request, int rc);
/* Ask the cluster; names and bytes of `op` are copied. 0, and request_end will
 * follow, or an error. */
int request_ask(struct hf_request *request, const struct op *op,
		uint32_t timeout_ms);

bool request_name(const void *name, size_t name_len); /* may it be one? */

/* The blocking twin of a call that begins `*request`, in a few lines:
 *   struct hf_request r; struct wait w;
 *   int rc = request_wait_begin(node, &w);
 *   if (!rc) rc = request_wait(&w, x_start(node, &r, ...)); */
int request_wait_begin(struct hf_node *node, struct wait *wait);
int request_wait(struct wait *wait, int rc);

#endif

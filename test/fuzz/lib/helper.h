/* The peers' side of a lone node's links: whole frames always, and, where they
 * are helpful, the answers that make it a leader which commits. */
#ifndef HF_TEST_FUZZ_HELPER_H
#define HF_TEST_FUZZ_HELPER_H

#include "fuzz/lib/lone.h"

/* What the node wrote. Answers go to conn->answers: they must not reach the
 * node inside its own call. */
void helper_read(struct conn *conn, const uint8_t *bytes, size_t len,
		 bool checksum, bool helpful);

#endif

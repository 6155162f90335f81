/* What arrives at a lone node: bytes, frames, and messages that are well formed
 * but say anything. */
#ifndef HF_TEST_FUZZ_LETTER_H
#define HF_TEST_FUZZ_LETTER_H

#include "fuzz/lib/lone.h"

/* `right`: as a member would say it. */
void letter_hello(struct lone *l, struct conn *conn, struct reader *c,
		  bool right);
void letter_raw(struct lone *l, struct conn *conn, struct reader *c);
/* A frame around the input's bytes. */
void letter_frame(struct lone *l, struct conn *conn, struct reader *c);
void letter_message(struct lone *l, struct conn *conn, struct reader *c);
void letter_raft(struct lone *l, struct conn *conn, struct reader *c);

#endif

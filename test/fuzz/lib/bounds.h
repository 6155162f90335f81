/* What doc/format.md says of fields, written out once more: a decoder that lets
 * pass what it shouldn't, and an encoder that agrees with it, are found. */
#ifndef HF_TEST_FUZZ_BOUNDS_H
#define HF_TEST_FUZZ_BOUNDS_H

#include "codec/frame.h"
#include "core/record.h"

void bounds_op(const struct op *op);
void bounds_output(const struct output *o);
void bounds_item(const struct resync_item *item);
void bounds_query(const struct query *q);
void bounds_reply(const struct reply *y);
void bounds_frame(const struct frame *f);
void bounds_record(const struct record *r);

#endif

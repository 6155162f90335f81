/* Changes that watches show, as flat copies one behind the other.
 *
 * A copy is a multiple of 8 bytes long and must lie at an address that is one,
 * too. */
#ifndef HF_NODE_CHANGE_H
#define HF_NODE_CHANGE_H

#include "core/op.h"
#include "holdfast.h"

/* What an OUTPUT_CHANGED says; pointers are the output's. */
void change_of(struct hf_change *change, const struct output *o);

/* Bytes that its copy takes, at most CHANGE_BYTES_MAX. */
size_t change_size(const struct hf_change *change);
#define CHANGE_BYTES_MAX (64 + LOCK_NAME_MAX + VALUE_MAX)
void change_write(uint8_t *to, const struct hf_change *change);
/* How long the copy is, and its index. */
size_t change_peek(const uint8_t *from, uint64_t *index);
/* How long the copy is; the change's pointers lead into it. */
size_t change_read(const uint8_t *from, struct hf_change *change);

#endif

/* The replicated limits as bytes: part of an operation and of a record. */
#ifndef HF_CODEC_LIMITS_H
#define HF_CODEC_LIMITS_H

#include "base/buf.h"
#include "core/op.h"

/* Writes at most 10 bytes for each. */
uint8_t *limits_put(uint8_t *to, const struct limits *limits);
void limits_get(struct reader *r, struct limits *limits);
/* Each between its least and greatest; how they go together is the core's. */
bool limits_in_bounds(const struct limits *limits);

#endif

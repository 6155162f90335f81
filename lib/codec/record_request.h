/* The part of record.c that is about requests. */
#ifndef HF_CODEC_RECORD_REQUEST_H
#define HF_CODEC_RECORD_REQUEST_H

#include "codec/record.h"

bool record_request_valid(const struct record *r);
/* Bytes besides RECORD_FIXED_MAX, at most. */
size_t record_request_extent(const struct record *r);
uint8_t *record_request_put(uint8_t *to, const struct record *r);
void record_request_get(struct reader *r, struct record_room *room,
			struct record *rec);

#endif

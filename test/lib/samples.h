/* Random valid operations, outputs, messages and records, and comparing them.
 */
#ifndef HF_TEST_SAMPLES_H
#define HF_TEST_SAMPLES_H

#include "codec/frame.h"
#include "core/record.h"
#include "lib/random.h"

#define SAMPLE_NUMBER_MAX INT64_MAX

uint64_t sample_number(struct random *r); /* 0 to SAMPLE_NUMBER_MAX */
uint64_t sample_id(struct random *r);     /* from 1 */
uint64_t sample_from_1(struct random *r); /* of all 64 bits */
uint64_t sample_duration(struct random *r);
int64_t sample_count(struct random *r); /* within COUNT_MAX */
/* What may be waited for by this condition. */
int64_t sample_awaited(struct random *r, enum condition condition);
int sample_status(struct random *r);
void sample_nonce(struct random *r, uint8_t *nonce);
/* Bytes of the program's life; a name has some. Mostly short, a few times as
 * long as they may be, or SAMPLE_BYTES_MAX. */
#define SAMPLE_BYTES_MAX 1024
const uint8_t *sample_name(struct random *r, size_t *len);
const uint8_t *sample_bytes(struct random *r, size_t max, size_t *len);
void sample_limits(struct random *r, struct limits *limits);

/* Names, bytes, parts and slots are static or of the program's life. */
struct op sample_op(struct random *r, enum op_kind kind);
struct op sample_any_op(struct random *r);
struct output sample_output(struct random *r); /* of those that travel */
struct resync_item sample_item(struct random *r);
struct query sample_query(struct random *r);
struct reply sample_reply(struct random *r);
struct record sample_record(struct random *r, enum record_kind kind);

void check_same_op(const struct op *a, const struct op *b);
void check_same_output(const struct output *a, const struct output *b);
void check_same_item(const struct resync_item *a, const struct resync_item *b);
void check_same_query(const struct query *a, const struct query *b);
void check_same_reply(const struct reply *a, const struct reply *b);
void check_same_record(const struct record *a, const struct record *b);

#endif

/* Random valid operations, outputs and records, and comparing them. */
#ifndef HF_TEST_SAMPLES_H
#define HF_TEST_SAMPLES_H

#include "core/record.h"
#include "lib/random.h"

#define SAMPLE_NUMBER_MAX INT64_MAX

uint64_t sample_number(struct random *r); /* 0 to SAMPLE_NUMBER_MAX */
uint64_t sample_id(struct random *r);     /* from 1 */
int sample_status(struct random *r);

/* Names and slots are static or of the program's life. */
struct op sample_op(struct random *r, enum op_kind kind);
struct op sample_any_op(struct random *r);
struct output sample_output(struct random *r);
struct record sample_record(struct random *r, enum record_kind kind);

void check_same_op(const struct op *a, const struct op *b);
void check_same_output(const struct output *a, const struct output *b);
void check_same_record(const struct record *a, const struct record *b);

#endif

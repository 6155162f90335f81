/* States of the core: made of a random life, carried in images from one core to
 * another, and compared. */
#ifndef HF_TEST_FUZZ_STATE_H
#define HF_TEST_FUZZ_STATE_H

#include "base/buf.h"
#include "lib/machine.h"
#include "lib/random.h"

/* A state as it is after some hundred operations: its records, encoded one
 * after the other; its image. */
void state_sample_records(struct buf *b, struct random *r);
void state_sample_image(struct buf *b, struct random *r);

/* Records one after the other, up to the first that is none. */
void state_decode(struct image_copy *to, const uint8_t *bytes, size_t len);

/* A core of these records; NULL: they are refused. `mend`: set the hash in the
 * STATE record right where it alone is wrong. */
struct core *state_restore(struct image_copy *a, bool mend);

/* Everything must be the same: hashes, records, deadlines. */
void state_check_same(const struct core *a, const struct core *b);
/* The records of `core` are these; it is what its own image restores to; and
 * operations chosen by `seed` leave it sound. */
void state_check_sound(struct core *core, const struct image_copy *a,
		       uint64_t seed);

#endif

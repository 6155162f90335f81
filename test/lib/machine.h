/* A core with what a test of it needs: memory that can be made to run out and
 * is counted, the outputs of the last apply, and operations as one-line calls.
 *
 * The calls make an entry of one operation, apply it at the next index and
 * return the answer's status. Time moves by `now` only. */
#ifndef HF_TEST_MACHINE_H
#define HF_TEST_MACHINE_H

#include "core/core.h"
#include "holdfast.h"

enum { MACHINE_OUTPUTS = 4096, MACHINE_TEXT = 1 << 17 };

#define SECOND UINT64_C(1000000)

struct machine {
	struct core *core;
	struct mem mem;
	size_t blocks;   /* allocated now */
	uint64_t budget; /* allocations until they fail */
	uint64_t index, now, term;
	struct output outputs[MACHINE_OUTPUTS]; /* of the last apply */
	size_t outputs_len;
	uint8_t text[MACHINE_TEXT]; /* what they point to */
	size_t text_len;
	struct output answer; /* the last answer of the last apply */
	uint64_t seq[16];     /* last sequence number used, by node */
};

/* A core that checks everything after each apply. */
void machine_init(struct machine *m, uint64_t seed);
/* Also proves that nothing leaks. */
void machine_end(struct machine *m);

int machine_apply(struct machine *m, const struct op *ops, size_t len);
/* Apply any entry at `index`, and keep the outputs. */
int machine_feed(struct machine *m, uint64_t index, const struct entry *entry);
/* As machine_apply of one, which must not fail; the answer's status. */
int machine_do(struct machine *m, const struct op *op);

/* Returns the new session's id; 0: refused, see `answer`. */
uint64_t machine_open(struct machine *m, uint64_t node, uint64_t ttl);
struct op machine_open_op(uint64_t node, uint64_t boot, uint64_t nth,
			  uint64_t ttl);

/* Session `s` belongs to `node` and uses its next sequence number. */
struct op machine_acquire_op(struct machine *m, uint64_t node, uint64_t s,
			     const char *name, uint64_t wait);
int machine_acquire(struct machine *m, uint64_t node, uint64_t s,
		    const char *name, uint64_t wait);
struct op machine_release_op(struct machine *m, uint64_t node, uint64_t s,
			     uint64_t token);
int machine_release(struct machine *m, uint64_t node, uint64_t s,
		    uint64_t token);
int machine_renew(struct machine *m, uint64_t node, uint64_t s);
int machine_close(struct machine *m, uint64_t node, uint64_t s);
int machine_cancel(struct machine *m, uint64_t node, uint64_t s, uint64_t seq);
/* Let time pass, and apply an entry without operations. */
void machine_pass(struct machine *m, uint64_t us);

/* The first output of this kind of the last apply, or NULL. */
const struct output *machine_said(const struct machine *m,
				  enum output_kind kind);
size_t machine_said_often(const struct machine *m, enum output_kind kind);

/* An image: copies of records. */
struct image_copy {
	struct record *records;
	size_t len, cap;
};

/* The sink for core_image_begin; ctx is a struct image_copy. */
void image_copy_put(void *ctx, const struct record *r);
bool image_copy_visit(void *ctx, const struct record *r);
void image_copy_free(struct image_copy *copy);
/* Are they the same, record by record? */
bool image_copy_same(const struct image_copy *a, const struct image_copy *b);
/* All at once. */
void image_copy_take(struct image_copy *copy, struct core *core);
/* Restore into the fresh core; 0 or the error. */
int image_copy_restore(const struct image_copy *copy, struct core *core);
/* As if a member had come to that state: with the hash of it, so that no other
 * is what a restore complains of. */
void image_copy_rehash(struct image_copy *copy);

#endif

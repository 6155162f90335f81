/* A machine with a session on each of some nodes, and owners who ask: owner n
 * is of node n. */
#ifndef HF_TEST_OWNERS_H
#define HF_TEST_OWNERS_H

#include "lib/machine.h"

enum { OWNERS = 4 };

struct owners {
	struct machine m;
	uint64_t s[OWNERS + 1];
};

void owners_begin(struct owners *c);
/* An acquire that waits for ever; of permits: one of two. */
struct op owners_ask(struct owners *c, uint64_t node, const char *name,
		     enum mode mode);
/* Operations; the status. */
int owners_lock(struct owners *c, uint64_t node, const char *name);
int owners_share(struct owners *c, uint64_t node, const char *name);
int owners_permit(struct owners *c, uint64_t node, const char *name);
int owners_with_priority(struct owners *c, uint64_t node, const char *name,
			 enum mode mode, int32_t priority);
int owners_both(struct owners *c, uint64_t node, const char *a, const char *b);
int owners_convert(struct owners *c, uint64_t node, const char *name,
		   enum mode mode, uint64_t token);
int owners_set_limit(struct owners *c, const char *name, uint32_t limit);
int owners_hand_over(struct owners *c, uint64_t node, uint64_t token,
		     uint64_t to);

#endif

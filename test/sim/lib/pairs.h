/* Numbers by pairs of numbers: a map that only grows. */
#ifndef HF_SIM_PAIRS_H
#define HF_SIM_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pairs { /* all zero: empty */
	struct pairs_item {
		uint64_t key, value;
	} * items;
	size_t len, cap;
};

/* What was put there before; 0: nothing, and this is now. */
uint64_t pairs_put(struct pairs *p, uint64_t a, uint64_t b, uint64_t value);
/* 0: nothing. */
uint64_t pairs_get(const struct pairs *p, uint64_t a, uint64_t b);
void pairs_free(struct pairs *p);

#endif

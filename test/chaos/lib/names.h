/* Which locks there are, and what a user wants of them. A name has the same
 * kind of lock for everybody. */
#ifndef CHAOS_NAMES_H
#define CHAOS_NAMES_H

#include "lib/random.h"
#include "shared.h"

struct wish {
	unsigned name;
	uint32_t timeout_ms;
	struct hf_lock_options options;
};

/* `contended`: mostly one of those that everybody wants. */
void wish_draw(struct wish *wish, struct random *random, bool contended);

/* Writes NAME_LEN bytes at most and returns how many; some are long, so that
 * the log grows. */
size_t name_write(char *text, unsigned name);

#endif

/* What the files of a restore share. */
#ifndef HF_CORE_RESTORE_H
#define HF_CORE_RESTORE_H

#include "core/state.h"

int restore_corrupt(struct core *core, const char *text, uint64_t id);
int restore_no_memory(struct core *core);

/* Not 0, and given before. */
static inline bool restore_given(uint64_t number, uint64_t last)
{
	return number > 0 && number <= last;
}

/* Is it a deadline that may be pending? 0 is none. */
static inline bool restore_pending(const struct core *core, uint64_t deadline)
{
	return deadline == 0 ||
	       (deadline > core->now && deadline - core->now <= DURATION_MAX);
}

int restore_request(struct core *core, const struct record *r);
int restore_value(struct core *core, const struct record *r);

#endif

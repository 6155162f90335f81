/* An acquire before it is one: what it asks for, and what is there. */
#ifndef HF_CORE_PLAN_H
#define HF_CORE_PLAN_H

#include "core/state.h"

struct plan {
	const struct op *op;
	struct session *session;
	size_t parts_len;
	struct op_part parts[PARTS_MAX];
	struct lock *locks[PARTS_MAX]; /* NULL: to be made */
	uint32_t limits[PARTS_MAX];    /* that they had before, */
	size_t parts_set;              /* so many of them */
	struct request *from;
};

/* Nobody who works as it should asks for it. */
bool plan_malformed(const struct plan *plan);
/* The names: 0, HF_EKIND or HF_EPERMITS. */
int plan_judge_names(const struct plan *plan);
/* Then the rest: 0, STATUS_WAITING or an error. Nothing changes. */
int plan_judge(const struct core *core, const struct plan *plan);

#endif

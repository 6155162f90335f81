/* Something that the oracle's core says while it applies an entry, with the
 * operation that it is about. The core may be looked at meanwhile: it is as the
 * operation has left it. */
#ifndef HF_SIM_SAID_H
#define HF_SIM_SAID_H

#include "core/core.h"

struct said {
	const struct core *core;
	const struct output *output;
	const struct op *op; /* an ANSWER's; else NULL */
	bool again;          /* it was answered before: a repetition */
};

struct wrong {
	const char *checker; /* its short name; NULL: nothing is wrong */
	const char *what;
};

/* Is this the first answer to such an operation, and this one? */
static inline bool said_first(const struct said *s, enum op_kind kind,
			      int status)
{
	return s->op && !s->again && s->op->kind == kind &&
	       s->output->status == status;
}

#endif

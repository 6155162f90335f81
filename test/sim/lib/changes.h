/* What watches must show: every change of holds and values, in order, as the
 * oracle's core said it. */
#ifndef HF_SIM_CHANGES_H
#define HF_SIM_CHANGES_H

#include "core/op.h"

struct change_said {
	enum change change;
	uint64_t index, token, session, by, kind; /* mode, or a counter */
	int64_t number;
	int status;
	uint64_t bytes; /* a digest of them */
	size_t room;    /* that it takes in a ring, at most */
	const char *name;
	size_t name_len;
};

struct changes { /* all zero: none yet */
	struct change_said *items;
	size_t len, cap;
	char **names; /* each once */
	size_t *names_len;
	size_t names_used, names_cap;
};

void changes_add(struct changes *c, const struct output *o);
/* The first of an index above this one. */
size_t changes_after(const struct changes *c, uint64_t index);
void changes_free(struct changes *c);

#endif

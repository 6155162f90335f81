/* What the files of the naive state machine ask of each other; see model.h. */
#ifndef HF_TEST_MODEL_PARTS_H
#define HF_TEST_MODEL_PARTS_H

#include "lib/model.h"

#include "holdfast.h"

void model_say(struct model *m, struct output output);
struct model_peer *model_peer(struct model *m, uint64_t node);
struct model_lock *model_lock(struct model *m, const char *name);
struct model_request *model_request(struct model *m, uint64_t session,
				    uint64_t seq);
struct slot *model_slot(struct model_session *s, uint64_t seq);

/* model_line.c */
bool model_fits(struct model *m, const char *name, uint32_t limit,
		const struct record *r);
void model_grant(struct model *m, struct record *r);
void model_settle(struct model *m);
void model_remove(struct model *m, struct model_request *r, bool failed);
void model_end_session(struct model *m, uint64_t id, bool failed);
void model_step(struct model *m, const struct entry *entry);
void model_expire(struct model *m);

#endif

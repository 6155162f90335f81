/* What the files of the naive state machine ask of each other; see model.h. */
#ifndef HF_TEST_MODEL_PARTS_H
#define HF_TEST_MODEL_PARTS_H

#include "lib/model.h"

#include "holdfast.h"

/* model_look.c */
struct model_peer *model_peer(struct model *m, uint64_t node);
struct model_lock *model_lock(struct model *m, const char *name);
struct model_value *model_value(struct model *m, const char *name);
struct model_request *model_request(struct model *m, uint64_t session,
				    uint64_t seq);
/* The hold that has this token, be it that of a part; NULL: none. */
struct model_request *model_hold(struct model *m, uint64_t token);
/* The same, if it is this session's. */
struct model_request *model_own_hold(struct model *m, uint64_t session,
				     uint64_t token);
const struct model_part *model_part(const struct model_request *r,
				    const char *name);
struct slot *model_slot(struct model_session *s, uint64_t seq);
size_t model_waiting(const struct model *m, const char *name);
void model_bytes_set(struct model_bytes *b, const uint8_t *bytes, size_t len);
void model_name_set(char *to, const uint8_t *name, size_t len);
/* A time to wait: in bounds? When it is over, 0: never. */
bool model_wait_valid(uint64_t wait);
uint64_t model_wait_end(const struct model *m, uint64_t wait);

/* model_say.c */
struct output *model_say(struct model *m, struct output output);
/* To the one who made the request. */
struct output *model_say_request(struct model *m, const struct model_request *r,
				 enum output_kind kind, int status);
struct output *model_answer(struct model *m, const struct op *op, int status);
void model_say_hold(struct model *m, const struct model_request *r,
		    enum change change, int status);
void model_say_value(struct model *m, const struct model_value *v,
		     uint64_t node, enum change change);
void model_say_revoked(struct model *m, const struct model_request *r);
void model_attach(struct model *m, struct output *output, const char *name,
		  const struct model_bytes *bytes);

/* model_line.c */
void model_mark(struct model *m, const char *name);
bool model_before(const struct model_request *a, const struct model_request *b);
bool model_fits(struct model *m, const struct model_request *r);
/* The waiters of a lock, LEAVE apart, in the order of the line. */
size_t model_line(struct model *m, const char *name,
		  struct model_request **line);
void model_grant(struct model *m, struct model_request *r);
/* Grant to one who waited, and say so. */
void model_let_in(struct model *m, struct model_request *r);
/* Would it open if so many waited? */
bool model_barrier_opens(struct model *m, const char *name, uint32_t limit,
			 size_t waiting);
void model_settle(struct model *m);

/* model_end.c */
uint64_t model_own_deadline(const struct model_request *r);
void model_set_deadline(struct model_request *r);
/* A wait, or hold, that goes at once; one that is kept with its status. */
void model_remove(struct model *m, struct model_request *r, int status,
		  bool failed);
void model_end(struct model *m, struct model_request *r, int status,
	       uint64_t token);
void model_end_session(struct model *m, uint64_t id, bool failed);
void model_step(struct model *m, const struct entry *entry);
void model_expire(struct model *m);

bool model_acquire_valid(const struct op *op); /* model_valid.c */

/* model_acquire.c, model_hold.c, model_value.c: sequenced operations. */
struct model_result {
	int status;
	uint64_t token, deadline;
};
struct model_result model_acquire(struct model *m, const struct op *op);
struct model_result model_release(struct model *m, const struct op *op);
struct model_result model_revoke(struct model *m, const struct op *op);
struct model_result model_permits(struct model *m, const struct op *op);
struct model_result model_announce(struct model *m, const struct op *op);
struct model_result model_write(struct model *m, const struct op *op);
struct model_result model_await(struct model *m, const struct op *op);
void model_extend(struct model *m, const struct op *op);
void model_noted(struct model *m, const struct op *op);
void model_value_gone(struct model *m, struct model_value *v, uint64_t node);
/* Values that are neither there nor waited for vanish. */
void model_tidy_values(struct model *m);

/* model_deadlock.c */
/* Would it never get through if it waited? `op` is what is then refused. */
bool model_deadlocked(struct model *m, const struct model_request *r,
		      const struct op *op);
/* Would a waiter never get through if the lock had this limit? */
bool model_limit_deadlocks(struct model *m, const char *name, uint32_t limit,
			   const struct op *op);
/* It was let in: see whether its owner waits elsewhere, when all is settled. */
void model_suspect(struct model *m, const struct model_request *granted);
/* End their waits that never would be now; true: there were some. */
bool model_end_suspects(struct model *m);

#endif

/* What the files about locks share.
 *
 * A lock has one request of its own at a time: its acquisition, then its
 * release, whose task and result lie in the struct. What is asked for a hold
 * meanwhile has memory of its own (errand.c). */
#ifndef HF_API_LOCK_H
#define HF_API_LOCK_H

#include "api/api.h"
#include "base/list.h"

void lock_set_state(struct hf_lock *lock, enum lock_state state);
/* From the node's thread: the lock's request has ended. */
void lock_finish(struct hf_lock *lock, enum lock_state state, int rc);

/* Each as the public call ending in _start; `wait`, instead of `cb`, is the
 * blocking twin's. */
int lock_many_start(struct hf_node *node, struct hf_lock *lock,
		    const struct hf_part *parts, size_t parts_len,
		    const struct hf_lock_options *options, uint32_t timeout_ms,
		    hf_lock_cb cb, struct wait *wait);

/* release.c: how a hold ends. */
enum lock_end { END_RELEASE, END_HAND_OVER, END_LEAVE };
int end_start(struct hf_lock *lock, enum lock_end end, uint64_t to,
	      uint32_t timeout_ms, hf_lock_cb cb, struct wait *wait);

/* errand.c */
int validate_start(struct hf_lock *lock, uint32_t timeout_ms, hf_lock_cb cb,
		   struct wait *wait);
int convert_start(struct hf_lock *lock, enum hf_mode mode, uint32_t permits,
		  uint32_t timeout_ms, hf_lock_cb cb, struct wait *wait);
int renew_start(struct hf_lock *lock, uint32_t timeout_ms, hf_lock_cb cb,
		struct wait *wait);
int show_start(struct hf_lock *lock, const void *shown, size_t shown_len,
	       uint32_t timeout_ms, hf_lock_cb cb, struct wait *wait);

#endif

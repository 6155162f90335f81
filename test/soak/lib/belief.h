/* What holders believed, in memory that all processes of a program share: for
 * each hold from when and until when it was certain.
 *
 * The rule: a holder writes down each look at hf_lock_safe_ms. Whoever is told
 * at some moment "certain for n ms" may act on that until n ms later, without
 * another look; so a hold counts as certain up to the latest such end, or up to
 * its release. No later hold of the name may be certain before. */
#ifndef SOAK_BELIEF_H
#define SOAK_BELIEF_H

#include <holdfast.h>
#include <stdatomic.h>
#include <stdint.h>

#define BELIEFS_MAX (1u << 17)

struct belief {
	_Atomic(uint64_t) token; /* 0: not complete */
	uint32_t name;           /* the program's number for the lock */
	uint32_t member;
	/* In microseconds of now_us; 0: not. */
	_Atomic(uint64_t) granted, from, until, released;
};

struct beliefs { /* all zero: none */
	_Atomic(uint32_t) len;
	struct belief all[BELIEFS_MAX];
};

/* A new hold; NULL: there is no room. */
struct belief *belief_add(struct beliefs *b, uint32_t name, uint32_t member,
			  const struct hf_lock *lock);
/* One look. Returns hf_lock_safe_ms; `belief` may be NULL. */
uint32_t belief_look(struct belief *belief, const struct hf_lock *lock);
/* To be called before the release. */
void belief_release(struct belief *belief);

/* When this hold stopped being certain. */
uint64_t belief_end(const struct belief *belief);

/* Holds that were certain while another of the same name was, each told on
 * stderr. Those of processes that are gone count, too. One more if there was no
 * room for all. */
unsigned beliefs_audit(struct beliefs *b);

#endif

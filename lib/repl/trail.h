/* The term of an entry by its index, as libraft knows it.
 *
 * libraft has this (TrailTermOf) but doesn't export it. Its struct raft_trail
 * is public: runs of entries of one term in a ring, each with the index of its
 * last entry, from `offset` on. */
#ifndef HF_REPL_TRAIL_H
#define HF_REPL_TRAIL_H

#include <raft.h>

/* 0: that entry isn't known here (any more). */
raft_term trail_term(const struct raft_trail *t, raft_index index);

#endif

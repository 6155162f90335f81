/* A checksummed copy of the member's term and vote: the file `vote-1`.
 *
 * Beside what was to be written last it holds what raft_uv's own files held
 * before. The copy is made durable first, so after a crash at any moment
 * raft_uv holds one of the two: anything else is damage. */
#ifndef HF_HOST_VOTE_H
#define HF_HOST_VOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vote {
	uint64_t term;
	uint64_t candidate; /* 0: none */
};

struct vote_record {         /* all zero: a member that has written nothing */
	struct vote settled; /* raft_uv's before the step to `next` */
	struct vote next;
	/* The first log is being made: nothing has been acknowledged. */
	bool forming;
};

enum vote_verdict {
	VOTE_EQUAL,  /* raft_uv's files hold `next` */
	VOTE_BEHIND, /* they hold `settled`: bring them to `next` */
	VOTE_DAMAGED,
};

/* At most FILE_BYTES_MAX bytes; returns how many. */
size_t vote_encode(const struct vote_record *record, char *text);
/* Any damaged byte makes it false. */
bool vote_decode(struct vote_record *record, const char *text, size_t len);

enum vote_verdict vote_judge(const struct vote_record *record,
			     const struct vote *found);

/* 1: read; 0: there is none, the record is zero; HF_ECORRUPT, HF_EIO. */
int vote_load(struct vote_record *record, int dirfd, char *error);
/* 0, or a negative errno. */
int vote_store(const struct vote_record *record, int dirfd);

#endif

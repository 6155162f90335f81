#include "host/vote.h"

#include "host/fail.h"
#include "host/file.h"
#include "host/seal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FORMAT "holdfast vote 1\n"
#define VOTE_FILE "vote-1"

size_t vote_encode(const struct vote_record *record, char *text)
{
	snprintf(text, FILE_BYTES_MAX - SEAL_BYTES,
		 FORMAT "settled %" PRIu64 " %" PRIu64 "\n"
			"next %" PRIu64 " %" PRIu64 "\n"
			"forming %d\n",
		 record->settled.term, record->settled.candidate,
		 record->next.term, record->next.candidate, record->forming);
	return seal(text);
}

bool vote_decode(struct vote_record *record, const char *text, size_t len)
{
	char copy[FILE_BYTES_MAX + 1], again[FILE_BYTES_MAX + 1];
	int forming = 0;

	if (len > FILE_BYTES_MAX || !seal_valid(text, len))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	memset(record, 0, sizeof(*record));
	int fields =
		sscanf(copy,
		       FORMAT "settled %" SCNu64 " %" SCNu64 "\n"
			      "next %" SCNu64 " %" SCNu64 "\n"
			      "forming %d\n",
		       &record->settled.term, &record->settled.candidate,
		       &record->next.term, &record->next.candidate, &forming);
	record->forming = forming != 0;
	return fields == 5 && vote_encode(record, again) == len &&
	       memcmp(again, text, len) == 0;
}

static bool equal(const struct vote *a, const struct vote *b)
{
	return a->term == b->term && a->candidate == b->candidate;
}

enum vote_verdict vote_judge(const struct vote_record *record,
			     const struct vote *found)
{
	if (equal(found, &record->next))
		return VOTE_EQUAL;
	return equal(found, &record->settled) ? VOTE_BEHIND : VOTE_DAMAGED;
}

int vote_load(struct vote_record *record, int dirfd, char *error)
{
	char text[FILE_BYTES_MAX];
	int len = file_read(dirfd, VOTE_FILE, text, sizeof(text));

	memset(record, 0, sizeof(*record));
	if (len == -ENOENT)
		return 0;
	if (len < 0 && len != -EFBIG)
		return fail_system(error, -len, "reading " VOTE_FILE);
	if (len < 0 || !vote_decode(record, text, (size_t)len))
		return fail(error, HF_ECORRUPT,
			    "%s, which holds this member's term and vote, is "
			    "damaged: the member could vote twice. Restore the "
			    "whole directory, or replace the member",
			    VOTE_FILE);
	return 1;
}

int vote_store(const struct vote_record *record, int dirfd)
{
	char text[FILE_BYTES_MAX];
	size_t len = vote_encode(record, text);

	return file_replace(dirfd, VOTE_FILE, text, len);
}

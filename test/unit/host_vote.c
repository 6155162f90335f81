/* The checksummed copy of term and vote. */
#include "host/fail.h"
#include "host/file.h"
#include "host/vote.h"
#include "lib/scratch.h"
#include "lib/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static const struct vote_record sample = { .settled = { 5, 2 },
					   .next = { 6, 0 } };

START_TEST(what_was_stored_is_loaded)
{
	char path[SCRATCH_PATH_MAX], error[HF_ERROR_TEXT];
	struct vote_record got;

	scratch_make(path);
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(vote_load(&got, fd, error), 0);
	ck_assert_uint_eq(got.next.term, 0);
	ck_assert_int_eq(vote_store(&sample, fd), 0);
	ck_assert_int_eq(vote_load(&got, fd, error), 1);
	ck_assert_uint_eq(got.settled.candidate, 2);
	ck_assert_uint_eq(got.next.term, 6);
	ck_assert(!got.forming);
	close(fd);
	scratch_remove(path);
}
END_TEST

START_TEST(any_other_byte_anywhere_is_refused)
{
	char text[FILE_BYTES_MAX + 1];
	struct vote_record got, largest = sample;

	largest.next = (struct vote){ UINT64_MAX, UINT64_MAX };
	size_t len = vote_encode(&largest, text);
	ck_assert(vote_decode(&got, text, len));
	ck_assert_uint_eq(got.next.candidate, UINT64_MAX);
	for (size_t i = 0; i < len; i++) {
		char was = text[i];

		for (int v = 0; v < 256; v++) {
			text[i] = (char)v;
			ck_assert_int_eq(vote_decode(&got, text, len),
					 text[i] == was);
		}
		text[i] = was;
		ck_assert(!vote_decode(&got, text, i));
	}
}
END_TEST

START_TEST(a_damaged_file_is_refused_with_a_text)
{
	char path[SCRATCH_PATH_MAX], error[HF_ERROR_TEXT];
	struct vote_record got;

	scratch_make(path);
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(file_replace(fd, "vote-1", "", 0), 0);
	ck_assert_int_eq(vote_load(&got, fd, error), HF_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(error, "vote-1"));
	close(fd);
	scratch_remove(path);
}
END_TEST

START_TEST(raft_uv_holds_what_was_before_the_step_or_after_it)
{
	struct vote before = { 5, 2 }, after = { 6, 0 }, other = { 6, 1 };

	ck_assert_int_eq(vote_judge(&sample, &before), VOTE_BEHIND);
	ck_assert_int_eq(vote_judge(&sample, &after), VOTE_EQUAL);
	ck_assert_int_eq(vote_judge(&sample, &other), VOTE_DAMAGED);
}
END_TEST

START_TEST(an_unwritable_place_is_an_error)
{
	int fd = open("/proc", O_RDONLY | O_DIRECTORY);

	ck_assert_int_lt(vote_store(&sample, fd), 0);
	close(fd);
}
END_TEST

SUITE(what_was_stored_is_loaded, any_other_byte_anywhere_is_refused,
      a_damaged_file_is_refused_with_a_text,
      raft_uv_holds_what_was_before_the_step_or_after_it,
      an_unwritable_place_is_an_error)

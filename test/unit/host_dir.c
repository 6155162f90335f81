/* The member's directory: whose it is, and who may open it. */
#include "host/dir.h"
#include "host/fail.h"
#include "host/file.h"
#include "host/identity.h"
#include "lib/scratch.h"
#include "lib/suite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct scene {
	char root[SCRATCH_PATH_MAX];
	char path[SCRATCH_PATH_MAX + 16];
	struct dir_want want;
	struct place here;
	char error[HF_ERROR_TEXT];
};

static void scene_begin(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	scratch_make(s->root);
	snprintf(s->path, sizeof(s->path), "%s/member", s->root);
	s->want = (struct dir_want){ .path = s->path,
				     .cluster = 7,
				     .cluster_name = "orders",
				     .node = 2 };
}

static void scene_end(struct scene *s)
{
	scratch_remove(s->root);
}

static int scene_open(struct scene *s, struct dir *dir)
{
	s->error[0] = 0;
	return dir_open(dir, &s->want, s->error);
}

/* Opens and closes; returns the result. */
static int scene_try(struct scene *s)
{
	struct dir dir;
	int rc = scene_open(s, &dir);

	if (rc == 0)
		dir_close(&dir);
	return rc;
}

static void scene_path(const struct scene *s, const char *name, char *path)
{
	snprintf(path, SCRATCH_PATH_MAX * 2, "%s/%s", s->path, name);
}

static size_t read_whole(const char *path, char *bytes)
{
	int n = file_read(AT_FDCWD, path, bytes, FILE_BYTES_MAX);

	ck_assert_int_gt(n, 0);
	return (size_t)n;
}

static void write_whole(const char *path, const char *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static void refused(struct scene *s, int rc, const char *text)
{
	int got = scene_try(s);

	ck_assert_msg(got == rc, "%d instead of %d: %s", got, rc, s->error);
	ck_assert_msg(strstr(s->error, text), "no '%s' in: %s", text, s->error);
}

START_TEST(a_missing_directory_is_made_and_begins_with_boot_1)
{
	struct scene s;
	struct dir dir;

	scene_begin(&s);
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	ck_assert_uint_eq(dir.boot, 1);
	ck_assert_uint_eq(dir.incarnation, 1);
	ck_assert(dir.former_dead);
	dir_close(&dir);
	scene_end(&s);
}
END_TEST

START_TEST(every_opening_raises_the_boot_counter)
{
	struct scene s;
	struct dir dir;

	scene_begin(&s);
	for (uint64_t boot = 1; boot <= 4; boot++) {
		ck_assert_int_eq(scene_open(&s, &dir), 0);
		ck_assert_uint_eq(dir.boot, boot);
		ck_assert(dir.former_dead);
		dir_close(&dir);
	}
	scene_end(&s);
}
END_TEST

START_TEST(a_second_opener_is_refused_while_the_first_lives)
{
	struct scene s;
	struct dir dir;
	char pid[32];

	scene_begin(&s);
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	snprintf(pid, sizeof(pid), "process %d", (int)getpid());
	refused(&s, HF_EINUSE, pid);
	dir_close(&dir);
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	ck_assert_uint_eq(dir.boot, 2);
	dir_close(&dir);
	scene_end(&s);
}
END_TEST

START_TEST(another_process_is_refused_until_the_first_has_died)
{
	struct scene s;
	int ready[2];
	char byte;

	scene_begin(&s);
	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		struct dir dir;
		_exit(scene_open(&s, &dir) == 0 && write(ready[1], "", 1) == 1
			      ? pause()
			      : 1);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	refused(&s, HF_EINUSE, "in use");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ck_assert_int_eq(scene_try(&s), 0);
	close(ready[0]);
	close(ready[1]);
	scene_end(&s);
}
END_TEST

START_TEST(the_lock_survives_the_removal_of_the_lock_file)
{
	struct scene s;
	struct dir dir;
	char path[SCRATCH_PATH_MAX * 2];

	scene_begin(&s);
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	scene_path(&s, "lock", path);
	ck_assert_int_eq(unlink(path), 0);
	refused(&s, HF_EINUSE, "in use");
	dir_close(&dir);
	scene_end(&s);
}
END_TEST

START_TEST(closing_gives_the_lock_back_though_a_child_still_has_it)
{
	struct scene s;
	struct dir dir;

	scene_begin(&s);
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	pid_t child = fork();
	if (child == 0)
		_exit(pause());
	dir_close(&dir);
	ck_assert_int_eq(scene_try(&s), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	scene_end(&s);
}
END_TEST

START_TEST(a_refused_opening_leaves_no_descriptor_behind)
{
	struct scene s;

	scene_begin(&s);
	int before = scratch_fds();
	ck_assert_int_eq(scene_try(&s), 0);
	s.want.node = 3;
	refused(&s, HF_EIDENTITY, "member");
	ck_assert_int_eq(scratch_fds(), before);
	scene_end(&s);
}
END_TEST

START_TEST(another_cluster_and_another_member_are_refused_by_name)
{
	struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(scene_try(&s), 0);
	s.want.cluster = 8;
	s.want.cluster_name = "billing";
	refused(&s, HF_EIDENTITY, "'orders', not to 'billing'");
	s.want.cluster = 7;
	s.want.node = 9;
	refused(&s, HF_EIDENTITY, "member 2, not to member 9");
	s.want.adopt = true;
	refused(&s, HF_EIDENTITY, "member 2, not to member 9");
	scene_end(&s);
}
END_TEST

static void copy_file(const char *from_dir, const char *to_dir,
		      const char *name)
{
	char path[SCRATCH_PATH_MAX * 2], bytes[FILE_BYTES_MAX];

	snprintf(path, sizeof(path), "%s/%s", from_dir, name);
	size_t len = read_whole(path, bytes);
	snprintf(path, sizeof(path), "%s/%s", to_dir, name);
	write_whole(path, bytes, len);
}

START_TEST(a_copied_directory_is_refused_unless_it_is_adopted)
{
	struct scene s;
	struct dir dir;
	char copy[SCRATCH_PATH_MAX + 16];

	scene_begin(&s);
	snprintf(copy, sizeof(copy), "%s/copy", s.root);
	ck_assert_int_eq(scene_try(&s), 0);
	ck_assert_int_eq(mkdir(copy, 0700), 0);
	copy_file(s.path, copy, "identity");
	s.want.path = copy;
	refused(&s, HF_EIDENTITY, "`adopt`");
	s.want.adopt = true;
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	ck_assert_uint_eq(dir.boot, 2);
	ck_assert(!dir.former_dead);
	dir_close(&dir);
	/* From then on it is at home there. */
	s.want.adopt = false;
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	ck_assert_uint_eq(dir.boot, 3);
	ck_assert(dir.former_dead);
	dir_close(&dir);
	scene_end(&s);
}
END_TEST

static const struct place home = {
	.machine = "00000000000000000000000000000001",
	.kernel = "00000000-0000-0000-0000-000000000001",
	.volume = 11,
	.inode = 12,
};

/* Opened at home first, then at `s->here`. */
static void scene_move(struct scene *s)
{
	s->here = home;
	s->want.place = &s->here;
	ck_assert_int_eq(scene_try(s), 0);
}

START_TEST(another_machine_and_another_volume_are_refused)
{
	struct scene s;

	scene_begin(&s);
	scene_move(&s);
	s.here.machine[0] = 'f';
	s.here.kernel[0] = 'f';
	refused(&s, HF_EIDENTITY, "machine");
	s.here = home;
	s.here.volume++;
	refused(&s, HF_EIDENTITY, "file system");
	s.here = home;
	s.here.inode++;
	refused(&s, HF_EIDENTITY, "directory");
	s.here = home;
	ck_assert_int_eq(scene_try(&s), 0);
	scene_end(&s);
}
END_TEST

START_TEST(a_reboot_leaves_the_directory_its_own)
{
	struct scene s;
	struct dir dir;

	scene_begin(&s);
	scene_move(&s);
	s.here.kernel[0] = 'f';
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	ck_assert(dir.former_dead);
	dir_close(&dir);
	scene_end(&s);
}
END_TEST

START_TEST(a_container_with_a_new_machine_id_on_the_same_kernel_is_at_home)
{
	struct scene s;
	struct dir dir;

	scene_begin(&s);
	scene_move(&s);
	s.here.machine[0] = 'f';
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	ck_assert(dir.former_dead);
	dir_close(&dir);
	scene_end(&s);
}
END_TEST

START_TEST(without_a_machine_id_another_kernel_proves_nothing_about_the_dead)
{
	struct scene s;
	struct dir dir;

	scene_begin(&s);
	s.here = home;
	strcpy(s.here.machine, "-");
	s.want.place = &s.here;
	ck_assert_int_eq(scene_try(&s), 0);
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	ck_assert(dir.former_dead);
	dir_close(&dir);
	s.here.kernel[0] = 'f';
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	ck_assert(!dir.former_dead);
	dir_close(&dir);
	scene_end(&s);
}
END_TEST

START_TEST(any_damaged_byte_of_the_identity_is_refused)
{
	struct scene s;
	char path[SCRATCH_PATH_MAX * 2], bytes[FILE_BYTES_MAX];

	scene_begin(&s);
	ck_assert_int_eq(scene_try(&s), 0);
	scene_path(&s, "identity", path);
	size_t len = read_whole(path, bytes);
	for (size_t i = 0; i < len; i++) {
		char was = bytes[i];

		for (int bit = 0; bit < 8; bit++) {
			bytes[i] = (char)(was ^ 1 << bit);
			write_whole(path, bytes, len);
			refused(&s, HF_ECORRUPT, "identity is damaged");
		}
		bytes[i] = was;
	}
	write_whole(path, bytes, len);
	ck_assert_int_eq(scene_try(&s), 0);
	scene_end(&s);
}
END_TEST

START_TEST(every_byte_value_at_every_place_of_an_identity_is_refused)
{
	struct identity identity = { .cluster = 1,
				     .node = 2,
				     .boot = 3,
				     .incarnation = 4,
				     .place = home };
	struct identity again;
	char text[FILE_BYTES_MAX + 1];

	identity_name(&identity, "a name");
	size_t len = identity_encode(&identity, text);
	for (size_t i = 0; i < len; i++) {
		char was = text[i];

		for (int v = 0; v < 256; v++) {
			text[i] = (char)v;
			ck_assert_int_eq(identity_decode(&again, text, len),
					 text[i] == was);
		}
		text[i] = was;
	}
	ck_assert(identity_decode(&again, text, len));
	ck_assert_str_eq(again.name, "a?name");
}
END_TEST

START_TEST(a_truncated_or_extended_identity_is_refused)
{
	struct scene s;
	char path[SCRATCH_PATH_MAX * 2], bytes[FILE_BYTES_MAX + 1];

	scene_begin(&s);
	ck_assert_int_eq(scene_try(&s), 0);
	scene_path(&s, "identity", path);
	size_t len = read_whole(path, bytes);
	for (size_t n = 0; n < len; n++) {
		write_whole(path, bytes, n);
		refused(&s, HF_ECORRUPT, "identity is damaged");
	}
	bytes[len] = '\n';
	write_whole(path, bytes, len + 1);
	refused(&s, HF_ECORRUPT, "identity is damaged");
	scene_end(&s);
}
END_TEST

START_TEST(a_log_without_an_identity_is_refused)
{
	struct scene s;
	struct dir dir;
	char path[SCRATCH_PATH_MAX * 2];

	scene_begin(&s);
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	ck_assert_int_eq(dir_group(&dir, s.error), 0);
	dir_close(&dir);
	scene_path(&s, "identity", path);
	ck_assert_int_eq(unlink(path), 0);
	/* An empty group is no log. */
	ck_assert_int_eq(scene_try(&s), 0);
	ck_assert_int_eq(unlink(path), 0);
	scene_path(&s, "group-1/open-1", path);
	write_whole(path, "x", 1);
	refused(&s, HF_ECORRUPT, "missing");
	scene_end(&s);
}
END_TEST

START_TEST(a_temporary_file_of_a_crash_does_no_harm)
{
	struct scene s;
	struct dir dir;
	char path[SCRATCH_PATH_MAX * 2];

	scene_begin(&s);
	ck_assert_int_eq(mkdir(s.path, 0700), 0);
	scene_path(&s, "identity.tmp", path);
	write_whole(path, "holdf", 5);
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	ck_assert_uint_eq(dir.boot, 1);
	dir_close(&dir);
	scene_end(&s);
}
END_TEST

START_TEST(a_relative_path_stays_the_same_directory_after_chdir)
{
	struct scene s;
	struct dir dir;
	char absolute[PATH_MAX];

	scene_begin(&s);
	ck_assert_int_eq(chdir(s.root), 0);
	s.want.path = "./member";
	ck_assert_int_eq(scene_open(&s, &dir), 0);
	ck_assert_ptr_nonnull(realpath(s.path, absolute));
	ck_assert_str_eq(dir.path, absolute);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(dir_group(&dir, s.error), 0);
	dir_close(&dir);
	scene_end(&s);
}
END_TEST

/* In a child without the rights of root, who may write anywhere. */
static int as_nobody(int (*run)(struct scene *s), struct scene *s)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(geteuid() == 0 && setuid(65534) < 0 ? 99 : run(s));
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int open_unwritable(struct scene *s)
{
	return scene_try(s) == HF_EIO && strstr(s->error, "Permission denied")
		       ? 0
		       : 1;
}

START_TEST(an_unwritable_directory_is_an_error_with_its_reason)
{
	struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(mkdir(s.path, 0555), 0);
	ck_assert_int_eq(chmod(s.path, 0555), 0);
	ck_assert_int_eq(chmod(s.root, 0755), 0);
	ck_assert_int_eq(as_nobody(open_unwritable, &s), 0);
	ck_assert_int_eq(rmdir(s.path), 0);
	ck_assert_int_eq(chmod(s.root, 0555), 0);
	ck_assert_int_eq(as_nobody(open_unwritable, &s), 0);
	chmod(s.root, 0755);
	scene_end(&s);
}
END_TEST

START_TEST(what_is_no_directory_or_has_no_parent_is_refused)
{
	struct scene s;

	scene_begin(&s);
	write_whole(s.path, "x", 1);
	refused(&s, HF_EINVAL, "not a directory");
	s.want.path = "/nonexistent/for/sure";
	refused(&s, HF_EIO, "parent");
	scene_end(&s);
}
END_TEST

START_TEST(a_file_system_that_is_not_known_is_refused)
{
	struct scene s;

	scene_begin(&s);
	s.want.path = "/proc/self";
	refused(&s, HF_EFILESYSTEM, "0x9fa0");
	ck_assert_ptr_null(place_file_system_name(0x6969));     /* NFS */
	ck_assert_ptr_null(place_file_system_name(0xff534d42)); /* SMB */
	ck_assert_ptr_null(place_file_system_name(0x65735546)); /* FUSE */
	ck_assert_str_eq(place_file_system_name(0x58465342), "xfs");
	scene_end(&s);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
	struct scene s;
	char long_path[1200];

	scene_begin(&s);
	strcpy(long_path, s.root);
	for (int i = 0; i < 9; i++) {
		size_t len = strlen(long_path);
		memset(long_path + len, 'd', 100);
		long_path[len] = '/';
		long_path[len + 100] = 0;
		ck_assert_int_eq(mkdir(long_path, 0700), 0);
	}
	s.want.path = long_path;
	refused(&s, HF_EINVAL, "more than");
	scene_end(&s);
}
END_TEST

SUITE(a_missing_directory_is_made_and_begins_with_boot_1,
      every_opening_raises_the_boot_counter,
      a_second_opener_is_refused_while_the_first_lives,
      another_process_is_refused_until_the_first_has_died,
      the_lock_survives_the_removal_of_the_lock_file,
      closing_gives_the_lock_back_though_a_child_still_has_it,
      a_refused_opening_leaves_no_descriptor_behind,
      another_cluster_and_another_member_are_refused_by_name,
      a_copied_directory_is_refused_unless_it_is_adopted,
      another_machine_and_another_volume_are_refused,
      a_reboot_leaves_the_directory_its_own,
      a_container_with_a_new_machine_id_on_the_same_kernel_is_at_home,
      without_a_machine_id_another_kernel_proves_nothing_about_the_dead,
      any_damaged_byte_of_the_identity_is_refused,
      every_byte_value_at_every_place_of_an_identity_is_refused,
      a_truncated_or_extended_identity_is_refused,
      a_log_without_an_identity_is_refused,
      a_temporary_file_of_a_crash_does_no_harm,
      a_relative_path_stays_the_same_directory_after_chdir,
      an_unwritable_directory_is_an_error_with_its_reason,
      what_is_no_directory_or_has_no_parent_is_refused,
      a_file_system_that_is_not_known_is_refused,
      a_path_that_is_too_long_is_refused)

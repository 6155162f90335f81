#include "host/place.h"

#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Local file systems whose flock and fsync hold, and which raft_uv can write.
 * Not NFS, SMB, 9P, FUSE and the cluster file systems: their locks may be lost
 * while the process lives. overlayfs is what its upper layer is, and containers
 * run on it. Numbers as in statfs(2). */
static const struct {
	unsigned long type;
	const char *name;
} local_file_systems[] = {
	{ 0xef53, "ext2, ext3 or ext4" },
	{ 0x58465342, "xfs" },
	{ 0x9123683e, "btrfs" },
	{ 0x01021994, "tmpfs" },
	{ 0x2fc12fc1, "zfs" },
	{ 0xf2f52010, "f2fs" },
	{ 0xca451a4e, "bcachefs" },
	{ 0x3153464a, "jfs" },
	{ 0x24051905, "ubifs" },
	{ 0x794c7630, "overlayfs" },
};

#define LOCAL_FILE_SYSTEMS_LEN \
	(sizeof(local_file_systems) / sizeof(*local_file_systems))

const char *place_file_system_name(unsigned long type)
{
	for (size_t i = 0; i < LOCAL_FILE_SYSTEMS_LEN; i++)
		if (local_file_systems[i].type == type)
			return local_file_systems[i].name;
	return NULL;
}

const char *place_file_system(int dirfd, unsigned long *type)
{
	struct statfs fs;

	*type = 0;
	if (fstatfs(dirfd, &fs) < 0)
		return NULL;
	*type = (unsigned long)fs.f_type & UINT32_MAX;
	return place_file_system_name(*type);
}

/* The first line of a file, if it has exactly `len` characters of `allowed`. */
static bool read_id(const char *path, char *id, size_t len, const char *allowed)
{
	char text[FILE_BYTES_MAX];
	int n = file_read(AT_FDCWD, path, text, sizeof(text) - 1);

	if (n < (int)len)
		return false;
	text[n] = 0;
	if (strspn(text, allowed) != len || (text[len] && text[len] != '\n'))
		return false;
	memcpy(id, text, len);
	id[len] = 0;
	return true;
}

static void read_machine(struct place *place)
{
	static const char hex[] = "0123456789abcdef";

	if (!read_id("/etc/machine-id", place->machine, PLACE_MACHINE_LEN,
		     hex) &&
	    !read_id("/var/lib/dbus/machine-id", place->machine,
		     PLACE_MACHINE_LEN, hex))
		memcpy(place->machine, "-", 2);
	if (!read_id("/proc/sys/kernel/random/boot_id", place->kernel,
		     PLACE_KERNEL_LEN, "0123456789abcdef-"))
		memcpy(place->kernel, "-", 2);
}

int place_of(struct place *place, int dirfd)
{
	struct statfs fs;
	struct stat st;

	memset(place, 0, sizeof(*place));
	if (fstatfs(dirfd, &fs) < 0 || fstat(dirfd, &st) < 0)
		return -errno;
	memcpy(&place->volume, &fs.f_fsid, sizeof(place->volume));
	if (place->volume == 0)
		place->volume = st.st_dev;
	place->inode = st.st_ino;
	read_machine(place);
	return 0;
}

static bool equal_and_known(const char *a, const char *b)
{
	return strcmp(a, b) == 0 && strcmp(a, "-") != 0;
}

bool place_one_machine(const struct place *a, const struct place *b)
{
	return equal_and_known(a->kernel, b->kernel) ||
	       equal_and_known(a->machine, b->machine);
}

bool place_same(const struct place *a, const struct place *b)
{
	return a->volume == b->volume && a->inode == b->inode &&
	       (strcmp(a->machine, b->machine) == 0 || place_one_machine(a, b));
}

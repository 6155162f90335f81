/* Where a directory is: on which machine, in which volume, at which inode.
 *
 * A copied directory must not pass for the one that it was copied from: two
 * members would speak with one voice. */
#ifndef HF_HOST_PLACE_H
#define HF_HOST_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#define PLACE_MACHINE_LEN 32 /* hexadecimal digits */
#define PLACE_KERNEL_LEN 36  /* of a UUID */

struct place {
	/* /etc/machine-id or D-Bus's; "-": this machine has none. */
	char machine[PLACE_MACHINE_LEN + 1];
	/* The running kernel's boot_id; "-": unknown. Containers share it. */
	char kernel[PLACE_KERNEL_LEN + 1];
	/* What statfs says names the file system, which is steady for most; the
	 * device's number, which may change with each boot, where it says 0. */
	uint64_t volume;
	uint64_t inode;
};

/* 0 or a negative errno. */
int place_of(struct place *place, int dirfd);
/* Is it the same directory? A kernel that has run all the time proves the same
 * machine, whatever machine-id says (some containers make one at each start).
 */
bool place_same(const struct place *a, const struct place *b);
/* Does a lock held here prove that no process holds one there? Only on one
 * machine; where neither machine nor kernel is known, nothing is proved. */
bool place_one_machine(const struct place *a, const struct place *b);

/* A name for the file system that holds `dirfd` if it is a local one, with
 * locks and fsync that mean what they say. NULL: it isn't known to be; `*type`
 * is its number. */
const char *place_file_system(int dirfd, unsigned long *type);
const char *place_file_system_name(unsigned long type);

#endif

/* A small file system in memory for each member, in a mount namespace of our
 * own: nothing is seen outside, and all of it vanishes with the last of our
 * processes, whatever ended them. */
#ifndef CHAOS_DISKS_H
#define CHAOS_DISKS_H

#include <stdbool.h>
#include <stddef.h>

#define DISK_PATH_LEN 512

/* Enter namespaces of our own: of mounts, and of users if we aren't root. To be
 * called before there is any thread. 0, or -1 with the reason in `error`. */
int disks_enter(char *error, size_t error_len);

/* A new, empty file system for the member, instead of an earlier one. */
int disk_make(unsigned number, char *error, size_t error_len);
/* The member's directory in it. */
void disk_member_dir(char *path, unsigned number);
/* Where the member's clock is told what to say (clocks.h). */
void disk_clock_file(char *path, unsigned number);

/* Leave no byte free; give it back. */
bool disk_fill(unsigned number);
void disk_free(unsigned number);
/* Only while nobody has a file open there for writing. */
bool disk_read_only(unsigned number, bool on);

#endif

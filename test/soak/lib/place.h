/* What a program that starts members needs of its machine: a directory that
 * goes away again, free addresses, memory that processes share, clocks. */
#ifndef SOAK_PLACE_H
#define SOAK_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_DIR_LEN 256
#define PLACE_ADDRESS_LEN 32

/* A new directory below $TMPDIR, "holdfast-" and `what` in its name. False:
 * stderr and errno say why, and `dir` is empty. */
bool place_make(char dir[PLACE_DIR_LEN], const char *what);
void place_remove(const char *dir);

/* How often something is to be done: a number above 0. */
bool place_count(const char *text, unsigned *count);

/* An address on loopback that nobody listens at; below the ports that the
 * kernel gives to those who dial, so that a member finds it free when it comes
 * back. */
bool place_address(char address[PLACE_ADDRESS_LEN]);

/* Memory for this process and those that it starts, which are told `*fd`; all
 * zero at first. NULL: errno says why. */
void *place_share(size_t size, int *fd);
void *place_map(int fd, size_t size);

/* By a clock that all processes of a machine share, and that runs on while one
 * is stopped. */
uint64_t now_us(void);
uint64_t now_ms(void);
void nap_us(unsigned us);
void nap_up_to_ms(unsigned ms);

#endif

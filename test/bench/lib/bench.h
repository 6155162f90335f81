/* What all programs here need: a clock, memory and children that are shared and
 * end with their parent, and the row that each measurement ends in.
 *
 * Anything that goes wrong ends the program with a sentence on stderr and
 * status 1: a figure that was taken in spite of an error is worth nothing. */
#ifndef HF_BENCH_BENCH_H
#define HF_BENCH_BENCH_H

#include "hist.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* CLOCK_MONOTONIC: one clock for all processes of the machine. */
uint64_t now_ns(void);
void sleep_ms(uint32_t ms);

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format,
							 ...);

/* Zeroed memory that later children share. */
void *share(size_t len);

/* A fork that is killed when its parent ends, however that ends. 0: this is the
 * child. */
pid_t spawn(void);

/* One line on stdout: name, concurrency, operations a second, p50 and p99 in
 * microseconds. */
void print_row(const char *name, unsigned concurrency, double ops,
	       const struct hist *hist);

/* The number in an argument, above 0 and at most `most`. */
double number_argument(const char *what, const char *text, double most);

/* Run `conduct` in a process of its own, with a new folder inside `parent`.
 * When it has ended, or the time is over, or this process is told to end
 * (SIGINT, SIGTERM), all that it left is ended too, and the folder removed. The
 * exit status: 0 only if `conduct` returned. */
int supervise(const char *parent, uint32_t secs_max,
	      void (*conduct)(const char *dir, void *arg), void *arg);

#endif

/* What the demo shows: on a terminal, a picture of the cluster that is drawn
 * again in its place, and what happens above it; elsewhere, lines only. */
#ifndef CLUSTER_VIEW_H
#define CLUSTER_VIEW_H

#include "cluster-child.h"

#include <stdarg.h>

#define VIEW_LINE_MS 1000 /* between two lines where there is no terminal */

struct view {
	uint64_t begin_us, told_us;
	bool live; /* on a terminal */
	int drawn; /* lines of the picture that are on it */
};

static inline struct view view_begin(void)
{
	return (struct view){ .begin_us = now_us(),
			      .live = isatty(STDOUT_FILENO) };
}

static inline void view_erase(struct view *v)
{
	if (v->drawn > 0)
		printf("\033[%dA\033[J", v->drawn);
	v->drawn = 0;
}

/* What happened, and when. */
__attribute__((format(printf, 2, 3))) static inline void
tell(struct view *v, const char *format, ...)
{
	va_list args;

	view_erase(v);
	printf("%6.2f s  ", (double)(now_us() - v->begin_us) / 1e6);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* "2.4=817 1.3 3.1": thread 4 of member 2 holds under token 817, two wait. */
static inline void view_draw(struct view *v, struct child *children)
{
	struct child *leader = children_leader(children);

	view_erase(v);
	for (int i = 0; i < DEMO_MEMBERS; i++) {
		struct child *c = &children[i];

		printf("  member %d  %-11s%-8sterm %-4" PRIu64 "%7" PRIu64
		       " written, %" PRIu64 " refused\n",
		       i + 1, child_state(c), c == leader ? "LEADER" : "",
		       c->term, c->written, c->refused);
	}
	puts("  held by member.thread=token, then who waits");
	for (int i = 0; i < DEMO_LOCKS; i++)
		printf("  lock-%d   %.66s\n", i,
		       leader ? leader->claims[i] : " no leader");
	v->drawn = DEMO_MEMBERS + 1 + DEMO_LOCKS;
	fflush(stdout);
}

/* The state now, `written` sections so far. */
static inline void view_show(struct view *v, struct child *children,
			     uint64_t written)
{
	struct child *leader = children_leader(children);

	if (v->live) {
		view_draw(v, children);
		return;
	}
	if (now_us() - v->told_us < VIEW_LINE_MS * 1000)
		return;
	v->told_us = now_us();
	if (leader)
		tell(v,
		     "leader %" PRIu64 ", term %" PRIu64 ", %" PRIu64
		     " sections, lock-0:%.40s",
		     leader->leader, leader->term, written, leader->claims[0]);
	else
		tell(v, "no leader, %" PRIu64 " sections", written);
}

#endif

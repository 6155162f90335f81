/* An intrusive doubly linked list with a head that is a node of the ring. */
#ifndef HF_BASE_LIST_H
#define HF_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Put `n` before `at`; before the head is the end. */
static inline void list_insert(struct list *at, struct list *n)
{
	n->prev = at->prev;
	n->next = at;
	at->prev->next = n;
	at->prev = n;
}

static inline void list_push(struct list *head, struct list *n)
{
	list_insert(head, n);
}

/* `n` is then a list of its own, so that removing it again does nothing. */
static inline void list_remove(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#define list_for(it, head) \
	for (struct list *it = (head)->next; it != (head); it = it->next)

/* As list_for, for bodies that remove `it`. */
#define list_for_safe(it, head)                                     \
	for (struct list *it = (head)->next, *it##_next = it->next; \
	     it != (head); it = it##_next, it##_next = it##_next->next)

#endif

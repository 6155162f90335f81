#include "live/lib/waiter.h"

#include <stdio.h>
#include <string.h>

void waiter_told(struct hf_lock *lock, int rc)
{
	struct waiter *w = (struct waiter *)(void *)lock;
	int i = w->len;

	ck_assert_int_lt(i, WAITER_RESULTS);
	w->rc[i] = rc;
	w->len = i + 1;
}

void waiter_ask(struct waiter *w, struct hf_node *node, const char *name,
		const struct hf_lock_options *options, uint32_t timeout_ms)
{
	w->len = 0;
	int rc = hf_lock_start(node, &w->lock, name, strlen(name), options,
			       timeout_ms, waiter_told);

	ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
}

struct awaited {
	struct waiter *waiter;
	int len;
};

static bool is_told(void *arg)
{
	const struct awaited *a = arg;

	return a->waiter->len > a->len;
}

int waiter_result(struct waiter *w, int number)
{
	struct awaited a = { w, number };

	ck_assert_msg(live_wait(is_told, &a), "result %d never came", number);
	return w->rc[number];
}

static bool has_place(void *arg)
{
	struct waiter *w = arg;
	struct hf_place place;

	ck_assert_int_eq(hf_lock_place(&w->lock, &place), 0);
	return place.place > 0;
}

void waiter_stands(struct waiter *w)
{
	ck_assert(live_wait(has_place, w));
}

void told_event(struct hf_node *node, const struct hf_event *event, void *arg)
{
	struct told *t = arg;

	(void)node;
	if (event->type == HF_EVENT_LOST) {
		t->lost_rc = event->rc;
		t->lost_token = event->token;
		t->lost++;
	} else if (event->type == HF_EVENT_REVOKED) {
		t->revoked_token = event->token;
		t->by = event->by;
		t->left_ms = event->left_ms;
		snprintf(t->text, sizeof(t->text), "%s", event->text);
		t->revoked++;
	}
}

bool told_lost(void *told)
{
	return ((struct told *)told)->lost > 0;
}

bool told_revoked(void *told)
{
	return ((struct told *)told)->revoked > 0;
}

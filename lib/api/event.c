/* Events on their way to the caller.
 *
 * Where they are dispatched, they wait in slots, copied, with their strings.
 * There is no memory to run out, and no end to events: once all slots are used,
 * the node is told to keep what follows, which it knows how to do with events
 * of which nobody hears. The next slot that is emptied has it go on. */
#include "api/api.h"

#include "base/list.h"

#include <stdio.h>
#include <string.h>

static void go_on(struct hf_task *task)
{
	struct events *e = container_of(task, struct events, again);

	node_quiet(host_node(e->node->host), false);
}

void events_init(struct events *events, struct hf_node *node)
{
	events->node = node;
	events->again.run = go_on;
}

static void run_slot(struct hf_task *task)
{
	struct event_slot *slot = container_of(task, struct event_slot, task);
	struct hf_node *node = slot->node;
	struct events *e = dispatch_events(node->dispatch);

	node->on_event(node, &slot->event, node->arg);
	atomic_fetch_sub(&e->used, 1);
	/* A node that is closed already tells the rest at its end. */
	if (atomic_exchange(&e->full, false))
		host_post(node->host, &e->again);
}

static void fill(struct event_slot *slot, const struct hf_event *event)
{
	size_t len =
		event->name_len < HF_NAME_MAX ? event->name_len : HF_NAME_MAX;

	slot->task.run = run_slot;
	slot->event = *event;
	if (event->name) {
		memcpy(slot->name, event->name, len);
		slot->event.name = slot->name;
		slot->event.name_len = len;
	}
	if (event->text) {
		snprintf(slot->text, sizeof(slot->text), "%s", event->text);
		slot->event.text = slot->text;
	}
}

/* They are emptied in the order in which they were filled. That there is no
 * room is said before the last one can be emptied. */
static void put(struct events *e, const struct hf_event *event)
{
	struct event_slot *slot = &e->slots[e->next++ % EVENT_SLOTS];

	slot->node = e->node;
	fill(slot, event);
	if (atomic_fetch_add(&e->used, 1) + 1 == EVENT_SLOTS) {
		node_quiet(host_node(e->node->host), true);
		atomic_store(&e->full, true);
	}
	api_deliver(e->node, &slot->task);
}

void event_tell(void *arg, const struct hf_event *event)
{
	struct hf_node *node = (struct hf_node *)arg;
	struct events *e =
		node->dispatch ? dispatch_events(node->dispatch) : NULL;

	if (!node->on_event)
		return;
	if (e && !e->direct)
		put(e, event);
	else
		node->on_event(node, event, node->arg);
}

void events_rest(struct events *e)
{
	struct node *node = host_node(e->node->host);

	e->direct = true;
	if (node)
		node_tell_rest(node);
}

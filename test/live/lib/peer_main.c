/* The peer's side: one node, a few locks by name, a loop over questions. */
#include "live/lib/peer.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct named_lock {
	char name[PEER_NAME_MAX]; /* "": free */
	struct hf_lock lock;
};

struct self {
	struct peer peer;
	struct cluster cluster;
	struct hf_node *node;
	struct named_lock locks[PEER_LOCKS_MAX];
	_Atomic(uint64_t) lost; /* token of the last HF_EVENT_LOST */
	_Atomic(uint64_t) losses;
};

static void on_event(struct hf_node *node, const struct hf_event *event,
		     void *arg)
{
	struct self *self = arg;

	(void)node;
	if (event->type != HF_EVENT_LOST)
		return;
	self->lost = event->token;
	self->losses++;
}

static int open_node(struct self *self)
{
	struct hf_options options =
		cluster_options(&self->cluster, self->peer.index);
	char error[HF_ERROR_TEXT];

	options.ttl_ms = self->peer.ttl_ms;
	options.on_event = on_event;
	options.arg = self;
	int rc = hf_open(&self->node, &options, error);
	if (rc)
		fprintf(stderr, "peer %zu: %s\n", self->peer.index + 1, error);
	return rc;
}

static int close_node(struct self *self, uint32_t ms)
{
	int rc = hf_close(self->node, ms);

	self->node = NULL;
	memset(self->locks, 0, sizeof(self->locks));
	return rc;
}

static struct named_lock *find(struct self *self, const char *name)
{
	for (size_t i = 0; i < PEER_LOCKS_MAX; i++)
		if (strcmp(self->locks[i].name, name) == 0)
			return &self->locks[i];
	return NULL;
}

static int lock(struct self *self, const struct peer_question *q,
		uint64_t *token)
{
	struct named_lock *l = find(self, "");

	if (!l)
		return HF_EBUSY;
	int rc = q->verb == PEER_ENTER
			 ? hf_barrier_enter(self->node, &l->lock, q->name, 3,
					    q->ms)
			 : hf_lock(self->node, &l->lock, q->name, NULL, q->ms);
	if (rc == 0) {
		memcpy(l->name, q->name, sizeof(l->name));
		*token = hf_lock_token(&l->lock);
	}
	return rc;
}

static int of_lock(struct self *self, const struct peer_question *q,
		   uint64_t *value)
{
	struct named_lock *l = find(self, q->name);
	int rc;

	if (!l)
		return HF_ENOTHELD;
	switch (q->verb) {
	case PEER_UNLOCK:
		rc = hf_unlock(&l->lock, q->ms);
		l->name[0] = '\0';
		return rc;
	case PEER_VALIDATE:
		return hf_lock_validate(&l->lock, q->ms);
	case PEER_SAFE:
		*value = hf_lock_safe_ms(&l->lock);
		return 0;
	default:
		*value = hf_lock_token(&l->lock);
		return 0;
	}
}

static int of_node(struct self *self, enum peer_verb verb, uint64_t *value)
{
	struct hf_status status = { .size = sizeof(status) };
	int rc = hf_status(self->node, &status);

	*value = verb == PEER_LEADER ? status.leader
				     : (uint64_t)status.session_state;
	return rc;
}

static int of_line(struct self *self, const char *name, uint64_t *value)
{
	size_t total = 0;
	int rc =
		hf_lock_status(self->node, name, strlen(name), NULL, 0, &total);

	*value = total;
	return rc;
}

static struct peer_answer answer(struct self *self,
				 const struct peer_question *q)
{
	struct peer_answer a = { 0 };

	switch (q->verb) {
	case PEER_OPEN:
		a.rc = open_node(self);
		break;
	case PEER_CLOSE:
		a.rc = close_node(self, q->ms);
		break;
	case PEER_LOCK:
	case PEER_ENTER:
		a.rc = lock(self, q, &a.value);
		break;
	case PEER_LEADER:
	case PEER_SESSION:
		a.rc = of_node(self, q->verb, &a.value);
		break;
	case PEER_LOST:
		a.value = self->lost;
		break;
	case PEER_LOSSES:
		a.value = self->losses;
		break;
	case PEER_LINE:
		a.rc = of_line(self, q->name, &a.value);
		break;
	default:
		a.rc = of_lock(self, q, &a.value);
		break;
	}
	return a;
}

static bool receive_cluster(struct self *self, int fd)
{
	if (read(fd, &self->peer, sizeof(self->peer)) != sizeof(self->peer) ||
	    read(fd, &self->cluster, sizeof(self->cluster)) !=
		    sizeof(self->cluster))
		return false;
	for (size_t i = 0; i < self->cluster.len; i++)
		self->cluster.members[i].address = self->cluster.addresses[i];
	return true;
}

int peer_main(int fd)
{
	struct self self = { 0 };
	struct peer_question q;

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (!receive_cluster(&self, fd))
		return 1;
	while (read(fd, &q, sizeof(q)) == sizeof(q)) {
		struct peer_answer a = answer(&self, &q);

		if (write(fd, &a, sizeof(a)) != sizeof(a))
			break;
	}
	close_node(&self, 0);
	return 0;
}

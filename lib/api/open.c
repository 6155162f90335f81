/* Nodes: opened, and how other threads reach theirs. */
#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>

int api_check(const struct hf_node *node)
{
	if (!node)
		return HF_EINVAL;
	return host_forked(node->host) ? HF_EFORKED : 0;
}

int api_check_blocking(const struct hf_node *node)
{
	int rc = api_check(node);

	if (!rc && host_would_block(node->host))
		rc = HF_EINCALLBACK;
	return rc;
}

void wait_init(struct wait *w)
{
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->cond, NULL);
	w->done = false;
	w->rc = 0;
}

void wait_done(struct wait *w, int rc)
{
	pthread_mutex_lock(&w->mutex);
	w->rc = rc;
	w->done = true;
	/* Under the mutex: once it is free, the waiter's memory may be gone. */
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mutex);
}

int wait_for(struct wait *w)
{
	int rc;

	pthread_mutex_lock(&w->mutex);
	while (!w->done)
		pthread_cond_wait(&w->cond, &w->mutex);
	rc = w->rc;
	pthread_mutex_unlock(&w->mutex);
	pthread_cond_destroy(&w->cond);
	pthread_mutex_destroy(&w->mutex);
	return rc;
}

struct run {
	struct hf_task task;
	struct wait wait;
	struct hf_node *node;
	int (*fn)(struct node *node, void *arg);
	void *arg;
};

static void run_task(struct hf_task *task)
{
	struct run *r = (struct run *)task;

	wait_done(&r->wait, r->fn(host_node(r->node->host), r->arg));
}

int api_run(struct hf_node *node, int (*fn)(struct node *node, void *arg),
	    void *arg)
{
	struct run r = {
		.task = { .run = run_task }, .node = node, .fn = fn, .arg = arg
	};
	int rc = api_check(node);

	if (rc)
		return rc;
	if (host_would_block(node->host)) {
		rc = host_on_thread(node->host) ? 0 : host_enter(node->host);
		return rc ? rc : fn(host_node(node->host), arg);
	}
	wait_init(&r.wait);
	rc = host_post(node->host, &r.task);
	if (rc)
		wait_done(&r.wait, rc);
	return wait_for(&r.wait);
}

static void configure(const struct hf_options *o, struct hf_node *node,
		      struct host_config *c)
{
	*c = (struct host_config){ .dir = o->dir,
				   .cluster = o->cluster,
				   .id = o->id,
				   .members = o->members,
				   .members_len = o->members_len,
				   .plain_tcp = o->plain_tcp,
				   .adopt = o->adopt,
				   .calls = { .event = event_tell },
				   .arg = node,
				   .loop = o->loop };
	c->node.ttl_us = o->ttl_ms * UINT64_C(1000);
	c->node.renew_us = o->renew_ms * UINT64_C(1000);
	c->node.margin_us = o->margin_ms * UINT64_C(1000);
	c->node.drift_ppm = o->drift_ppm;
	c->node.unsure_is_lost = o->unsure_is_lost;
	c->node.checksum = true;
	c->node.repl.election_ms = o->election_ms;
}

static int open_node(struct hf_node *node, const struct hf_options *o,
		     char *error)
{
	struct host_config config;
	int rc = o->dispatch ? dispatch_open(&node->dispatch, node) : 0;

	if (rc)
		return rc;
	node->on_event = o->on_event;
	node->arg = o->arg;
	configure(o, node, &config);
	return host_open(&node->host, &config, error);
}

int hf_open(struct hf_node **node, const struct hf_options *options,
	    char *error)
{
	char text[HF_ERROR_TEXT] = "";
	struct hf_options o;
	struct hf_node *n = NULL;
	int rc;

	*node = NULL;
	rc = options_check(options, &o, text);
	if (!rc) {
		n = (struct hf_node *)calloc(1, sizeof(*n));
		rc = n ? open_node(n, &o, text) : HF_ENOMEM;
	}
	if (error)
		snprintf(error, HF_ERROR_TEXT, "%s",
			 text[0] ? text : hf_strerror(rc));
	if (rc) {
		if (n)
			dispatch_free(n->dispatch);
		free(n);
		return rc;
	}
	*node = n;
	/* From here on a callback may close it. */
	atomic_store(&n->phase, NODE_OPEN);
	return 0;
}

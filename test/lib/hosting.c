#include "lib/hosting.h"

#include "base/list.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define MS UINT64_C(1000)
#define CLOSE_US (500 * MS)

static void on_event(void *arg, const struct hf_event *event)
{
	struct hosted *m = arg;

	pthread_mutex_lock(&m->all->mutex);
	m->session = event->session;
	m->leader = event->leader;
	if (event->type == HF_EVENT_FAILED)
		m->failed = event->rc;
	pthread_cond_broadcast(&m->all->changed);
	pthread_mutex_unlock(&m->all->mutex);
}

/* One that was free a moment ago. */
static int free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		abort();
	close(fd);
	return ntohs(at.sin_port);
}

static void configure(struct hosting *h, size_t i)
{
	struct hosted *m = &h->hosted[i];

	m->all = h;
	snprintf(m->dir, sizeof(m->dir), "%s/%d", h->root, (int)i + 1);
	snprintf(m->address, sizeof(m->address), "127.0.0.1:%d", free_port());
	h->members[i] = (struct hf_member){ i + 1, m->address };
	m->config = (struct host_config){
		.dir = m->dir,
		.cluster = "test",
		.id = i + 1,
		.members = h->members,
		.members_len = h->len == 1 ? 0 : h->len,
		.segment_bytes = HOSTING_SEGMENT_BYTES,
		.calls = { .event = on_event },
		.arg = m,
	};
	m->config.node = (struct node_config){
		.ttl_us = 10000 * MS,
		.renew_us = 2500 * MS,
		.margin_us = 510 * MS,
		.drift_ppm = 1000,
		.checksum = true,
	};
	m->config.node.repl.election_ms = 300;
}

void hosting_begin(struct hosting *h, size_t len)
{
	memset(h, 0, sizeof(*h));
	scratch_make(h->root);
	pthread_mutex_init(&h->mutex, NULL);
	pthread_cond_init(&h->changed, NULL);
	h->len = len;
	for (size_t i = 0; i < len; i++)
		configure(h, i);
}

void hosting_end(struct hosting *h)
{
	scratch_remove(h->root);
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->mutex);
}

int hosting_open(struct hosting *h, size_t i)
{
	struct hosted *m = &h->hosted[i];

	m->session = HF_SESSION_NONE;
	m->leader = 0;
	m->failed = 0;
	h->error[0] = 0;
	return host_open(&m->host, &m->config, h->error);
}

void hosting_close(struct hosting *h, size_t i)
{
	host_close(h->hosted[i].host, CLOSE_US);
	h->hosted[i].host = NULL;
}

void hosting_wait_safe(struct hosting *h, size_t i)
{
	pthread_mutex_lock(&h->mutex);
	while (h->hosted[i].session != HF_SESSION_SAFE)
		pthread_cond_wait(&h->changed, &h->mutex);
	pthread_mutex_unlock(&h->mutex);
}

void hosting_wait_failed(struct hosting *h, size_t i)
{
	pthread_mutex_lock(&h->mutex);
	while (h->hosted[i].failed == 0)
		pthread_cond_wait(&h->changed, &h->mutex);
	pthread_mutex_unlock(&h->mutex);
}

struct call {
	struct hf_task task;
	struct hosting *all;
	struct host *host;
	void (*run)(struct host *host, void *arg);
	void *arg;
	bool done;
};

static void run_call(struct hf_task *task)
{
	struct call *c = container_of(task, struct call, task);

	c->run(c->host, c->arg);
	pthread_mutex_lock(&c->all->mutex);
	c->done = true;
	pthread_cond_broadcast(&c->all->changed);
	pthread_mutex_unlock(&c->all->mutex);
}

void hosting_run(struct hosting *h, size_t i,
		 void (*run)(struct host *host, void *arg), void *arg)
{
	struct call c = { .task = { .run = run_call },
			  .all = h,
			  .host = h->hosted[i].host,
			  .run = run,
			  .arg = arg };

	if (host_post(c.host, &c.task) != 0)
		abort();
	pthread_mutex_lock(&h->mutex);
	while (!c.done)
		pthread_cond_wait(&h->changed, &h->mutex);
	pthread_mutex_unlock(&h->mutex);
}

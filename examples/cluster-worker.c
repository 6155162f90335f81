/* One member of the demo's cluster: a process with four threads that contend
 * for locks. cluster-demo starts three, and talks to them in lines:
 *
 * stop	   let the threads end, and say "idle"
 * quit	   close the node and end
 * status  answered by a line "lock ..." for each lock, then a line "member ..."
 * linger  the next thread inside a section says "lingering LOCK TOKEN" and
 *stays there until it reads "go"; it then writes without another look, as a
 *	   program would that was paused just before its write
 *
 * ./cluster-worker ID DIRECTORY RESOURCES ADDRESS... by hand, too: the
 *addresses are those of members 1, 2, 3 in this order. */
#include "cluster-resource.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A short wait for the lock: a worker goes on to another behind a dead holder.
 */
#define LOCK_WAIT_MS 250
#define UNLOCK_WAIT_MS 3000
/* A section is begun only when this much is certain; it takes two or three. */
#define SAFE_MS 200

enum linger { LINGER_NO, LINGER_WANTED, LINGER_INSIDE };

struct process {
	struct hf_node *node;
	const char *resources;
	uint64_t id;
	atomic_bool stopped;
	_Atomic(uint64_t) written, refused;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	enum linger linger; /* under the mutex */
};

struct worker {
	struct process *process;
	pthread_t thread;
	unsigned number; /* 1 or more */
	unsigned seed;
	int files[DEMO_LOCKS];
};

static void nap_us(unsigned us)
{
	nanosleep(&(struct timespec){ .tv_nsec = (long)us * 1000 }, NULL);
}

/* Stay inside the section for as long as the demo wants. */
static void linger(struct process *p, int lock, uint64_t token)
{
	pthread_mutex_lock(&p->mutex);
	if (p->linger == LINGER_WANTED && !p->stopped) {
		p->linger = LINGER_INSIDE;
		printf("lingering %d %" PRIu64 "\n", lock, token);
		while (p->linger == LINGER_INSIDE && !p->stopped)
			pthread_cond_wait(&p->changed, &p->mutex);
	}
	pthread_mutex_unlock(&p->mutex);
}

/* The critical section. Its only effect is the write, which carries the token.
 */
static void section(struct worker *w, struct hf_lock *lock, int number)
{
	struct process *p = w->process;
	struct section section = { .token = hf_lock_token(lock),
				   .worker = p->id * 100 + w->number };

	if (hf_lock_safe_ms(lock) < SAFE_MS)
		return;
	section.begin = now_us();
	nap_us(500 + (unsigned)rand_r(&w->seed) % 2000);
	linger(p, number, section.token);
	int rc = resource_append(w->files[number], &section);
	if (rc == 0)
		p->written++;
	else if (rc == HF_EFENCED)
		p->refused++;
	else
		fprintf(stderr, "cluster-worker: %s\n", hf_strerror(rc));
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct process *p = w->process;
	struct hf_lock_options options = { .size = sizeof(options) };
	struct hf_lock lock;
	char name[24];

	options.owner = w->number; /* for the view; the thread would do */
	while (!p->stopped) {
		int number = rand_r(&w->seed) % DEMO_LOCKS;

		resource_name(name, sizeof(name), number);
		if (hf_lock(p->node, &lock, name, &options, LOCK_WAIT_MS) !=
		    0) {
			nap_us(10000); /* no leader, or a long line */
			continue;
		}
		section(w, &lock, number);
		hf_unlock(&lock, UNLOCK_WAIT_MS);
	}
	return NULL;
}

static int worker_start(struct worker *w, struct process *p, unsigned number)
{
	w->process = p;
	w->number = number;
	w->seed = (unsigned)now_us() + number + 100 * (unsigned)p->id;
	for (int i = 0; i < DEMO_LOCKS; i++) {
		w->files[i] = resource_open(p->resources, i);
		if (w->files[i] < 0)
			return -1;
	}
	return pthread_create(&w->thread, NULL, worker_run, w);
}

static void print_claim(const struct hf_claim *claim)
{
	printf(" %" PRIu64 ".%" PRIu64, claim->node, claim->owner);
	if (claim->token > 0)
		printf("=%" PRIu64, claim->token);
}

static void print_lock(struct process *p, int number)
{
	struct hf_claim claims[DEMO_MEMBERS * DEMO_WORKERS];
	size_t claims_len = sizeof(claims) / sizeof(*claims);
	size_t total = 0;
	char name[24];

	resource_name(name, sizeof(name), number);
	if (hf_lock_status(p->node, name, strlen(name), claims, claims_len,
			   &total) != 0)
		return;
	printf("lock %d", number);
	for (size_t i = 0; i < total && i < claims_len; i++)
		print_claim(&claims[i]);
	putchar('\n');
}

static void print_status(struct process *p)
{
	struct hf_status status = { .size = sizeof(status) };

	if (hf_status(p->node, &status) != 0)
		return;
	pthread_mutex_lock(&p->mutex); /* keeps the lines together */
	for (int i = 0; i < DEMO_LOCKS; i++)
		print_lock(p, i);
	printf("member %" PRIu64 " %" PRIu64 " %d %" PRIu64 " %" PRIu64 "\n",
	       status.leader, status.term, (int)status.session_state,
	       p->written, p->refused);
	pthread_mutex_unlock(&p->mutex);
}

static void set_linger(struct process *p, enum linger value)
{
	pthread_mutex_lock(&p->mutex);
	p->linger = value;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->mutex);
}

/* Until the line that says `last`, or there are no more. */
static void obey(struct process *p, const char *last)
{
	char line[32];

	while (fgets(line, sizeof(line), stdin) && strcmp(line, last) != 0) {
		if (strcmp(line, "status\n") == 0)
			print_status(p);
		else if (strcmp(line, "linger\n") == 0)
			set_linger(p, LINGER_WANTED);
		else if (strcmp(line, "go\n") == 0)
			set_linger(p, LINGER_NO);
	}
}

static int run(struct process *p)
{
	struct worker workers[DEMO_WORKERS] = { 0 };
	unsigned started = 0;

	while (started < DEMO_WORKERS &&
	       worker_start(&workers[started], p, started + 1) == 0)
		started++;
	if (started == DEMO_WORKERS)
		obey(p, "stop\n");
	p->stopped = true;
	set_linger(p, LINGER_NO);
	for (unsigned i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	if (started < DEMO_WORKERS)
		return 1;
	print_status(p);
	puts("idle");
	obey(p, "quit\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct process p = { .mutex = PTHREAD_MUTEX_INITIALIZER,
			     .changed = PTHREAD_COND_INITIALIZER };
	struct hf_options options = { .size = sizeof(options) };
	struct hf_member members[HF_MEMBERS_MAX];
	char error[HF_ERROR_TEXT];

	if (argc < 5 || argc - 4 > HF_MEMBERS_MAX) {
		fputs("usage: cluster-worker ID DIRECTORY RESOURCES "
		      "HOST:PORT...\n",
		      stderr);
		return 2;
	}
	for (int i = 4; i < argc; i++)
		members[i - 4] = (struct hf_member){ (uint64_t)i - 3, argv[i] };
	options.id = p.id = strtoull(argv[1], NULL, 10);
	options.dir = argv[2];
	p.resources = argv[3];
	options.members = members;
	options.members_len = (size_t)argc - 4;
	options.ttl_ms = DEMO_TTL_MS;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (hf_open(&p.node, &options, error) != 0) {
		fprintf(stderr, "cluster-worker: %s\n", error);
		return 1;
	}
	int status = run(&p);
	hf_close(p.node, 500);
	return status;
}

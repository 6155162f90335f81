/* A node inside a libuv program's own loop: no thread, no mutex. All callbacks
 * run in the loop, beside the program's own.
 *
 * cc uv-loop.c $(pkg-config --cflags --libs holdfast libuv)
 *
 * ./uv-loop [directory]; it ends after some steps of work. The directory's
 * default is a new one in $TMPDIR. */
#include <holdfast.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define STEPS 5
#define STEP_MS 20 /* how long one takes, at most */
#define WAIT_MS 10000

struct job {
	struct hf_node *node;
	struct hf_lock lock;
	struct hf_guard guard; /* a real one is stored with the data */
	uv_timer_t timer;
	unsigned steps;
	bool closed;
	int rc;
};

/* Nothing of the node is in the loop any more. */
static void on_closed(void *arg)
{
	struct job *job = arg;

	job->closed = true;
	uv_close((uv_handle_t *)&job->timer, NULL); /* so uv_run ends */
}

/* Closing waits for the cluster, so in a loop it is only started. */
static void end(struct job *job, int rc)
{
	job->rc = rc;
	uv_timer_stop(&job->timer);
	rc = hf_close_start(job->node, WAIT_MS, on_closed, job);
	if (rc != 0) {
		fprintf(stderr, "closing: %s\n", hf_strerror(rc));
		exit(1);
	}
}

static void on_unlocked(struct hf_lock *lock, int rc)
{
	end(lock->data, rc);
}

/* Whatever the lock protects refuses tokens of the past. */
static int step(struct job *job)
{
	if (hf_lock_safe_ms(&job->lock) < STEP_MS)
		return HF_ESESSION;
	int rc = hf_guard_check(&job->guard, HF_EXCLUSIVE,
				hf_lock_token(&job->lock));
	if (rc == 0 && ++job->steps == STEPS) {
		uv_timer_stop(&job->timer);
		rc = hf_unlock_start(&job->lock, WAIT_MS, on_unlocked);
	}
	return rc;
}

static void on_time(uv_timer_t *timer)
{
	struct job *job = timer->data;
	int rc = step(job);

	if (rc != 0)
		end(job, rc);
}

static void on_locked(struct hf_lock *lock, int rc)
{
	struct job *job = lock->data;

	if (rc == 0 && uv_timer_start(&job->timer, on_time, 0, STEP_MS) != 0)
		rc = HF_EIO;
	if (rc != 0) {
		end(job, rc);
		return;
	}
	printf("working under token %" PRIu64 "\n", hf_lock_token(lock));
}

static int begin(struct job *job, uv_loop_t *loop)
{
	job->timer.data = job->lock.data = job;
	uv_timer_init(loop, &job->timer);
	return hf_lock_start(job->node, &job->lock, "the job", 7, NULL, WAIT_MS,
			     on_locked);
}

static const char *temporary(char *path, size_t size)
{
	const char *under = getenv("TMPDIR");

	snprintf(path, size, "%s/uv-loop-XXXXXX", under ? under : "/tmp");
	return mkdtemp(path);
}

int main(int argc, char **argv)
{
	struct hf_options options = { .size = sizeof(options) };
	char path[256], error[HF_ERROR_TEXT];
	struct job job = { .node = NULL };

	options.dir = argc > 1 ? argv[1] : temporary(path, sizeof(path));
	options.loop = uv_default_loop();
	if (hf_open(&job.node, &options, error) != 0) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	int rc = begin(&job, options.loop);
	if (rc != 0)
		end(&job, rc);
	uv_run(options.loop, UV_RUN_DEFAULT);
	if (!job.closed || job.rc != 0 || uv_loop_close(options.loop) != 0) {
		fprintf(stderr, "uv-loop: %s\n", hf_strerror(job.rc));
		return 1;
	}
	printf("uv-loop: %u steps, the lock is free\n", job.steps);
	return 0;
}

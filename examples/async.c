/* Many requests at once from one thread: hf_lock structs of the caller's own
 * memory, and callbacks.
 *
 * Each of 64 tasks takes one of 16 locks, writes under its token, gives it back
 * and begins again, all in callbacks on the node's thread; main only waits.
 *
 * ./async [directory]; it ends with "async: N writes, tokens rising". */
#include <holdfast.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#define TASKS 64
#define ACCOUNTS 16
#define ROUNDS 50
#define WAIT_MS 10000

/* What a lock protects. Only callbacks touch it, which all run on one thread;
 * so the check and the write are one step. */
struct account {
	struct hf_guard guard;
	uint64_t writes;
};

struct bank {
	struct hf_node *node;
	struct account accounts[ACCOUNTS];
	pthread_mutex_t mutex;
	pthread_cond_t done;
	unsigned running; /* tasks; under the mutex */
	int rc;           /* the first failure; under the mutex */
};

struct task {
	struct hf_lock lock;
	struct bank *bank;
	unsigned number, rounds;
};

static void task_begin(struct task *task);

static void task_end(struct task *task, int rc)
{
	struct bank *bank = task->bank;

	pthread_mutex_lock(&bank->mutex);
	if (rc != 0 && bank->rc == 0)
		bank->rc = rc;
	if (--bank->running == 0)
		pthread_cond_signal(&bank->done);
	pthread_mutex_unlock(&bank->mutex);
}

static struct account *task_account(struct task *task)
{
	unsigned number = (task->number + task->rounds) % ACCOUNTS;

	return &task->bank->accounts[number];
}

/* The lock's memory is the task's again, and may be used for the next. */
static void on_unlocked(struct hf_lock *lock, int rc)
{
	struct task *task = lock->data;

	if (rc == 0 && ++task->rounds < ROUNDS)
		task_begin(task);
	else
		task_end(task, rc);
}

static void on_locked(struct hf_lock *lock, int rc)
{
	struct task *task = lock->data;

	if (rc != 0) {
		task_end(task, rc);
		return;
	}
	struct account *account = task_account(task);
	rc = hf_guard_check(&account->guard, HF_EXCLUSIVE, lock->token);
	if (rc == 0)
		account->writes++;
	else
		fprintf(stderr, "refused: %s\n", hf_strerror(rc));
	rc = hf_unlock_start(lock, WAIT_MS, on_unlocked);
	if (rc != 0)
		task_end(task, rc);
}

/* The name is copied; the memory of the lock must stay where it is. */
static void task_begin(struct task *task)
{
	unsigned number = (task->number + task->rounds) % ACCOUNTS;
	struct hf_lock_options options = { .size = sizeof(options) };
	char name[32];
	int len = snprintf(name, sizeof(name), "account/%u", number);

	/* One thread asks for all, so each task says who it is. */
	options.owner = task->number + 1;
	task->lock.data = task;
	int rc = hf_lock_start(task->bank->node, &task->lock, name, (size_t)len,
			       &options, WAIT_MS, on_locked);
	if (rc != 0)
		task_end(task, rc);
}

static int run(struct bank *bank)
{
	struct task tasks[TASKS] = { 0 };

	for (unsigned i = 0; i < TASKS; i++) {
		tasks[i].bank = bank;
		tasks[i].number = i;
		task_begin(&tasks[i]);
	}
	pthread_mutex_lock(&bank->mutex);
	while (bank->running > 0)
		pthread_cond_wait(&bank->done, &bank->mutex);
	pthread_mutex_unlock(&bank->mutex);
	return bank->rc;
}

int main(int argc, char **argv)
{
	struct bank bank = { .mutex = PTHREAD_MUTEX_INITIALIZER,
			     .done = PTHREAD_COND_INITIALIZER,
			     .running = TASKS };
	struct hf_options options = { .size = sizeof(options) };
	char error[HF_ERROR_TEXT];
	uint64_t writes = 0;

	options.dir = argc > 1 ? argv[1] : "async.dir";
	if (hf_open(&bank.node, &options, error) != 0) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	int rc = run(&bank);
	for (unsigned i = 0; i < ACCOUNTS; i++)
		writes += bank.accounts[i].writes;
	hf_close(bank.node, 1000);
	if (rc != 0)
		fprintf(stderr, "%s\n", hf_strerror(rc));
	else if (writes == TASKS * ROUNDS)
		printf("async: %" PRIu64 " writes, tokens rising\n", writes);
	return rc != 0 || writes != TASKS * ROUNDS;
}

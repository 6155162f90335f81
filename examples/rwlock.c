/* Shared and exclusive: two readers, a writer who waits, a reader who becomes
 * the writer, and a second one who may not.
 *
 * Two readers who both want to write would wait for each other for ever: the
 * second is refused at once, and must let go and begin again. Up brings a new
 * token, down keeps it. A shared token is good for reading what has seen no
 * newer writer; an exclusive one fences all before it (hf_guard_check). */
#include "alone.h"

#include <pthread.h>

#define NAME "page/1"

struct scene {
	struct hf_node *node;
	struct hf_guard guard; /* a real one is stored with the data */
	struct hf_lock first, second, third;
	int upgraded; /* the result */
};

/* Both in one thread here: so each says who it is. */
static int read_lock(struct scene *s, struct hf_lock *lock, uint64_t owner)
{
	struct hf_lock_options options = { .size = sizeof(options),
					   .mode = HF_SHARED,
					   .owner = owner };

	return hf_lock(s->node, lock, NAME, &options, WAIT_MS);
}

static int try_write(struct scene *s, uint64_t owner)
{
	struct hf_lock_options options = { .size = sizeof(options),
					   .owner = owner };

	return hf_trylock(s->node, &s->third, NAME, &options);
}

static void *upgrade(void *arg)
{
	struct scene *s = arg;

	s->upgraded = hf_lock_convert(&s->first, HF_EXCLUSIVE, 0, WAIT_MS);
	return NULL;
}

static bool read_together(struct scene *s)
{
	return expect(read_lock(s, &s->first, 1), 0, "1 reads") &&
	       expect(read_lock(s, &s->second, 2), 0, "2 reads, too") &&
	       expect(hf_guard_check(&s->guard, HF_SHARED,
				     hf_lock_token(&s->first)),
		      0, "1's token is taken for a read") &&
	       expect(try_write(s, 3), HF_EHELD, "3 tries to write");
}

/* 1 waits for 2; 2 would wait for 1. */
static bool upgrade_one(struct scene *s)
{
	uint64_t before = hf_lock_token(&s->first);
	pthread_t thread;

	if (pthread_create(&thread, NULL, upgrade, s) != 0)
		return false;
	bool well =
		wait_for_claims(s->node, NAME, 3) &&
		expect(hf_lock_convert(&s->second, HF_EXCLUSIVE, 0, WAIT_MS),
		       HF_EDEADLK, "1 waits to write; 2 wants to, too");
	well = expect(hf_unlock(&s->second, WAIT_MS), 0, "2 lets go") && well;
	pthread_join(thread, NULL);
	return well && expect(s->upgraded, 0, "1 writes") &&
	       say(hf_lock_token(&s->first) > before, "1's token is a newer") &&
	       expect(hf_guard_check(&s->guard, HF_EXCLUSIVE,
				     hf_lock_token(&s->first)),
		      0, "1's token is taken for a write") &&
	       expect(hf_guard_check(&s->guard, HF_SHARED, before), HF_EFENCED,
		      "its former one isn't any more");
}

static bool downgrade(struct scene *s)
{
	uint64_t before = hf_lock_token(&s->first);

	return expect(hf_lock_convert(&s->first, HF_SHARED, 0, WAIT_MS), 0,
		      "1 only reads again") &&
	       say(hf_lock_token(&s->first) == before, "its token stays") &&
	       expect(read_lock(s, &s->second, 2), 0, "2 reads beside it") &&
	       expect(hf_unlock(&s->second, WAIT_MS), 0, "2 leaves") &&
	       expect(hf_unlock(&s->first, WAIT_MS), 0, "1 leaves") &&
	       expect(try_write(s, 3), 0, "3 writes") &&
	       expect(hf_unlock(&s->third, WAIT_MS), 0, "3 leaves");
}

int main(void)
{
	struct scene s = { 0 };
	char dir[DIR_LEN];

	s.node = alone_open(dir);
	bool well =
		s.node && read_together(&s) && upgrade_one(&s) && downgrade(&s);
	alone_close(s.node, dir);
	say(well, "rwlock: readers together, writers alone");
	return well ? 0 : 1;
}

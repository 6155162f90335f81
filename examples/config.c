/* A shared configuration: versioned values, changed by two editors at once
 * without a lock, and a watch that tells of each change.
 *
 * Compare and set: who writes names the version that it has read. If another
 * was faster it is refused, HF_EVERSION, reads again and repeats its change on
 * top. The watch on the prefix "config/" tells of every version, in order. */
#include "alone.h"

#include <pthread.h>

#define NAME "config/workers"
#define EDITORS 2
#define CHANGES 5 /* by each editor */

struct scene {
	struct hf_node *node;
	atomic_uint refused;
	/* What the watch has told: */
	atomic_uint told, wrong;
	uint64_t version;
};

static void on_change(struct hf_watch *watch, const struct hf_change *change)
{
	struct scene *s = watch->data;

	if (change->type != HF_CHANGE_PUT)
		return;
	printf("%.*s = %.*s, version %" PRIu64 "\n", (int)change->name_len,
	       (const char *)change->name, (int)change->bytes_len,
	       (const char *)change->bytes, change->version);
	s->wrong += change->version <= s->version;
	s->version = change->version;
	s->told++;
}

/* One more worker than there are, whatever others do. */
static int change_once(struct scene *s)
{
	struct hf_put_options options = { .size = sizeof(options),
					  .if_version = true };
	struct hf_value value;
	char text[16] = "";
	int rc = hf_get(s->node, NAME, text, sizeof(text) - 1, &value,
			HF_LATEST, WAIT_MS);

	if (rc != 0)
		return rc;
	options.version = value.version;
	int len = snprintf(text, sizeof(text), "%d", atoi(text) + 1);
	return hf_put(s->node, NAME, text, (size_t)len, &options, NULL,
		      WAIT_MS);
}

static void *edit(void *arg)
{
	struct scene *s = arg;
	unsigned done = 0;
	int rc = 0;

	while (done < CHANGES && (rc == 0 || rc == HF_EVERSION)) {
		rc = change_once(s);
		done += rc == 0;
		s->refused += rc == HF_EVERSION;
	}
	if (rc != 0)
		printf("editor: %s\n", hf_strerror(rc));
	return NULL;
}

static bool edit_together(struct scene *s)
{
	pthread_t threads[EDITORS];
	char text[16] = "";
	struct hf_value value;

	for (int i = 0; i < EDITORS; i++)
		if (pthread_create(&threads[i], NULL, edit, s) != 0)
			return false;
	for (int i = 0; i < EDITORS; i++)
		pthread_join(threads[i], NULL);
	if (hf_get(s->node, NAME, text, sizeof(text) - 1, &value, HF_LATEST,
		   WAIT_MS) != 0)
		return false;
	printf("%u changes were repeated on top of another's\n", s->refused);
	return say(atoi(text) == EDITORS * CHANGES,
		   "no change was lost: %s workers", text) &&
	       say(wait_for(&s->told, EDITORS * CHANGES + 1) && s->wrong == 0,
		   "the watch has told of each, versions rising");
}

static bool act(struct scene *s)
{
	struct hf_watch watch = { .data = s };
	struct hf_put_options create = { .size = sizeof(create),
					 .if_version = true }; /* none yet */

	if (hf_watch(s->node, &watch, "config/", 7,
		     HF_WATCH_PREFIX | HF_WATCH_NOW, 0, on_change) != 0)
		return false;
	bool well =
		expect(hf_put(s->node, NAME, "0", 1, &create, NULL, WAIT_MS), 0,
		       "create") &&
		expect(hf_put(s->node, NAME, "0", 1, &create, NULL, WAIT_MS),
		       HF_EVERSION, "create again") &&
		edit_together(s);
	return hf_unwatch(&watch) == 0 && well;
}

int main(void)
{
	struct scene s = { 0 };
	char dir[DIR_LEN];

	s.node = alone_open(dir);
	bool well = s.node && act(&s);
	alone_close(s.node, dir);
	say(well, "config: compare and set, and watch");
	return well ? 0 : 1;
}

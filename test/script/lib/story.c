/* Commands of a script to entries for a core; see story.h. */
#include "script/lib/story.h"
#include "script/lib/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void story_init(struct story *s)
{
	memset(s, 0, sizeof(*s));
	machine_init(&s->machine, 1);
}

void *story_keep(struct story *s, void *memory)
{
	s->memory =
		realloc(s->memory, (s->memory_len + 1) * sizeof(*s->memory));
	if (!s->memory || !memory)
		abort();
	s->memory[s->memory_len++] = memory;
	return memory;
}

void story_end(struct story *s)
{
	machine_end(&s->machine);
	image_copy_free(&s->image);
	for (size_t i = 0; i < s->memory_len; i++)
		free(s->memory[i]);
	free(s->memory);
}

const char *story_name_of(const struct story *s, uint64_t id)
{
	for (size_t i = s->names_len; i-- > 0;) {
		if (s->names[i].id == id && id > 0)
			return s->names[i].text;
	}
	return "?";
}

const struct story_name *story_find(const struct story *s, const char *text)
{
	for (size_t i = s->names_len; text && i-- > 0;) {
		if (strcmp(s->names[i].text, text) == 0)
			return &s->names[i];
	}
	return NULL;
}

static void add_name(struct story *s, const char *text, uint64_t id,
		     uint64_t node)
{
	struct story_name *name = &s->names[s->names_len++ % STORY_NAMES];

	snprintf(name->text, sizeof(name->text), "%s", text);
	name->id = id;
	name->node = node;
}

static void emit(void *ctx, const struct output *o)
{
	struct story *s = ctx;

	if (o->kind == OUTPUT_ANSWER && o->op == OP_OPEN && o->status == 0 &&
	    strcmp(story_name_of(s, o->session), "?") == 0) {
		for (size_t i = 0; i < s->ops_len; i++) {
			if (s->opened[i] && s->ops[i].node == o->node)
				add_name(s, s->opened[i], o->session, o->node);
		}
	}
	if (o->kind != OUTPUT_CHANGED || s->watching)
		print_output(s, o, s->out);
}

static void apply(struct story *s, uint64_t index, const struct entry *entry)
{
	const struct output_sink sink = { emit, s };
	struct story_entry *kept;

	if (core_apply(s->machine.core, index, entry, &sink))
		text_print(s->out, "poisoned: %s\n",
			   core_error(s->machine.core));
	s->machine.index = index;
	if (!s->imaging)
		return;
	kept = story_keep(s, malloc(sizeof(*kept)));
	kept->index = index;
	kept->entry = *entry;
	if (entry->ops_len > 0)
		memcpy(kept->ops, entry->ops,
		       entry->ops_len * sizeof(struct op));
	kept->entry.ops = kept->ops;
	s->log[s->log_len++ % STORY_LOG] = kept;
}

static void apply_gathered(struct story *s)
{
	const struct entry entry = { .version = SEMANTICS_VERSION,
				     .stamp = s->clock,
				     .term = s->machine.term,
				     .ops = s->ops,
				     .ops_len = s->ops_len };

	apply(s, s->machine.index + 1, &entry);
	s->ops_len = 0;
}

void story_gather(struct story *s, const struct op *op, const char *opened)
{
	if (s->ops_len == STORY_OPS)
		abort();
	s->opened[s->ops_len] = opened ? story_keep(s, strdup(opened)) : NULL;
	s->ops[s->ops_len++] = *op;
	if (!s->batch)
		apply_gathered(s);
}

static void do_entry(struct story *s, const struct words *w)
{
	const char *hash = words_option(w, "hash");
	const struct entry entry = {
		.version =
			(uint16_t)words_number(w, "version", SEMANTICS_VERSION),
		.stamp = words_number(w, "stamp", s->clock),
		.term = words_number(w, "term", s->machine.term),
		.proposer = 2,
		.hash_index = hash ? core_index(s->machine.core) : 0,
		.hash = core_hash(s->machine.core) +
			(hash && strcmp(hash, "wrong") == 0)
	};

	apply(s, words_number(w, "index", s->machine.index + 1), &entry);
}

/* Another core, from the image and the log, takes the place of this one. */
static void restore(struct story *s)
{
	struct machine *m = &s->machine;
	uint64_t hash = core_hash(m->core), index = m->index, term = m->term;

	machine_end(m);
	machine_init(m, 1000 + index);
	m->index = index;
	m->term = term;
	if (image_copy_restore(&s->image, m->core)) {
		text_print(s->out, "refused: %s\n", core_error(m->core));
		return;
	}
	for (size_t i = 0; i < s->log_len; i++)
		core_apply(m->core, s->log[i]->index, &s->log[i]->entry, NULL);
	text_print(s->out, "%s\n",
		   core_hash(m->core) == hash ? "the same state"
					      : "ANOTHER STATE");
}

static void do_image(struct story *s, const struct words *w)
{
	const struct image_sink sink = { image_copy_put, &s->image };

	if (w->len < 2)
		return;
	if (strcmp(w->word[1], "begin") == 0) {
		image_copy_free(&s->image);
		s->log_len = 0;
		s->imaging = true;
		core_image_begin(s->machine.core, &sink);
	} else if (strcmp(w->word[1], "step") == 0) {
		bool done =
			core_image_step(s->machine.core, words_number_at(w, 2));

		text_print(s->out, "%zu records, %s\n", s->image.len,
			   done ? "complete" : "more to come");
	} else {
		restore(s);
	}
}

static void do_crash(struct story *s)
{
	const struct image_sink sink = { image_copy_put, &s->image };

	image_copy_free(&s->image);
	s->log_len = 0;
	s->imaging = false;
	if (core_poisoned(s->machine.core) &&
	    core_image_begin(s->machine.core, &sink)) {
		text_print(s->out, "a poisoned member gives no image\n");
		return;
	}
	core_image_abort(s->machine.core);
	image_copy_take(&s->image, s->machine.core);
	restore(s);
}

static void do_time(struct story *s, const struct words *w)
{
	s->clock += words_number_at(w, 1);
	if (strcmp(w->word[0], "tick") == 0)
		apply_gathered(s);
}

void story_command(void *ctx, char *line, struct text *out)
{
	struct story *s = ctx;
	struct words w = words_split(line);

	s->out = out;
	if (w.len == 0 || story_operation(s, &w))
		return;
	if (strcmp(w.word[0], "batch") == 0) {
		s->batch = true;
	} else if (strcmp(w.word[0], "end") == 0) {
		s->batch = false;
		apply_gathered(s);
	} else if (strcmp(w.word[0], "clock") == 0 ||
		   strcmp(w.word[0], "tick") == 0) {
		do_time(s, &w);
	} else if (strcmp(w.word[0], "leader") == 0) {
		s->machine.term++;
		s->clock = core_now(s->machine.core);
	} else if (strcmp(w.word[0], "entry") == 0) {
		do_entry(s, &w);
	} else if (strcmp(w.word[0], "crash") == 0) {
		do_crash(s);
	} else if (strcmp(w.word[0], "image") == 0) {
		do_image(s, &w);
	} else if (strcmp(w.word[0], "watch") == 0) {
		s->watching = true;
	} else if (strcmp(w.word[0], "state") == 0) {
		print_state(s, out);
	} else {
		text_print(out, "no such command: %s\n", w.word[0]);
	}
}

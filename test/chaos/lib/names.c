#include "names.h"

#include <stdio.h>
#include <string.h>

#define NAMES_SHARED_FROM 6 /* up to NAMES_PERMITS_FROM */
#define LONG_NAME_LEN 300

static unsigned draw_name(struct random *random, bool contended)
{
	uint64_t percent = contended ? 80 : 3;

	if (random_below(random, 100) < percent)
		return (unsigned)random_below(random, NAMES_CONTENDED);
	return NAMES_CONTENDED +
	       (unsigned)random_below(random, NAMES - NAMES_CONTENDED);
}

static enum hf_mode draw_mode(struct random *random, unsigned name)
{
	uint64_t shared_percent = 20;

	if (name < NAMES_SHARED_FROM)
		return HF_EXCLUSIVE;
	if (name < NAMES_PERMITS_FROM)
		shared_percent = 70;
	else if (name < NAMES_CONTENDED)
		return HF_PERMITS;
	return random_below(random, 100) < shared_percent ? HF_SHARED
							  : HF_EXCLUSIVE;
}

static uint32_t draw_timeout_ms(struct random *random)
{
	static const uint32_t choices[] = { 0, 100, 1000, 3000, 3000, 6000 };

	return choices[random_below(random,
				    sizeof(choices) / sizeof(*choices))];
}

void wish_draw(struct wish *wish, struct random *random, bool contended)
{
	*wish = (struct wish){ .name = draw_name(random, contended) };
	struct hf_lock_options *o = &wish->options;
	o->size = sizeof(*o);
	o->mode = draw_mode(random, wish->name);
	if (o->mode == HF_PERMITS) {
		o->permits = 1 + (uint32_t)random_below(random, 2);
		o->limit = PERMITS_LIMIT;
	} else if (wish->name % 3 == 1) {
		o->delay_ms = DELAY_MS;
	}
	wish->timeout_ms = draw_timeout_ms(random);
}

size_t name_write(char *text, unsigned name)
{
	int len = snprintf(text, NAME_LEN, "chaos/%u", name);

	if (name % 3 != 2)
		return (size_t)len;
	memset(text + len, '.', LONG_NAME_LEN - (size_t)len);
	return LONG_NAME_LEN;
}
